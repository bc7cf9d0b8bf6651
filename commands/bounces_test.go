package commands_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/notification"
	"govahi/domain/revocation"
)

// letterbox holds one report.
type letterbox struct {
	bounce      commands.Bounce
	err         error
	done, aside int
}

func (*letterbox) Names(context.Context, time.Time, int) ([]string, error) { return nil, nil }

func (l *letterbox) Read(context.Context, string) (commands.Bounce, error) { return l.bounce, l.err }

func (l *letterbox) Done(context.Context, string) error { l.done++; return nil }

func (l *letterbox) SetAside(context.Context, string) error { l.aside++; return nil }

// sent is the message about the issue, handed to the mail server.
func (r *request) sent() string {
	r.t.Helper()
	for _, e := range r.all("notification.requested.v1") {
		n := state(r.house, notification.Kind, e.Stream)
		if n.Requested.Template == notification.CertificateIssued {
			if err := r.SendNotification(r.t.Context(), worker("post"), &post{}, n.Requested.ID); err != nil {
				r.t.Fatal(err)
			}
			return n.Requested.ID
		}
	}
	r.t.Fatal("nobody was told of the issue")
	return ""
}

func TestABounceIsADoubt(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	id := r.sent()
	l := &letterbox{bounce: commands.Bounce{Message: id, Recipient: "nemune@example.ir", Status: "5.1.1", Permanent: true}}
	for range 2 {
		if err := r.TakeBounce(t.Context(), worker("bounces"), l, "report"); err != nil {
			t.Fatal(err)
		}
		r.settle()
	}
	opened := r.cases()
	if len(opened) != 1 || len(r.all("notification.bounced.v1")) != 1 || l.done != 2 || l.aside != 0 {
		t.Fatalf("%d cases, %d done, %d aside", len(opened), l.done, l.aside)
	}
	review, err := r.ReviewCase(t.Context(), opened[0].Stream.ID())
	if err != nil || review.Evidence[0].Source != revocation.Bounced || review.Evidence[0].Cites.Message != id || review.Evidence[0].Cites.Status != "5.1.1" {
		t.Errorf("%+v, %v", review, err)
	}
	if strings.Contains(string(opened[0].Data), "nemune") {
		t.Error("the case names the address")
	}
}

// TestABounceGoesOnToWhatCameAfter: the certificate that it was about is
// superseded, and the one in its place bears the same address, or another.
func TestABounceGoesOnToWhatCameAfter(t *testing.T) {
	for name, c := range map[string]struct {
		bases []enrollment.Basis
		email string
		cases int
	}{
		"renewed":                   {[]enrollment.Basis{enrollment.Renewal}, "nemune@example.ir", 1},
		"another key":               {[]enrollment.Basis{enrollment.Rekey, enrollment.Rekey}, "nemune@example.ir", 1},
		"modified":                  {[]enrollment.Basis{enrollment.Rekey, enrollment.Modification}, "nemune@example.ir", 1},
		"modified, another address": {[]enrollment.Basis{enrollment.Modification, enrollment.Rekey}, "other@example.ir", 0},
	} {
		t.Run(name, func(t *testing.T) {
			first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
			id := first.sent()
			first.nearTheEnd()
			last := first
			for _, basis := range c.bases { // one after the other
				last = last.follow(basis)
				if basis == enrollment.Modification {
					form := formOf(applicant)
					form.Email = c.email
					last.did(last.CompleteForm(t.Context(), last.by(applicant), last.code, form))
					last.settle()
				}
				last.upTo(enrollment.StatusAccepted)
			}
			last.settle()
			if s := first.certificate().Status; s != certificate.Withdrawn {
				t.Fatalf("the first is %s", s)
			}
			l := &letterbox{bounce: commands.Bounce{Message: id, Recipient: "nemune@example.ir", Status: "5.1.1", Permanent: true}}
			if err := last.TakeBounce(t.Context(), worker("bounces"), l, "report"); err != nil {
				t.Fatal(err)
			}
			last.settle()
			if n := len(last.cases()); n != c.cases || len(first.cases()) != 0 {
				t.Errorf("%d cases about it, %d about the first", n, len(first.cases()))
			}
		})
	}
}

// TestWhatMayBeForgedIsSetAside, and leaves nothing in the log.
func TestWhatMayBeForgedIsSetAside(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	id := r.sent()
	good := commands.Bounce{Message: id, Recipient: "nemune@example.ir", Status: "5.1.1", Permanent: true}
	other, unknown, passing := good, good, good
	other.Recipient, unknown.Message, passing.Permanent = "degar@example.ir", "none", false
	for name, c := range map[string]struct {
		l     *letterbox
		aside int
	}{
		"another address": {&letterbox{bounce: other}, 1},
		"unknown":         {&letterbox{bounce: unknown}, 1},
		"no report":       {&letterbox{err: fmt.Errorf("%w: x", commands.ErrNoReport)}, 1},
		"for now":         {&letterbox{bounce: passing}, 0},
	} {
		before := r.head()
		err := r.TakeBounce(t.Context(), worker("bounces"), c.l, "report")
		if errors.Is(err, commands.ErrSetAside) != (c.aside == 1) || c.l.aside != c.aside || c.l.done != 1-c.aside || r.head() != before {
			t.Errorf("%s: %v, %d aside, %d done", name, err, c.l.aside, c.l.done)
		}
		if err != nil && strings.Contains(err.Error(), "@") {
			t.Errorf("%s names an address: %v", name, err)
		}
	}
	r.keeper.Forget(subject(applicant))
	l := &letterbox{bounce: good}
	if err := r.TakeBounce(t.Context(), worker("bounces"), l, "report"); !errors.Is(err, commands.ErrSetAside) || l.aside != 1 {
		t.Errorf("about somebody who was erased: %v", err)
	}
	broken := &letterbox{err: errors.New("disk")}
	if err := r.TakeBounce(t.Context(), worker("bounces"), broken, "report"); err == nil || broken.done+broken.aside != 0 {
		t.Errorf("a disk that fails: %v", err)
	}
}

func TestABounceBeforeTheIssueIsNoCase(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	for _, e := range r.all("notification.requested.v1") {
		id := e.Stream.ID()
		m := &post{}
		if err := r.SendNotification(t.Context(), worker("post"), m, id); err != nil {
			t.Fatal(err)
		}
		if len(m.sent) == 0 { // a code that counts no more
			continue
		}
		l := &letterbox{bounce: commands.Bounce{Message: id, Recipient: "nemune@example.ir", Status: "5.1.1", Permanent: true}}
		if err := r.TakeBounce(t.Context(), worker("bounces"), l, "report"); err != nil {
			t.Fatal(err)
		}
	}
	r.settle()
	if len(r.all("notification.bounced.v1")) == 0 || len(r.cases()) != 0 {
		t.Error("a request without a certificate has a case")
	}
}
