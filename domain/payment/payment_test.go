package payment

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

const attempt = "0123456789abcdef0123456789abcdef"

var (
	noon       = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	until      = noon.Add(15 * time.Minute)
	next       = noon.Add(checkWithin)
	requested  = Requested{attempt, "140512345670", "enrollment-140512345670", "bank1", false, 3_500_000, until, noon.Add(5 * time.Minute), "p-omid", noon}
	redirected = Redirected{"A-1", noon}
	called     = CallbackNoted{ClaimsPaid, "77", next, noon}
	started    = VerificationStarted{next, noon}
	money      = Money{"700000000001", "42", "999999******1234", 3_500_000}
	verified   = Verified{money, "77", false, next, noon}
	settled    = BankSettled{next, noon}
	failed     = Failed{"cancelled", noon}
	reversed   = Reversed{"timeout", noon}
)

func separate() Requested {
	r := requested
	r.Separate = true
	return r
}

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"payment.requested.v1": requested, "payment.redirected.v1": redirected, "payment.callback-noted.v1": called,
		"payment.verification-started.v1": started, "payment.postponed.v1": Postponed{"unreachable", 1, next, noon},
		"payment.verified.v1": verified, "payment.bank-settled.v1": settled, "payment.done.v1": Done{noon},
		"payment.failed.v1": failed, "payment.reversed.v1": reversed, "payment.gone.v1": Gone{noon},
	})
}

func TestAnAttemptIsBegunOnce(t *testing.T) {
	spec.Given(t, Kind).When(Request{requested}).Then(requested)
	spec.Given(t, Kind, requested).When(Request{requested}).ThenNothing()
	spec.Given(t, Kind, requested).When(Redirect(redirected)).Then(redirected)
	spec.Given(t, Kind, requested, redirected).When(Redirect{"A-2", noon}).ThenNothing()
	spec.Given(t, Kind, requested, failed).When(Redirect{"A-2", noon}).ThenNothing()
}

// TestACallbackIsAHint: it changes nothing that was decided, and a flood of them
// does not fill the stream.
func TestACallbackIsAHint(t *testing.T) {
	note := NoteCallback{ClaimsPaid, "77", noon}
	spec.Given(t, Kind).When(note).ThenNothing()
	spec.Given(t, Kind, requested).When(note).ThenNothing()
	spec.Given(t, Kind, requested, redirected).When(note).Then(called)
	spec.Given(t, Kind, requested, redirected, started).When(note).Then(called)
	for _, end := range []event.Event{verified, failed, reversed, Gone{noon}} {
		spec.Given(t, Kind, requested, redirected, started, end).When(note).ThenNothing()
	}
	many := []event.Event{requested, redirected}
	for range mostCallbacks {
		many = append(many, called)
	}
	spec.Given(t, Kind, many...).When(note).ThenNothing()
	if s := fold(many...); len(s.Hints) != 1 || s.Status != StatusAway {
		t.Errorf("%d hints, %s", len(s.Hints), s.Status)
	}
}

// TestNoVerificationBeginsAfterTheEnd: the bank may have given the money back.
func TestNoVerificationBeginsAfterTheEnd(t *testing.T) {
	spec.Given(t, Kind, requested, redirected).When(StartVerification{noon}).Then(started)
	spec.Given(t, Kind, requested, redirected, started).When(StartVerification{until.Add(-1)}).ThenNothing()
	spec.Given(t, Kind, requested, redirected).When(StartVerification{until}).ThenFault(ErrTooLate)
	spec.Given(t, Kind, requested, redirected, started).When(StartVerification{until}).ThenFault(ErrTooLate)
	spec.Given(t, Kind, requested, redirected, started, failed).When(StartVerification{noon}).ThenNothing()
}

func TestTheBanksWordIsTakenOnce(t *testing.T) {
	word := NoteVerified{money, "77", noon}
	spec.Given(t, Kind, requested, redirected).When(word).ThenNothing() // nobody asked
	spec.Given(t, Kind, requested, redirected, started).When(word).Then(verified)
	spec.Given(t, Kind, requested, redirected, started, verified).When(word).ThenNothing()
	late := verified
	late.Late = true
	for _, end := range []event.Event{failed, reversed} {
		spec.Given(t, Kind, requested, redirected, started, end).When(word).Then(late)
	}
	spec.Given(t, Kind, requested, redirected, started, verified, Done{noon}).When(word).ThenNothing()
}

func TestASeparateSettlementComesFirst(t *testing.T) {
	spec.Given(t, Kind, requested, redirected, started, verified).When(Finish{noon}).Then(Done{noon})
	spec.Given(t, Kind, separate(), redirected, started, verified).When(Finish{noon}).ThenNothing()
	spec.Given(t, Kind, separate(), redirected, started, verified).When(NoteBankSettled{noon}).Then(settled)
	spec.Given(t, Kind, separate(), redirected, started, verified, settled).When(NoteBankSettled{noon}).ThenNothing()
	spec.Given(t, Kind, separate(), redirected, started, verified, settled).When(Finish{noon}).Then(Done{noon})
	spec.Given(t, Kind, separate(), redirected, started, verified, settled, Done{noon}).When(Finish{noon}).ThenNothing()
}

func TestAnAttemptEnds(t *testing.T) {
	for _, before := range [][]event.Event{{requested}, {requested, redirected}, {requested, redirected, started}} {
		spec.Given(t, Kind, before...).When(Fail(failed)).Then(failed)
	}
	spec.Given(t, Kind, requested, redirected, started, verified).When(Fail(failed)).ThenNothing()
	for _, before := range [][]event.Event{{requested, redirected}, {requested, redirected, started}, {requested, redirected, started, verified}} {
		spec.Given(t, Kind, before...).When(NoteReversed(reversed)).Then(reversed)
	}
	spec.Given(t, Kind, separate(), redirected, started, verified, settled).When(NoteReversed(reversed)).ThenNothing()
	spec.Given(t, Kind, requested, redirected).When(Lapse{until}).Then(Gone{until})
	spec.Given(t, Kind, requested, redirected).When(Lapse{until.Add(-1)}).ThenNothing()
	spec.Given(t, Kind, requested, redirected, started).When(Lapse{until}).ThenNothing() // the bank is to say first
}

func TestLooksGrowFurtherApart(t *testing.T) {
	s := fold(requested, redirected)
	for n := range len(pauses) + 2 {
		events, err := Postpone{"pending", noon}.Decide(s)
		if err != nil {
			t.Fatal(err)
		}
		if p := events[0].(Postponed); p.Look != n+1 || !p.DueAt.Equal(noon.Add(pauses[min(n, len(pauses)-1)])) {
			t.Errorf("look %d: %+v", n, p)
		}
		s = Evolve(s, events[0])
	}
	if s = Evolve(s, started); s.Looks != 0 {
		t.Error("progress does not begin anew")
	}
	spec.Given(t, Kind, requested, failed).When(Postpone{"pending", noon}).ThenNothing()
}

func TestWhatIsOverIsNotDue(t *testing.T) {
	s := fold(requested, redirected)
	if s.IsDue(noon) || !s.IsDue(noon.Add(5*time.Minute)) {
		t.Error("it is not due at its time")
	}
	if Evolve(s, Gone{noon}).IsDue(until) || (Payment{}).IsDue(until) {
		t.Error("what is over, or never was, is due")
	}
}

func fold(events ...event.Event) (s Payment) {
	for _, e := range events {
		s = Evolve(s, e)
	}
	return s
}
