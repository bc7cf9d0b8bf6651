package inquiry

import (
	"strings"
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"inquiry.requested.v1":    requested,
		"inquiry.deferred.v1":     deferred(1, time.Second),
		"inquiry.inconclusive.v1": inconclusive,
		"inquiry.answered.v2":     answered(false, "surname"),
	})
}

func TestAnInquiryIsAskedOnce(t *testing.T) {
	again := Request{requested}
	spec.Given(t, Kind).When(again).Then(requested)
	spec.Given(t, Kind, requested).When(again).ThenNothing()
	spec.Given(t, Kind, requested, deferred(1, time.Second)).When(again).ThenNothing()
	spec.Given(t, Kind, requested, answered(true)).When(again).ThenNothing()
}

func TestAnInconclusiveAnswerMayBeAskedAgain(t *testing.T) {
	past := []event.Event{requested, inconclusive}
	again := requested
	again.By, again.At = "p-nima", noon.Add(time.Hour)
	repeat := Repeat{again.By, again.At}
	spec.Given(t, Kind, past...).When(repeat).Then(again)
	spec.Given(t, Kind, past...).When(Request{requested}).ThenNothing() // the policy's, once
	spec.Given(t, Kind, append(past, again)...).When(repeat).ThenNothing()
	spec.Given(t, Kind, requested, answered(false)).When(repeat).ThenNothing()
	spec.Given(t, Kind).When(repeat).ThenFault(ErrNotAsked)
	spec.Given(t, Kind, append(past, requested)...).When(Answer{Matched, nil, "registry-1", noon}).Then(answered(true))
}

func TestTheRegistrysFirstAnswerCounts(t *testing.T) {
	spec.Given(t, Kind, requested).When(Answer{Matched, nil, "registry-1", noon}).Then(answered(true))
	spec.Given(t, Kind, requested).When(Answer{Mismatch, []string{"surname"}, "registry-1", noon}).Then(answered(false, "surname"))
	spec.Given(t, Kind, requested, answered(false)).When(Answer{Matched, nil, "registry-2", noon}).ThenNothing()
}

func TestAnAnswerHasATrackingCode(t *testing.T) { // invariant 10
	spec.Given(t, Kind, requested).When(Answer{Matched, nil, "", noon}).ThenFault(ErrTrackingCode)
	spec.Given(t, Kind, requested, answered(true)).When(Answer{Matched, nil, "", noon}).ThenNothing()
}

func TestNobodyAskedNobodyAnswers(t *testing.T) {
	spec.Given(t, Kind).When(Answer{Matched, nil, "registry-1", noon}).ThenNothing()
	spec.Given(t, Kind).When(Defer{Cause: Down, At: noon}).ThenNothing()
	spec.Given(t, Kind).When(NoteInconclusive{"R-17", noon}).ThenNothing()
}

func TestARegistryOutOfReachIsAskedLaterAndLater(t *testing.T) { // invariant 11
	past := []event.Event{requested}
	for i, pause := range []time.Duration{
		time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 10 * time.Minute, 10 * time.Minute,
	} {
		next := deferred(i+1, pause)
		spec.Given(t, Kind, past...).When(Defer{Cause: Down, At: noon}).Then(next)
		past = append(past, next)
	}
	spec.Given(t, Kind, past...).When(Answer{Matched, nil, "registry-1", noon}).Then(answered(true))
}

func TestClosedHoursWaitLonger(t *testing.T) {
	for _, cause := range []Cause{Holiday, OutOfHours, Quota} {
		want := Deferred{number, cause, 1, noon.Add(30 * time.Minute), noon}
		spec.Given(t, Kind, requested).When(Defer{Cause: cause, At: noon}).Then(want)
	}
}

func TestADeferralIsDueAgain(t *testing.T) {
	s := Evolve(Evolve(Inquiry{}, requested), deferred(1, time.Second))
	if s.Status != Due || !s.DueAt.Equal(noon.Add(time.Second)) || s.Attempts != 1 {
		t.Errorf("%+v", s)
	}
}

func TestTheRegistryCannotTell(t *testing.T) {
	spec.Given(t, Kind, requested).When(NoteInconclusive{"R-17", noon}).Then(inconclusive)
	spec.Given(t, Kind, requested, inconclusive).When(NoteInconclusive{"R-17", noon}).ThenNothing()
}

func TestNothingFollowsAnEnd(t *testing.T) {
	for _, end := range []event.Event{inconclusive, answered(true)} {
		spec.Given(t, Kind, requested, end).When(Defer{Cause: Down, At: noon}).ThenNothing()
		spec.Given(t, Kind, requested, end).When(NoteInconclusive{"R-18", noon}).ThenNothing()
		spec.Given(t, Kind, requested, end).When(Answer{Mismatch, nil, "registry-2", noon}).ThenNothing()
	}
}

func TestTheAnswerSaysWhatWasFound(t *testing.T) { // domain §5.3
	for _, finding := range []Finding{Matched, Mismatch, NoRecord, Cancelled, Dead} {
		e := answered(finding == Matched)
		e.Finding = finding
		spec.Given(t, Kind, requested).When(Answer{finding, nil, "registry-1", noon}).Then(e)
	}
}

func TestARegistryThatIsClosedIsAskedWhenItOpens(t *testing.T) {
	opens := noon.Add(40 * time.Hour)
	spec.Given(t, Kind, requested).When(Defer{Holiday, opens, noon}).Then(Deferred{number, Holiday, 1, opens, noon})
	for _, never := range []time.Time{noon, noon.Add(-time.Hour), noon.Add(32 * 24 * time.Hour)} {
		want := Deferred{number, Holiday, 1, noon.Add(30 * time.Minute), noon}
		spec.Given(t, Kind, requested).When(Defer{Holiday, never, noon}).Then(want)
	}
}

func TestWhoWaitsIsToldWhyAndUntilWhen(t *testing.T) {
	opens := time.Date(2027, 4, 3, 4, 30, 0, 0, time.UTC)
	for cause, word := range map[Cause]string{Holiday: "تعطیل", OutOfHours: "ساعت کار", Quota: "سهمیه", Down: "پاسخ نمی‌دهد"} {
		s := Evolve(Evolve(Inquiry{}, requested), Deferred{number, cause, 1, opens, noon})
		w := s.Deferral()
		if w == nil || w.Cause != cause || !w.Until.Equal(opens) || !strings.Contains(w.Fa, word) ||
			!strings.Contains(w.Fa, "شنبه ۱۴ فروردین ۱۴۰۶، ساعت ۰۸:۰۰") || !strings.Contains(w.En, "2027-04-03 at 08:00") {
			t.Errorf("%s: %+v", cause, w)
		}
		for _, e := range []event.Event{answered(true), inconclusive, requested} {
			if w := Evolve(s, e).Deferral(); w != nil {
				t.Errorf("after %T still %+v", e, w)
			}
		}
	}
}
