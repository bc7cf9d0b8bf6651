package commands_test

import (
	"context"
	"testing"

	"govahi/commands"
	"govahi/commands/policies"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/revocation"
)

func (h *house) theCase(number string) revocation.Case {
	return state(h, revocation.Kind, revocation.Kind.Stream(number))
}

// TestOneCaseIsOpenForACertificate: whoever reports, it goes to the same case;
// after the verdict to another one.
func TestOneCaseIsOpenForACertificate(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
	serial := r.now().Serial
	c := r.by(stranger)
	first := r.did(r.ReportInaccuracy(t.Context(), c, serial, "نشانی درست نیست"))
	number := first.Stream.ID()
	for _, person := range []string{neighbour, stranger, applicant} {
		if again := r.did(r.ReportInaccuracy(t.Context(), r.by(person), serial, "سمت درست نیست")); again.Stream != first.Stream {
			t.Errorf("a second case: %s", again.Stream)
		}
	}
	r.did(r.ReportAffiliationEnded(t.Context(), r.by(officer), serial, "۱۲", "1405/08/01"))
	if got := r.theCase(number); got.Evidence != 5 || len(got.Reporters) != 4 {
		t.Errorf("the case has %d pieces by %v", got.Evidence, got.Reporters)
	}
	r.did(r.RefuteInaccuracy(t.Context(), r.by(operator), number, "درست است"))
	if again := r.did(r.ReportInaccuracy(t.Context(), c, serial, "نشانی درست نیست")); again != first {
		t.Errorf("a repetition is answered %+v, the first time %+v", again, first)
	}
	next := r.did(r.ReportInaccuracy(t.Context(), r.by(neighbour), serial, "باز هم درست نیست"))
	if next.Stream == first.Stream || r.theCase(next.Stream.ID()).Status != revocation.Open {
		t.Errorf("after the verdict it went to %s", next.Stream)
	}
}

// TestADoubtIsNeitherLostNorDoubled: the world stops before each append in turn,
// and the same question is asked again.
func TestADoubtIsNeitherLostNorDoubled(t *testing.T) {
	for _, category := range []string{"casefile", "idempotency", "revocation"} {
		for _, fed := range []bool{false, true} {
			r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
			if fed {
				r.report()
			}
			c, before := r.by(neighbour), len(r.all("revocation."))
			ask := func() (commands.Receipt, error) {
				return r.ReportInaccuracy(t.Context(), c, r.now().Serial, "درست نیست")
			}
			r.log.cutAt(category, func() {
				if _, err := ask(); err == nil {
					t.Errorf("%s: it was accepted without a log", category)
				}
			})
			if fed { // meanwhile the case is closed
				r.did(r.RefuteInaccuracy(t.Context(), r.by(operator), r.number(), "درست است"))
				before++
			}
			first := r.did(ask())
			if again := r.did(ask()); again != first {
				t.Errorf("%s: again %+v, first %+v", category, again, first)
			}
			if got := len(r.all("revocation.")); got != before+1 {
				t.Errorf("%s: %d facts came of one report", category, got-before)
			}
		}
	}
}

// TestWhoDoesNotSignInIsHeard, and what he wrote goes with the holder's key.
func TestWhoDoesNotSignInIsHeard(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
	serial := r.now().Serial
	first := r.did(r.ReportUnsigned(t.Context(), "k1", serial, "کارمند آنجا نیست"))
	if again := r.did(r.ReportUnsigned(t.Context(), "k1", serial, "کارمند آنجا نیست")); again != first {
		t.Errorf("the page sent twice: %+v, %+v", first, again)
	}
	r.did(r.ReportUnsigned(t.Context(), "k2", serial, "باز هم"))
	opened := r.theCase(first.Stream.ID())
	if opened.Opened.By != "" || opened.Opened.Statement.Subject() != subject(applicant) || opened.Evidence != 2 {
		t.Errorf("the case is %+v", opened)
	}
	r.refused(fault.New(fault.Invalid, "idempotency-key-reused", "", ""), func() error {
		_, err := r.ReportUnsigned(t.Context(), "k1", serial, "چیز دیگر")
		return err
	})
	for _, none := range []string{"67ff", "", "nonsense", r.delegated()} {
		r.refused(certificate.ErrNotIssued, func() error {
			_, err := r.ReportUnsigned(t.Context(), "k3", none, "درست نیست")
			return err
		})
	}
	review, err := r.ReviewCase(t.Context(), first.Stream.ID())
	if err != nil || len(review.Evidence) != 2 || review.Evidence[0].Statement != "کارمند آنجا نیست" {
		t.Errorf("the review is %+v, %v", review, err)
	}
	r.keeper.Forget(subject(applicant))
	review, err = r.ReviewCase(t.Context(), first.Stream.ID())
	if err != nil || len(review.Evidence) != 2 || review.Evidence[0].Statement != "" {
		t.Errorf("after the erasure the review is %+v, %v", review, err)
	}
	r.did(r.ReportUnsigned(t.Context(), "k4", serial, "پس از حذف"))
}

// TestEstablishedIsRevokedWhateverCrashes: suspended or valid, after a crash
// before any append, with whatever the finding is.
func TestEstablishedIsRevokedWhateverCrashes(t *testing.T) {
	for finding, reason := range map[revocation.Finding]certificate.Reason{
		"": certificate.PrivilegeWithdrawn, revocation.FalseInformation: certificate.PrivilegeWithdrawn,
		revocation.AffiliationLost: certificate.AffiliationChanged, revocation.HolderDead: certificate.CessationOfOperation,
	} {
		for _, suspended := range []bool{false, true} {
			for _, category := range []string{"", "certificate", "access", "enrollment"} {
				r := inUse(t)
				r.report()
				if suspended {
					r.suspend()
					r.settle()
				}
				r.did(r.EstablishInaccuracy(t.Context(), r.by(operator), r.number(), "نادرست است", finding))
				r.log.cutAt(category, r.tryToSettle)
				if suspended { // nobody saves it
					_, _ = r.LiftSuspension(t.Context(), r.by(applicant), r.now().Serial)
				}
				r.settle()
				c := r.certificate()
				if c.Status != certificate.Withdrawn || c.Reason != reason || r.access("nemune").Active || r.now().Status != enrollment.StatusRevoked {
					t.Errorf("%q, suspended %v, cut at %q: it is %s for %s", finding, suspended, category, c.Status, c.Reason)
				}
			}
		}
	}
}

// tryToSettle lets the policies react, and leaves where one fails.
func (h *house) tryToSettle() {
	for _, r := range h.after(h.read) {
		for _, p := range policies.OfRecord() {
			if err := p.Handle(context.Background(), h.App, r); err != nil {
				return
			}
		}
		h.read = r.Position
	}
}

// TestTwoDrawTheSameNumber: a case of another certificate is not fed.
func TestTwoDrawTheSameNumber(t *testing.T) {
	h := open(t)
	one, two := h.draft(applicant).upTo(enrollment.StatusIssued), h.draft(neighbour).upTo(enrollment.StatusIssued)
	h.secrets.colliding = 1
	var number event.Stream
	h.log.during(func(ctx context.Context, s event.Stream, e event.Expected, events []event.Proposed) (event.Receipt, error) {
		if s.Category() == "revocation" && number == "" {
			number = s // the other is quicker under the very number
			h.log.set(nil)
			h.did(h.ReportInaccuracy(t.Context(), h.by(stranger), two.now().Serial, "درست نیست"))
			return event.Receipt{}, event.ErrWrongExpectedRevision
		}
		return h.log.Log.Append(ctx, s, e, events...)
	}, func() {
		mine := h.did(h.ReportInaccuracy(t.Context(), h.by(stranger), one.now().Serial, "درست نیست"))
		if got := h.theCase(mine.Stream.ID()).Opened.Certificate; got != one.now().Serial {
			t.Errorf("the report is in a case about %s", got)
		}
	})
}

func TestAnUnknownFindingIsRefused(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
	r.report()
	r.refused(fault.New(fault.Invalid, "finding-unknown", "", ""), func() error {
		_, err := r.EstablishInaccuracy(t.Context(), r.by(operator), r.number(), "x", "whim")
		return err
	})
}

// TestADismissedOfficersOwnCertificatesAreDoubted, and nobody else's.
func TestADismissedOfficersOwnCertificatesAreDoubted(t *testing.T) {
	h := open(t)
	his, other := h.draft(applicant).upTo(enrollment.StatusIssued), h.draft(neighbour).upTo(enrollment.StatusIssued)
	year := noon.AddDate(1, 0, 0)
	h.appoint(applicant, appointment.RegistrationOfficer, "office-2", year)
	h.appoint(neighbour, appointment.Auditor, "", year)
	for person, post := range map[string]commands.Dismiss{
		applicant: {Role: appointment.RegistrationOfficer, Place: "office-2"}, neighbour: {Role: appointment.Auditor},
	} {
		post.PersonCode = person
		h.did(h.Dismiss(t.Context(), h.by(admin), post))
	}
	h.settle()
	opened := his.cases()
	if len(opened) != 1 || len(other.cases()) != 0 {
		t.Fatalf("%d cases, %d of another", len(opened), len(other.cases()))
	}
	if c := h.theCase(opened[0].Stream.ID()).Opened; c.Certificate != his.now().Serial || c.Source != revocation.Unaffiliated {
		t.Errorf("the case is %+v", c)
	}
}
