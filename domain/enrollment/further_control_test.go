package enrollment

import (
	"slices"
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var atDesk = []Status{StatusAtOffice, StatusUnderControl, StatusControlled, StatusConfirmed}

func TestAFurtherControlIsMissingUntilItIsPassed(t *testing.T) {
	for _, control := range FurtherControls {
		t.Run(string(control), func(t *testing.T) {
			require := ControlRequired{control, omid, noon}
			yes, no := ControlClosed{control, true, omid, noon}, ControlClosed{control, false, omid, noon}
			spec.Given(t, Kind, past(StatusControlled)...).When(RequireControl(require)).Then(require)

			open := and(past(StatusControlled), require)
			blocked(t, control, open)
			spec.Given(t, Kind, open...).When(CloseControl(no)).Then(no)
			blocked(t, control, and(open, no))
			spec.Given(t, Kind, and(open, no)...).When(CloseControl(yes)).Then(yes)

			for _, over := range [][]event.Event{and(open, yes), and(open, no, yes)} {
				same(t, nil, fold(over...).Missing())
				spec.Given(t, Kind, over...).When(confirmBy(nima)).Then(confirmed)
			}
		})
	}
}

// blocked expects the one control missing, and so no confirmation.
func blocked(t *testing.T, control Control, story []event.Event) {
	t.Helper()
	s := fold(story...)
	same(t, []Control{control}, s.Missing())
	same(t, StatusUnderControl, s.Status)
	spec.Given(t, Kind, story...).When(confirmBy(nima)).ThenFault(wrongState)
}

func TestEachOpenControlIsMissing(t *testing.T) {
	story := past(StatusControlled)
	for _, control := range FurtherControls {
		story = and(story, ControlRequired{control, omid, noon})
	}
	same(t, FurtherControls, fold(story...).Missing())
	same(t, []Control{ControlTelephone, ControlOther}, fold(and(story, passed)...).Missing())
}

func TestAFurtherControlVoidsTheConfirmation(t *testing.T) {
	vetted := and(past(StatusControlled), required, passed, confirmed)
	for name, voiding := range map[string]event.Event{
		"required again": required, "another required": ControlRequired{ControlOther, omid, noon}, "found failed": failed,
	} {
		t.Run(name, func(t *testing.T) {
			s := fold(and(vetted, voiding)...)
			if s.Status != StatusUnderControl || s.Confirmation.By != "" {
				t.Errorf("%s, still confirmed by %q", s.Status, s.Confirmation.By)
			}
			spec.Given(t, Kind, and(vetted, voiding)...).When(asking()).ThenFault(wrongState)
		})
	}
	spec.Given(t, Kind, and(vetted, failed, passed)...).When(asking()).ThenFault(wrongState) // to be confirmed anew
	spec.Given(t, Kind, and(vetted, failed, passed)...).When(confirmBy(nima)).Then(confirmed)
}

func TestAnOpenControlIsNotRequiredTwice(t *testing.T) {
	open := and(past(StatusControlled), required)
	spec.Given(t, Kind, open...).When(RequireControl(required)).ThenNothing()
	spec.Given(t, Kind, and(open, failed)...).When(RequireControl(required)).ThenNothing()
	spec.Given(t, Kind, and(open, passed)...).When(RequireControl(required)).Then(required)
}

func TestAPassedControlMayStillFail(t *testing.T) {
	over := and(past(StatusControlled), required, passed)
	spec.Given(t, Kind, over...).When(CloseControl(passed)).ThenNothing()
	spec.Given(t, Kind, over...).When(CloseControl(failed)).Then(failed)
}

func TestOnlyARequiredControlIsClosed(t *testing.T) {
	for _, close := range []ControlClosed{passed, failed} {
		spec.Given(t, Kind, past(StatusControlled)...).When(CloseControl(close)).ThenFault(ErrControlNotRequired)
		other := and(past(StatusControlled), ControlRequired{ControlTelephone, omid, noon})
		spec.Given(t, Kind, other...).When(CloseControl(close)).ThenFault(ErrControlNotRequired)
	}
}

func TestOnlyFurtherControlsAreRequired(t *testing.T) {
	for _, unknown := range []Control{"", "elsewhere", ControlEmail, ControlIdentity, ControlFee, Control(NationalCard)} {
		spec.Given(t, Kind, past(StatusAtOffice)...).When(RequireControl{unknown, omid, noon}).ThenFault(ErrControl)
		spec.Given(t, Kind, past(StatusAtOffice)...).When(CloseControl{unknown, true, omid, noon}).ThenFault(ErrControl)
	}
}

func TestNobodyControlsHisOwnRequest(t *testing.T) {
	spec.Given(t, Kind, past(StatusAtOffice)...).When(RequireControl{ControlAddress, sara, noon}).ThenFault(ErrOwnRequest)
	open := and(past(StatusAtOffice), required)
	spec.Given(t, Kind, open...).When(CloseControl{ControlAddress, true, sara, noon}).ThenFault(ErrOwnRequest)
}

func TestWhoHadAPartInAControlDoesNotConfirm(t *testing.T) {
	for name, part := range map[string][]event.Event{
		"required": {ControlRequired{ControlAddress, nima, noon}, passed},
		"passed":   {required, ControlClosed{ControlAddress, true, nima, noon}},
		"failed":   {required, ControlClosed{ControlAddress, false, nima, noon}, passed},
	} {
		t.Run(name, func(t *testing.T) {
			story := and(past(StatusControlled), part...)
			spec.Given(t, Kind, story...).When(confirmBy(nima)).ThenFault(ErrFourEyes)
			by := confirmed
			by.By = parisa
			spec.Given(t, Kind, story...).When(confirmBy(parisa)).Then(by)
		})
	}
}

func TestControlsAreClosedAtTheDesk(t *testing.T) {
	spec.Given(t, Kind).When(CloseControl(passed)).ThenFault(ErrNotFound)
	for _, status := range Statuses {
		if slices.Contains(atDesk, status) {
			spec.Given(t, Kind, and(past(status), required)...).When(CloseControl(passed)).Then(passed)
			continue
		}
		spec.Given(t, Kind, past(status)...).When(CloseControl(passed)).ThenFault(wrongState)
	}
	open := and(past(StatusControlled), required)
	for _, over := range []event.Event{correction, rejected, withdrawn} {
		spec.Given(t, Kind, and(open, over)...).When(CloseControl(passed)).ThenFault(wrongState)
	}
}

func TestAStateKeepsItsControls(t *testing.T) {
	before := fold(and(past(StatusControlled), required)...)
	Evolve(before, passed)
	Evolve(before, ControlRequired{ControlOther, omid, noon})
	same(t, map[Control]bool{ControlAddress: false}, before.Controls)
	over := Evolve(before, passed)
	Evolve(over, form(2))
	same(t, map[Control]bool{ControlAddress: true}, over.Controls)
}
