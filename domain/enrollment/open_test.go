package enrollment

import (
	"testing"

	"govahi/domain/event/spec"
)

func TestOpenGivesATrackingCode(t *testing.T) {
	open := Open{"140512345670", Outside, "cpmis-signature", sara, "", noon}
	spec.Given(t, Kind).When(open).Then(begun)
}

func TestAnOfficerOpensForAVisitor(t *testing.T) {
	open := Open{"140512345670", Outside, "cpmis-signature", parisa, "ahvaz", noon}
	spec.Given(t, Kind).When(open).Then(openedAtCounter(parisa))
}

func TestACodeBelongsToOneRequest(t *testing.T) {
	open := Open{"140512345670", Outside, "cpmis-signature", nima, "", noon}
	for _, status := range Statuses {
		spec.Given(t, Kind, past(status)...).When(open).ThenFault(ErrCodeTaken)
	}
}

func TestThereAreTwoChannels(t *testing.T) {
	for _, channel := range []Channel{"", "elsewhere"} {
		spec.Given(t, Kind).When(Open{"140512345670", channel, "cpmis-signature", sara, "", noon}).ThenFault(ErrChannel)
	}
}

func TestWithdrawEndsARequestBeforeTheCAHasIt(t *testing.T) {
	spec.Given(t, Kind, past(StatusConfirmed)...).When(Withdraw{sara, later}).Then(Withdrawn{sara, later})
	spec.Given(t, Kind, past(StatusAtCA)...).When(Withdraw{sara, later}).ThenFault(wrongState)
}

func TestOnlyFourStatesAreOver(t *testing.T) {
	for _, status := range Statuses {
		want := status == StatusAccepted || status == StatusRejected || status == StatusWithdrawn || status == StatusRevoked
		if status.Over() != want {
			t.Errorf("%s: over is %t", status, status.Over())
		}
	}
}
