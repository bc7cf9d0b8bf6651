package enrollment

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"govahi/domain/event"
)

// TestNoCommandsLeadPastTheControls puts random commands of random people to a
// request and judges what happened by the bare history, without the state
// (invariants 1 and 2, and the end by a revocation).
func TestNoCommandsLeadPastTheControls(t *testing.T) {
	var seen coverage
	rapid.Check(t, func(t *rapid.T) {
		var history []event.Event
		var s Enrollment
		for range 120 {
			events, err := anyCommand(t, s).Decide(s)
			if err != nil {
				continue
			}
			for _, e := range events {
				history, s = append(history, e), Evolve(s, e)
				if err := judge(history); err != nil {
					t.Fatalf("%v, after %v", err, names(history))
				}
			}
		}
		seen.add(history)
	})
	for _, n := range []int{seen.certificates, seen.revocations, seen.controlled, seen.opened, seen.accepted, seen.corrected} {
		if n == 0 {
			t.Fatalf("not all was judged: %+v", seen)
		}
	}
}

// coverage counts what came of the stories: certificates and revocations, and
// before a confirmation further controls, openings and acceptances at the
// counter, and corrections.
type coverage struct{ certificates, revocations, controlled, opened, accepted, corrected int }

func (c *coverage) add(history []event.Event) {
	c.certificates += count[Issued](history)
	c.revocations += count[Revoked](history)
	for i, e := range slices.Backward(history) {
		if _, ok := e.(InformationConfirmed); ok {
			c.addConfirmed(history[:i])
			return
		}
	}
}

func (c *coverage) addConfirmed(history []event.Event) {
	c.controlled += count[ControlClosed](history)
	c.corrected += count[CorrectionRequested](history)
	for _, e := range history {
		switch e := e.(type) {
		case Opened:
			c.opened += len(e.Office)
		case LiabilityAccepted:
			if e.AtCounter {
				c.accepted++
			}
		}
	}
}

// anyCommand is, more often than not, one that brings the request further.
func anyCommand(t *rapid.T, s Enrollment) event.Command[Enrollment] {
	by := rapid.SampledFrom([]event.Subject{sara, sara, sara, parisa, parisa, omid, omid, nima, "p-kaveh"}).Draw(t, "by") // so that somebody is left to confirm
	if next := forward(s, by); next != nil && rapid.IntRange(0, 3).Draw(t, "forward") > 0 {
		return next
	}
	document := rapid.SampledFrom([]Document{BirthCertificate, Passport, NationalCard, LegalPersonCard, IntroductionLetter}).Draw(t, "document")
	further := rapid.SampledFrom(FurtherControls).Draw(t, "further")
	yes := rapid.Bool().Draw(t, "yes")
	n := rapid.IntRange(0, 3).Draw(t, "n")
	return rapid.SampledFrom([]event.Command[Enrollment]{
		Complete{Person: sara, Form: personal(), Foreign: yes, EmailChanged: n > 1, By: by, Entry: ByApplicant, At: noon},
		SendEmailCode{n, noon},
		ConfirmEmail{yes, n, noon},
		AcceptLiability{"1405-1", "70e7", by, yes, noon},
		Submit{"ahvaz", noon},
		VerifyDocuments{[]Document{document}, letter, inquiryOf(n), by, noon},
		AnswerIdentity{inquiryOf(n), yes, "registry-1", by, noon},
		SettleFee{paid.Order, paid.Revision, paid.AmountRial, noon},
		RequireControl{further, by, noon},
		CloseControl{further, yes, by, noon},
		RequestCorrection{[]string{"email"}, by, noon},
		confirmBy(by),
		RequestIssuance{"T-1", "4e7", []byte{0x30}, by, "ahvaz", noon},
		AttemptIssuance{Serial: "a1", Handler: "handler-1", At: noon},
		FailIssuance{"key-weak", false, noon},
		NoteIssued{"a1", "f1", noon},
		PersonaliseToken{"T-1", "f1", by, noon},
		PrintSheet{by, noon},
		Deliver{IdentityChecked: NationalCard, By: by, At: noon},
		Accept{By: sara, At: noon},
		NoteRevoked{[]string{"", "a1", "b2", "a1"}[n], noon},
		Reject{NotEntitled, by, noon},
	}).Draw(t, "command")
}

// forward is what a helpful person would do next.
func forward(s Enrollment, by event.Subject) event.Command[Enrollment] {
	switch s.Status {
	case StatusNone:
		return open(by)
	case StatusDraft, StatusNeedsCorrection:
		return Complete{Person: sara, Form: personal(), By: by, Entry: ByApplicant, At: noon}
	case StatusAtOffice:
		if by == omid {
			return RequireControl{ControlTelephone, by, noon}
		}
		return control(s, by)
	case StatusCompleted, StatusUnderControl:
		return control(s, by)
	case StatusReady:
		return Submit{"ahvaz", noon}
	case StatusControlled:
		if by == omid && s.Form.Version == 1 {
			return RequestCorrection{[]string{"email"}, by, noon}
		}
		return confirmBy(by)
	case StatusConfirmed:
		return RequestIssuance{"T-1", "4e7", []byte{0x30}, by, "ahvaz", noon}
	case StatusAtCA:
		return NoteIssued{"a1", "f1", noon}
	}
	return handOver(s, by)
}

// open is at home for the applicant, at the counter for an officer.
func open(by event.Subject) Open {
	o := Open{"140512345670", Outside, "cpmis-signature", by, "", noon}
	if by != sara {
		o.Office = "ahvaz"
	}
	return o
}

// handOver is what follows the issue, and the revocation after all of it.
func handOver(s Enrollment, by event.Subject) event.Command[Enrollment] {
	switch {
	case s.Status == StatusIssued && !s.OnToken:
		return PersonaliseToken{"T-1", "f1", by, noon}
	case s.Status == StatusIssued:
		return PrintSheet{by, noon}
	case s.Status == StatusReadyForDelivery:
		return Deliver{IdentityChecked: NationalCard, By: by, At: noon}
	case s.Status == StatusDelivered:
		return Accept{By: sara, At: noon}
	case s.Status == StatusAccepted:
		return NoteRevoked{s.Serial, noon}
	}
	return nil
}

func control(s Enrollment, by event.Subject) event.Command[Enrollment] {
	switch missing := s.Missing(); {
	case slices.Contains(FurtherControls, missing[0]):
		return CloseControl{missing[0], true, by, noon}
	case missing[0] == ControlEmail && s.Email.Sent.FormVersion == s.Form.Version && s.Email.Refused < emailTries:
		return ConfirmEmail{true, s.Email.Sent.Round, noon}
	case missing[0] == ControlEmail:
		return SendEmailCode{s.Form.Version, noon}
	case missing[0] == ControlLiability:
		return AcceptLiability{"1405-1", "70e7", by, by != sara, noon}
	case missing[0] == ControlIdentity && s.Inquiry.FormVersion == s.Form.Version:
		return AnswerIdentity{s.Inquiry.Inquiry, true, "registry-1", by, noon}
	case missing[0] == ControlFee:
		return SettleFee{paid.Order, paid.Revision, paid.AmountRial, noon}
	}
	look := VerifyDocuments{s.Required(), letter, inquiryOf(s.Form.Version), by, noon}
	if by == nima { // only asks the registry
		look.Sighted = nil
	}
	return look
}

// judge looks at the last event only: earlier ones were judged before.
func judge(history []event.Event) error {
	last := len(history) - 1
	if count[Revoked](history[:last]) > 0 {
		return fmt.Errorf("%T after the revocation", history[last])
	}
	switch e := history[last].(type) {
	case Revoked:
		if !slices.Contains(history[:last], event.Event(Issued{e.Serial, "f1", noon})) {
			return fmt.Errorf("revoked without a certificate %q", e.Serial)
		}
	case InformationConfirmed:
		return judgeConfirmation(history[:last], e.By)
	case Issued:
		for i := last; i >= 0; i-- {
			switch history[i].(type) {
			case InformationConfirmed:
				return nil
			case FormCompleted, DocumentSighted, IdentityInquired, IdentityAnswered, FeeSettled, CorrectionRequested,
				ControlRequired, ControlClosed:
				return fmt.Errorf("issued on a record that changed since it was confirmed: %T", history[i])
			}
		}
		return fmt.Errorf("issued without a confirmation")
	}
	return nil
}

// proofs is what a history shows about its last form.
type proofs struct {
	form  FormCompleted
	shown []string
	asked []Control       // further controls that were ever required
	open  []Control       // those of them that were not passed since the last form
	hands []event.Subject // who ever had a part in it, before the confirmation
}

func judgeConfirmation(history []event.Event, by event.Subject) error {
	p := proofs{}
	for _, e := range history {
		p = p.take(e)
	}
	if by == p.form.Person || slices.Contains(p.hands, by) {
		return fmt.Errorf("confirmed by %s, who had a part in it", by)
	}
	if len(p.open) > 0 {
		return fmt.Errorf("confirmed while %v is open", p.open)
	}
	for _, need := range p.needs() {
		if !slices.Contains(p.shown, need) {
			return fmt.Errorf("confirmed without %s", need)
		}
	}
	return nil
}

func (p proofs) take(e event.Event) proofs {
	p.hands = append(p.hands, hand(e))
	switch e := e.(type) {
	case FormCompleted:
		p.form, p.open = e, slices.Clone(p.asked)
		p.shown = slices.DeleteFunc(p.shown, func(s string) bool {
			return s != "fee" && (s != "email" || e.EmailChanged) // all else was shown about another form
		})
	case EmailConfirmed:
		p.shown = append(p.shown, "email")
	case LiabilityAccepted:
		p.shown = append(p.shown, "liability")
	case DocumentSighted:
		p.shown = append(p.shown, string(e.Document))
	case IdentityAnswered:
		if e.Matched && e.TrackingCode != "" && e.FormVersion == p.form.Version {
			p.shown = append(p.shown, "identity")
		}
	case FeeSettled:
		p.shown = append(p.shown, "fee")
	case ControlRequired:
		p.asked, p.open = append(p.asked, e.Control), append(p.open, e.Control)
	case ControlClosed:
		p.open = slices.DeleteFunc(p.open, func(c Control) bool { return c == e.Control })
		if !e.Passed {
			p.open = append(p.open, e.Control)
		}
	}
	return p
}

// hand is whose eyes are the first two, or nobody's.
func hand(e event.Event) event.Subject {
	switch e := e.(type) {
	case Opened:
		if e.Office != "" {
			return e.OpenedBy
		}
	case FormCompleted:
		return e.EnteredBy
	case LiabilityAccepted:
		if e.AtCounter {
			return e.By
		}
	case DocumentSighted:
		return e.By
	case IdentityInquired:
		return e.By
	case IdentityAnswered:
		return e.AskedBy
	case ControlRequired:
		return e.By
	case ControlClosed:
		return e.By
	}
	return ""
}

func (p proofs) needs() []string {
	needs := []string{"email", "liability", "identity", "fee", "legal-person-card", "introduction-letter"}
	switch {
	case p.form.Foreign:
		return append(needs, "passport")
	case slices.Contains(p.shown, "passport"):
		return append(needs, "national-card")
	}
	return append(needs, "national-card", "birth-certificate")
}

func count[T any](history []event.Event) (n int) {
	for _, e := range history {
		if _, ok := e.(T); ok {
			n++
		}
	}
	return n
}

func names(history []event.Event) []string {
	var all []string
	for _, e := range history {
		all = append(all, fmt.Sprintf("%T", e))
	}
	return all
}
