package enrollment

import (
	"testing"

	"govahi/domain/event/spec"
)

func asking() RequestIssuance {
	return RequestIssuance{"T-1", "4e7", []byte{0x30}, nima, "ahvaz", noon}
}

func TestAConfirmedRequestGoesToTheCA(t *testing.T) {
	spec.Given(t, Kind, past(StatusConfirmed)...).When(asking()).Then(atCA)
}

func TestIssuanceNeverPrecedesTheConfirmation(t *testing.T) {
	spec.Given(t, Kind, past(StatusControlled)...).When(asking()).ThenFault(wrongState)
}

func TestNobodyAsksForHisOwnIssuance(t *testing.T) {
	own := asking()
	own.By = sara
	spec.Given(t, Kind, past(StatusConfirmed)...).When(own).ThenFault(ErrOwnRequest)
}

func TestOneKeyIsAtTheCA(t *testing.T) {
	spec.Given(t, Kind, past(StatusAtCA)...).When(asking()).ThenNothing()
	other := asking()
	other.KeyHash = "07e7"
	spec.Given(t, Kind, past(StatusAtCA)...).When(other).ThenFault(wrongState)
}

func TestOfManyHandlersOneMakesTheAttempt(t *testing.T) {
	first := AttemptIssuance{Serial: "a1", Handler: "handler-1", At: noon}
	second := AttemptIssuance{Serial: "b2", Handler: "handler-2", At: noon}
	spec.Given(t, Kind, past(StatusAtCA)...).When(first).Then(attempted)
	spec.Given(t, Kind, and(past(StatusAtCA), attempted)...).When(second).ThenFault(ErrAttemptTaken)
}

func TestTheNextAttemptNamesTheAbandonedOne(t *testing.T) {
	tried := and(past(StatusAtCA), attempted)
	next := AttemptIssuance{Serial: "b2", Previous: "a1", Handler: "handler-2", At: noon}
	spec.Given(t, Kind, tried...).When(next).Then(IssuanceAttempted{"b2", "handler-2", noon})
	next.Previous = "c3"
	spec.Given(t, Kind, tried...).When(next).ThenFault(ErrAttemptTaken)
}

func TestTheFirstCertificateCounts(t *testing.T) {
	note := NoteIssued{"a1", "f1", noon}
	spec.Given(t, Kind, and(past(StatusAtCA), attempted)...).When(note).Then(issued)
	spec.Given(t, Kind, past(StatusIssued)...).When(note).ThenNothing()
	spec.Given(t, Kind, past(StatusAccepted)...).When(note).ThenNothing()
	spec.Given(t, Kind, past(StatusIssued)...).When(NoteIssued{"b2", "f2", noon}).ThenFault(wrongState)
	spec.Given(t, Kind, past(StatusConfirmed)...).When(note).ThenFault(wrongState)
}

func TestAFailedIssuanceWaitsForAnotherKey(t *testing.T) {
	failed := IssuanceFailed{"key-weak", false, noon}
	spec.Given(t, Kind, and(past(StatusAtCA), attempted)...).When(FailIssuance{"key-weak", false, noon}).Then(failed)

	back := and(past(StatusAtCA), attempted, failed)
	spec.Given(t, Kind, back...).When(FailIssuance{"key-weak", false, noon}).ThenNothing()
	spec.Given(t, Kind, back...).When(asking()).Then(atCA) // the confirmation stands
	first := AttemptIssuance{Serial: "b2", Handler: "handler-1", At: noon}
	spec.Given(t, Kind, and(back, atCA)...).When(first).Then(IssuanceAttempted{"b2", "handler-1", noon})
}

func TestFailureAfterTheEndChangesNothing(t *testing.T) {
	spec.Given(t, Kind, past(StatusIssued)...).When(FailIssuance{"late", false, noon}).ThenNothing()
}
