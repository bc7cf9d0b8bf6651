package enrollment

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/fault"
)

var inTime = noon.Add(10 * time.Minute) // the very end of a code's life

// wrong is n wrong codes of a round.
func wrong(round, n int) []event.Event {
	var refused []event.Event
	for range n {
		refused = append(refused, EmailCodeRefused{round, noon})
	}
	return refused
}

func TestAnEmailCodeIsSentInRounds(t *testing.T) {
	spec.Given(t, Kind, past(StatusCompleted)...).When(SendEmailCode{1, noon}).Then(codeSent(1, 1))
	next := EmailCodeSent{1, 2, noon.Add(11 * time.Minute)}
	spec.Given(t, Kind, and(past(StatusCompleted), codeSent(1, 1))...).When(SendEmailCode{At: noon.Add(time.Minute)}).Then(next)
}

func TestTheNextCodeWaitsAMinute(t *testing.T) {
	sent := and(past(StatusCompleted), codeSent(1, 1))
	soon := noon.Add(59 * time.Second)
	spec.Given(t, Kind, sent...).When(SendEmailCode{At: soon}).ThenFault(ErrEmailPause)
	spec.Given(t, Kind, and(sent, wrong(1, 5)...)...).When(SendEmailCode{At: soon}).ThenFault(ErrEmailPause)
	if _, err := (SendEmailCode{At: soon}).Decide(fold(sent...)); err.(*fault.Fault).Wait != time.Second {
		t.Errorf("told to wait %v", err.(*fault.Fault).Wait)
	}
	back := noon.Add(-time.Hour)
	spec.Given(t, Kind, sent...).When(SendEmailCode{At: back}).Then(EmailCodeSent{1, 2, back.Add(10 * time.Minute)})
	spec.Given(t, Kind, and(sent, withNewEmail(form(2)))...).When(SendEmailCode{At: soon}).Then(EmailCodeSent{2, 2, soon.Add(10 * time.Minute)})
}

func TestNoCodeIsSentForAnOlderForm(t *testing.T) {
	spec.Given(t, Kind, and(past(StatusCompleted), form(2))...).When(SendEmailCode{1, noon}).ThenNothing()
}

func TestNoCodeIsSentToAProvedAddress(t *testing.T) {
	spec.Given(t, Kind, past(StatusReady)...).When(SendEmailCode{At: noon}).ThenNothing()
}

func TestTheRightCodeProvesTheAddress(t *testing.T) {
	sent := and(past(StatusCompleted), codeSent(1, 1))
	spec.Given(t, Kind, sent...).When(ConfirmEmail{true, 1, inTime}).Then(EmailConfirmed{1, inTime})
	spec.Given(t, Kind, and(sent, EmailConfirmed{1, noon})...).When(ConfirmEmail{true, 1, noon}).ThenNothing()
	spec.Given(t, Kind, and(sent, EmailConfirmed{1, noon})...).When(ConfirmEmail{false, 1, noon}).ThenNothing()
}

func TestAWrongCodeIsAFact(t *testing.T) {
	sent := and(past(StatusCompleted), codeSent(1, 1))
	spec.Given(t, Kind, sent...).When(ConfirmEmail{false, 1, noon}).Then(EmailCodeRefused{1, noon})
}

func TestFiveWrongCodesEndARound(t *testing.T) {
	sent := and(past(StatusCompleted), codeSent(1, 1))
	spec.Given(t, Kind, and(sent, wrong(1, 4)...)...).When(ConfirmEmail{true, 1, noon}).Then(EmailConfirmed{1, noon})
	exhausted := and(sent, wrong(1, 5)...)
	spec.Given(t, Kind, exhausted...).When(ConfirmEmail{true, 1, noon}).ThenFault(ErrNoEmailCode)
	spec.Given(t, Kind, exhausted...).When(ConfirmEmail{false, 1, noon}).ThenFault(ErrNoEmailCode)
	spec.Given(t, Kind, and(exhausted, codeSent(1, 2))...).When(ConfirmEmail{true, 2, noon}).Then(EmailConfirmed{1, noon})
}

func TestACodeThatDoesNotCount(t *testing.T) {
	sent := and(past(StatusCompleted), codeSent(1, 1))
	for name, c := range map[string]struct {
		past []event.Event
		ask  ConfirmEmail
	}{
		"never sent":         {past(StatusCompleted), ConfirmEmail{true, 0, noon}},
		"of an older round":  {and(sent, codeSent(1, 2)), ConfirmEmail{true, 1, noon}},
		"of another address": {and(sent, moved(2)), ConfirmEmail{true, 1, noon}},
		"too late":           {sent, ConfirmEmail{true, 1, inTime.Add(time.Nanosecond)}},
	} {
		t.Run(name, func(t *testing.T) { spec.Given(t, Kind, c.past...).When(c.ask).ThenFault(ErrNoEmailCode) })
	}
}

// moved is a form with another address.
func moved(version int) FormCompleted {
	f := form(version)
	f.EmailChanged = true
	return f
}

// TestACodeOutlivesAFormOfTheSameAddress: saving the form again sends no second
// code while one is on its way.
func TestACodeOutlivesAFormOfTheSameAddress(t *testing.T) {
	saved := and(past(StatusCompleted), codeSent(1, 1), form(2))
	spec.Given(t, Kind, saved...).When(ConfirmEmail{true, 1, noon}).Then(EmailConfirmed{2, noon})
	spec.Given(t, Kind, saved...).When(SendEmailCode{FormVersion: 2, At: noon}).ThenNothing()
	spec.Given(t, Kind, saved...).When(SendEmailCode{FormVersion: 2, At: inTime.Add(time.Nanosecond)}).
		Then(EmailCodeSent{2, 2, inTime.Add(time.Nanosecond).Add(emailCodeLife)})
	elsewhere := and(past(StatusCompleted), codeSent(1, 1), moved(2))
	spec.Given(t, Kind, elsewhere...).When(SendEmailCode{FormVersion: 2, At: noon}).Then(EmailCodeSent{2, 2, noon.Add(emailCodeLife)})
}

// TestACodeStaysWithItsAddress, however often the form is saved after the
// address changed, and whether another code was made for it or not.
func TestACodeStaysWithItsAddress(t *testing.T) {
	saved := and(past(StatusCompleted), codeSent(1, 1), moved(2), form(3))
	spec.Given(t, Kind, saved...).When(ConfirmEmail{true, 1, noon}).ThenFault(ErrNoEmailCode)
	spec.Given(t, Kind, saved...).When(SendEmailCode{FormVersion: 3, At: noon}).Then(EmailCodeSent{3, 2, noon.Add(emailCodeLife)})
	spec.Given(t, Kind, saved...).When(SendEmailCode{At: noon}).Then(EmailCodeSent{3, 2, noon.Add(emailCodeLife)})
	back := and(past(StatusCompleted), codeSent(1, 1), moved(2), moved(3)) // nobody knows that it is the first address again
	spec.Given(t, Kind, back...).When(ConfirmEmail{true, 1, noon}).ThenFault(ErrNoEmailCode)
}

func TestACodeAfterTheEndIsRefused(t *testing.T) {
	gone := and(past(StatusCompleted), codeSent(1, 1), withdrawn)
	spec.Given(t, Kind, gone...).When(ConfirmEmail{true, 1, noon}).ThenFault(wrongState)
}

func TestLiabilityIsAcceptedOnceForEachForm(t *testing.T) {
	accept := AcceptLiability{"1405-1", "70e7", sara, false, noon}
	spec.Given(t, Kind, past(StatusCompleted)...).When(accept).Then(liable(1))
	spec.Given(t, Kind, and(past(StatusCompleted), liable(1))...).When(accept).ThenNothing()
	spec.Given(t, Kind, and(past(StatusCompleted), liable(1), form(2))...).When(accept).Then(liable(2))
}

func TestLiabilityIsAcceptedAtTheCounter(t *testing.T) {
	accept := AcceptLiability{"1405-1", "70e7", parisa, true, noon}
	spec.Given(t, Kind, past(StatusCompleted)...).When(accept).Then(liableAtCounter(parisa))
}

func TestSubmitWaitsForBothProofs(t *testing.T) {
	submit := Submit{"ahvaz", noon}
	code := and(past(StatusCompleted), codeSent(1, 1))
	spec.Given(t, Kind, code...).When(submit).ThenFault(wrongState)
	spec.Given(t, Kind, and(code, EmailConfirmed{1, noon})...).When(submit).ThenFault(wrongState)
	spec.Given(t, Kind, and(code, liable(1))...).When(submit).ThenFault(wrongState)
	spec.Given(t, Kind, and(code, liable(1), EmailConfirmed{1, noon})...).When(submit).Then(submitted)
}
