package commands_test

import (
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/inquiry"
)

// inquired is a request whose identity inquiry is due and was not put yet.
func inquired(t *testing.T) (*request, event.Stream) {
	t.Helper()
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	r.registry.err = errCut
	r.did(r.VerifyDocuments(t.Context(), r.by(officer), r.code, originals))
	r.settle()
	s := inquiry.Kind.Stream(r.code + "-1")
	if got := r.names(s); got != "requested deferred" {
		t.Fatalf("the inquiry's story is %q", got)
	}
	return r, s
}

func (r *request) askRegistry() {
	r.t.Helper()
	if err := r.AskRegistry(r.t.Context(), commands.Caller{Policy: "inquire"}, r.code+"-1"); err != nil {
		r.t.Fatal(err)
	}
}

func (r *request) inquiry() inquiry.Inquiry {
	return state(r.house, inquiry.Kind, inquiry.Kind.Stream(r.code+"-1"))
}

func TestARegistryThatIsDownIsAskedAgainLaterAndLater(t *testing.T) {
	r, s := inquired(t)
	var last time.Duration
	for range 4 {
		asked := len(r.registry.asked)
		r.askRegistry() // too early
		if len(r.registry.asked) != asked {
			t.Fatal("the registry was asked before its time")
		}
		due := r.inquiry().DueAt
		pause := due.Sub(r.clock.Now())
		if pause <= last {
			t.Errorf("after a pause of %v one of %v", last, pause)
		}
		last = pause
		r.clock.pass(pause)
		r.askRegistry()
		if len(r.registry.asked) != asked+1 {
			t.Fatal("the registry was not asked when it was time")
		}
	}
	r.settle()
	if id := r.now().Identity; id.Inquiry != "" || r.now().Status != enrollment.StatusUnderControl {
		t.Errorf("out of reach counts as an answer: %+v", id)
	}
	r.registry.err = nil
	r.clock.pass(time.Hour)
	r.askRegistry()
	r.settle()
	if id := r.now().Identity; !id.Matched || id.TrackingCode != "REG-"+r.code+"-1" {
		t.Errorf("the answer is %+v", id)
	}
	before := r.head()
	r.askRegistry()
	if r.head() != before {
		t.Errorf("asked after the answer: %s", r.names(s))
	}
}

func TestWhatTheRegistrySaysIsRecorded(t *testing.T) {
	for name, c := range map[string]struct {
		answer commands.RegistryAnswer
		story  string
		status inquiry.Status
	}{
		"matched":                {commands.RegistryAnswer{Matched: true, TrackingCode: "A1"}, "answered", inquiry.StatusAnswered},
		"mismatch":               {commands.RegistryAnswer{Differs: []string{"birthDate"}, TrackingCode: "A1"}, "answered", inquiry.StatusAnswered},
		"inconclusive":           {commands.RegistryAnswer{Inconclusive: "review"}, "inconclusive", inquiry.StatusInconclusive},
		"out of hours":           {commands.RegistryAnswer{Deferred: inquiry.OutOfHours}, "deferred", inquiry.Due},
		"matched, no code":       {commands.RegistryAnswer{Matched: true}, "deferred", inquiry.Due},
		"matched, an empty code": {commands.RegistryAnswer{Matched: true, TrackingCode: " \t"}, "deferred", inquiry.Due},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := inquired(t)
			r.registry.err, r.registry.answer = nil, &c.answer
			r.clock.pass(time.Hour)
			r.askRegistry()
			r.settle()
			if got := r.names(s); got != "requested deferred "+c.story || r.inquiry().Status != c.status {
				t.Errorf("the story is %q, the inquiry %s", got, r.inquiry().Status)
			}
			id := r.now().Identity
			if answered := id.Inquiry != ""; answered != (c.status == inquiry.StatusAnswered) || id.Matched != (answered && c.answer.Matched) {
				t.Errorf("the record says %+v", id)
			}
		})
	}
}

func TestTheRegistryIsAskedNoMoreThanItNeeds(t *testing.T) {
	r, _ := inquired(t)
	want := commands.RegistryQuestion{PersonCode: applicant, BirthDate: "1360/01/01", GivenName: "متقاضی", Surname: "نمونه‌پور"}
	if got := r.registry.asked[0]; got != want {
		t.Errorf("asked %+v", got)
	}
	q := r.inquiry().Request
	if q.Purpose == "" || q.LegalBasis == "" || q.By != subject(officer) || q.Subject != subject(applicant) {
		t.Errorf("recorded %+v", q)
	}
}

func TestTheAnswerToAnOlderFormCountsForNothing(t *testing.T) {
	r, _ := inquired(t)
	r.did(r.RequestCorrection(t.Context(), r.by(officer), r.code, []string{"birthDate"}))
	r.did(r.CompleteForm(t.Context(), r.by(applicant), r.code, formOf(applicant)))
	r.registry.err = nil
	r.clock.pass(time.Hour)
	r.askRegistry()
	r.settle()
	if id := r.now().Identity; id.Inquiry != "" {
		t.Errorf("the second form is answered by %+v", id)
	}
}

func TestARepetitionNeedsAnInquiry(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	r.refused(inquiry.ErrNotAsked, func() error {
		_, err := r.RepeatInquiry(t.Context(), r.by(officer), r.code)
		return err
	})
	r.inconclusive()
	if got := r.inquiry().Status; got != inquiry.StatusInconclusive {
		t.Fatalf("the inquiry is %s", got)
	}
	r.did(r.RepeatInquiry(t.Context(), r.by(second), r.code))
	if got := r.inquiry(); got.Status != inquiry.Due || got.Request.By != subject(second) {
		t.Errorf("the inquiry is %+v", got)
	}
}

// TestTheRegistryIsNotAskedAboutAnErasedPerson: nor is the to-do list of the
// others blocked by what can never be done.
func TestTheRegistryIsNotAskedAboutAnErasedPerson(t *testing.T) {
	r, _ := inquired(t)
	r.keeper.Forget(subject(applicant))
	r.registry.err = nil
	r.clock.pass(time.Hour)
	asked := len(r.registry.asked)
	r.askRegistry()
	if r.inquiry().Status == inquiry.Due || len(r.registry.asked) != asked {
		t.Errorf("the inquiry is still %s", r.inquiry().Status)
	}
}
