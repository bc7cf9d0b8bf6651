package http

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fee"
)

// TestARefusalSaysWhatIsPossibleNow tells one request's story over HTTP, and
// beside it asks for what is out of order.
func TestARefusalSaysWhatIsPossibleNow(t *testing.T) {
	l := bare(t).open(t, House{})
	l.settled()
	r := outOfOrder{l, l.opened()}
	proved := map[string]string{"version": commands.LiabilityNotice.Version, "textHash": commands.LiabilityNotice.Hash()}
	seen := map[string]any{"revision": 1, "hash": strings.Repeat("0", 64), "signature": "c2ln"}
	paid := map[string]any{"provider": "samplebank", "terminal": "1", "rrn": "5001", "trace": "2", "amountRial": 1_500_000}
	originals := map[string]any{
		"sighted": []string{"birth-certificate", "national-card", "legal-person-card", "introduction-letter"},
		"letter":  map[string]string{"number": "۱۲/۳۴۵", "date": "1405/01/01"},
	}
	order := map[string]string{"token": "TOKEN1", "csr": newCSR(t)}
	access := map[string]string{"trackingCode": r.code, "userName": "nemune", "level": "viewer", "fingerprint": "00", "unit": "unit-rt"}

	r.refused("applicant", "submission", map[string]string{"office": "office-1"}, "wrong-state", enrollment.StatusDraft)
	r.refused("applicant", "acceptance", nil, "wrong-state", enrollment.StatusDraft)
	r.does("applicant", "form", form())
	r.does("applicant", "email-confirmation", map[string]string{"code": l.app.EmailCode(enrollment.Kind.Stream(r.code), 1)})
	r.does("applicant", "liability", proved)
	r.does("applicant", "submission", map[string]string{"office": "office-1"})
	r.refused("applicant", "form", form(), "wrong-state", enrollment.StatusAtOffice)
	r.refused("officer-2", "confirmation", seen, "wrong-state", enrollment.StatusAtOffice)
	r.does("officer-1", "documents", originals)
	r.refused("officer-2", "confirmation", seen, "wrong-state", enrollment.StatusUnderControl) // before the payment
	r.does("officer-1", "payment", paid)
	paid["rrn"] = "5002"
	r.refusedAt("officer-1", r.path("payment"), paid, "fee-already-settled", fee.Kind.Life["settled"])
	l.done("officer-1", "/tokens", map[string]string{"serial": "TOKEN1", "model": "SoftHSM", "office": "office-1"})
	r.refused("officer-1", "token", map[string]string{"token": "TOKEN1"}, "wrong-state", enrollment.StatusControlled)
	r.refused("officer-1", "issuance", order, "wrong-state", enrollment.StatusControlled)
	var review commands.Review
	l.get("officer-2", r.path("record")).json(t, &review)
	r.does("officer-2", "confirmation", confirming("officer-2", review))
	r.does("officer-1", "token", map[string]string{"token": "TOKEN1"})
	r.does("officer-1", "issuance", order)
	r.refused("applicant", "withdrawal", nil, "wrong-state", enrollment.StatusIssued)
	r.refused("officer-1", "delivery", map[string]string{"identityChecked": "national-card"}, "wrong-state", enrollment.StatusIssued)
	serial := l.serial(r.code)
	held, err := l.app.StatusOf(t.Context(), serial)
	if err != nil {
		t.Fatal(err)
	}
	access["fingerprint"] = held.Issued.Fingerprint
	r.refusedAt("research-officer", "/accesses", access, "token-not-delivered", r.standing(enrollment.StatusIssued))
	l.done("ca-operator", "/certificates/"+serial+"/revocation", map[string]string{"reason": "superseded"})
	r.refused("officer-1", "sheet", nil, "wrong-state", enrollment.StatusRevoked)
	r.refusedAt("ca-operator", "/certificates/"+serial+"/revocation", map[string]string{"reason": "affiliationChanged"},
		"certificate-already-revoked", certificate.Kind.Life["revoked"])
}

// outOfOrder is a request that is asked for what cannot be.
type outOfOrder struct {
	*life
	code string
}

func (l *life) opened() string {
	l.t.Helper()
	var opened TrackingCode
	a, _ := l.done("applicant", "/requests", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"})
	a.json(l.t, &opened)
	return opened.TrackingCode
}

func (r outOfOrder) path(act string) string { return "/requests/" + r.code + "/" + act }

func (r outOfOrder) does(persona, act string, body any) {
	r.t.Helper()
	r.done(persona, r.path(act), body)
}

func (outOfOrder) standing(s enrollment.Status) event.State { return enrollment.Kind.Life[string(s)] }

func (r outOfOrder) refused(persona, act string, body any, code string, s enrollment.Status) {
	r.t.Helper()
	r.refusedAt(persona, r.path(act), body, code, r.standing(s))
}

// refusedAt expects the refusal in Persian, and in English where that is
// preferred, and nothing in the log.
func (r outOfOrder) refusedAt(persona, path string, body any, code string, s event.State) {
	r.t.Helper()
	before := r.head()
	possible := s.Possible()
	for language, want := range map[string]string{
		"fa": "وضعیت کنونی: «" + s.Name.Fa + "». " + possible.Fa, "en": "It is now: " + s.Name.En + ". " + possible.En,
	} {
		a := r.postIn(language, persona, path, body)
		p := a.problem(r.t)
		if p.Status != 409 || p.Code != code || p.Type != "urn:govahi:problem:"+code || !strings.HasSuffix(p.Detail, want) ||
			a.Header.Get("Content-Language") != language {
			r.t.Errorf("%s in %s: %d %s", path, language, a.StatusCode, a.body)
		}
	}
	if r.head() != before {
		r.t.Errorf("%s was refused and still left events", path)
	}
}

// postIn is a command of somebody who prefers English, or says nothing.
func (l *life) postIn(language, persona, path string, body any) answer {
	l.t.Helper()
	text := []byte{}
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			l.t.Fatal(err)
		}
	}
	l.keys++
	headers := l.commanding(persona, fmt.Sprint("key-", l.keys))
	if language == "en" {
		headers = append(headers, "Accept-Language", "en-GB, fa;q=0.5")
	}
	return l.ask("POST", path, string(text), headers...)
}

func (l *life) head() event.Position {
	l.t.Helper()
	head, err := l.log.Head(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return head
}

// serial is that of the request's certificate, by the log.
func (l *life) serial(code string) string {
	l.t.Helper()
	var serial string
	for r, err := range l.log.Read(l.t.Context(), enrollment.Kind.Stream(code), 0) {
		if err != nil {
			l.t.Fatal(err)
		}
		e, err := enrollment.Catalog.Open(r)
		if err != nil {
			l.t.Fatal(err)
		}
		if issued, ok := e.(enrollment.Issued); ok {
			serial = issued.Serial
		}
	}
	return serial
}
