package mail_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"govahi/adapters/mail"
	"govahi/commands"
)

const id = "8e1f0c55-0000-8000-8000-000000000001"

// report is a delivery status notification as Postfix writes one.
func report(recipients, original string) string {
	return strings.ReplaceAll(`From: MAILER-DAEMON@mail.example.ir
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="A1/mail.example.ir"

This is a MIME-encapsulated message.

--A1/mail.example.ir
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system.

--A1/mail.example.ir
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.ir
X-Postfix-Queue-ID: 5F1A2
Arrival-Date: Sun, 22 Nov 2026 10:00:00 +0330 (+0330)

`+recipients+`
--A1/mail.example.ir
Content-Description: Undelivered Message
`+original+`

--A1/mail.example.ir--
`, "\n", "\r\n")
}

func to(address, action, status string) string {
	return "Final-Recipient: rfc822; " + address + "\nOriginal-Recipient: rfc822;" + address + "\nAction: " + action +
		"\nStatus: " + status + "\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n"
}

func of(messageID string) string {
	return "Content-Type: message/rfc822\n\nFrom: govahi@example.ir\nMessage-ID: " + messageID + "\nSubject: x\n\nbody"
}

func TestAReportIsRead(t *testing.T) {
	failed := commands.Bounce{Message: id, Recipient: "sara@example.ir", Status: "5.1.1", Permanent: true}
	for name, c := range map[string]struct {
		text string
		want commands.Bounce
	}{
		"failed":           {report(to("Sara@Example.ir", "failed", "5.1.1"), of(mail.MessageID(id))), failed},
		"headers alone":    {report(to("sara@example.ir", "failed", "5.1.1"), "Content-Type: text/rfc822-headers\n\nMessage-ID: "+mail.MessageID(id)), failed},
		"with a comment":   {report(to("<sara@example.ir>", "Failed", "5.1.1 (bad mailbox)"), of(mail.MessageID(id))), failed},
		"second of two":    {report(to("other@example.ir", "delayed", "4.4.1")+"\n"+to("sara@example.ir", "failed", "5.1.1"), of(mail.MessageID(id))), failed},
		"for now":          {report(to("sara@example.ir", "delayed", "4.4.7"), of(mail.MessageID(id))), commands.Bounce{Message: id, Recipient: "sara@example.ir", Status: "4.4.7"}},
		"given up for now": {report(to("sara@example.ir", "failed", "4.4.7"), of(mail.MessageID(id))), commands.Bounce{Message: id, Recipient: "sara@example.ir", Status: "4.4.7"}},
		"delivered":        {report(to("sara@example.ir", "delivered", "2.0.0"), of(mail.MessageID(id))), commands.Bounce{Message: id, Recipient: "sara@example.ir", Status: "2.0.0"}},
	} {
		if got, err := mail.ParseReport(strings.NewReader(c.text)); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestWhatIsNoReportIsSaidToBeNone(t *testing.T) {
	good := report(to("canary@example.ir", "failed", "5.1.1"), of(mail.MessageID(id)))
	for name, text := range map[string]string{
		"nothing":                  "",
		"no header":                "canary@example.ir",
		"a plain message":          "From: canary@example.ir\r\nSubject: failed\r\n\r\n5.1.1 " + mail.MessageID(id),
		"another report":           strings.Replace(good, "report-type=delivery-status", "report-type=disposition-notification", 1),
		"no boundary":              strings.Replace(good, "boundary=", "canary=", 1),
		"cut off":                  good[:len(good)/2],
		"no status":                strings.Replace(good, "Status: 5.1.1", "X-Status: 5.1.1", 1),
		"a status of another kind": strings.Replace(good, "Status: 5.1.1", "Status: 550", 1),
		"nobody's message":         report(to("canary@example.ir", "failed", "5.1.1"), of("<canary@example.ir>")),
		"a path for an ID":         report(to("canary@example.ir", "failed", "5.1.1"), of("<../canary@govahi.invalid>")),
		"no original":              report(to("canary@example.ir", "failed", "5.1.1"), "Content-Type: text/plain\n\nx"),
		"too long":                 good + strings.Repeat("x", 1<<20),
	} {
		got, err := mail.ParseReport(strings.NewReader(text))
		if !errors.Is(err, commands.ErrNoReport) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func FuzzReport(f *testing.F) {
	f.Add(report(to("sara@example.ir", "failed", "5.1.1"), of(mail.MessageID(id))))
	f.Add("Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n--b--")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := mail.ParseReport(strings.NewReader(text))
		if (err == nil) == (b.Message == "") || err != nil && !errors.Is(err, commands.ErrNoReport) {
			t.Errorf("%+v, %v", b, err)
		}
	})
}

func TestTheOutboxLetsAMessageComeBack(t *testing.T) {
	dir := t.TempDir()
	o, err := mail.OpenOutbox(filepath.Join(dir, "outbox"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := mail.OpenBounces(filepath.Join(dir, "bounces"))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Send(t.Context(), commands.Mail{ID: id, To: "Sara@example.ir"}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(o.Bounce(b, id, "5.1.1"), o.Bounce(b, id, "4.2.2")); err != nil {
		t.Fatal(err)
	}
	if err := o.Bounce(b, "another", "5.1.1"); err == nil {
		t.Error("what was never sent comes back")
	}
	if err := os.WriteFile(filepath.Join(dir, "bounces", "new", ".part"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	names, err := b.Names(t.Context(), time.Now(), 10)
	if err != nil || len(names) != 2 {
		t.Fatalf("%v, %v", names, err)
	}
	permanent := 0
	for _, name := range names {
		got, err := b.Read(t.Context(), name)
		if err != nil || got.Message != id || got.Recipient != "sara@example.ir" {
			t.Errorf("%+v, %v", got, err)
		}
		if got.Permanent {
			permanent++
		}
	}
	if err := errors.Join(b.Done(t.Context(), names[0]), b.Done(t.Context(), names[0]), b.SetAside(t.Context(), names[1])); err != nil {
		t.Error(err)
	}
	left, _ := b.Names(t.Context(), time.Now(), 10)
	if aside, err := b.Aside(); permanent != 1 || len(left) != 0 || aside != 1 || err != nil {
		t.Errorf("%d for good, %d left, %d aside, %v", permanent, len(left), aside, err)
	}
}
