package enrollment

import (
	"testing"
	"time"

	"govahi/domain/event/spec"
)

func TestTheCertificateIsReadBackFromTheReservedToken(t *testing.T) {
	write := PersonaliseToken{"T-1", "f1", nima, noon}
	spec.Given(t, Kind, past(StatusIssued)...).When(write).Then(onToken)
	spec.Given(t, Kind, and(past(StatusIssued), onToken)...).When(write).ThenNothing()
}

func TestAnotherTokenOrCertificateIsRefused(t *testing.T) {
	spec.Given(t, Kind, past(StatusIssued)...).When(PersonaliseToken{"T-2", "f1", nima, noon}).ThenFault(ErrOtherToken)
	spec.Given(t, Kind, past(StatusIssued)...).When(PersonaliseToken{"T-1", "f2", nima, noon}).ThenFault(ErrFingerprint)
}

func TestSheetsAreNumbered(t *testing.T) {
	print := PrintSheet{nima, noon}
	spec.Given(t, Kind, past(StatusIssued)...).When(print).Then(printed)
	spec.Given(t, Kind, and(past(StatusIssued), printed)...).When(print).Then(SheetPrinted{2, nima, noon})
	spec.Given(t, Kind, past(StatusAccepted)...).When(print).Then(SheetPrinted{2, nima, noon})
}

func TestDeliveryWaitsForTokenAndSheet(t *testing.T) {
	deliver := Deliver{IdentityChecked: NationalCard, By: omid, At: noon}
	spec.Given(t, Kind, and(past(StatusIssued), onToken)...).When(deliver).ThenFault(wrongState)
	spec.Given(t, Kind, and(past(StatusIssued), printed)...).When(deliver).ThenFault(wrongState)
	spec.Given(t, Kind, and(past(StatusIssued), onToken, printed)...).When(deliver).Then(delivered)
	spec.Given(t, Kind, and(past(StatusIssued), printed, onToken)...).When(deliver).Then(delivered)
}

func TestTheReceiverShowsAnIdentityDocument(t *testing.T) {
	for _, d := range []Document{NationalCard, Passport, BirthCertificate} {
		spec.Given(t, Kind, past(StatusReadyForDelivery)...).When(Deliver{IdentityChecked: d, By: omid, At: noon}).Then(Delivered{d, nil, omid, noon})
	}
	for _, d := range []Document{LegalPersonCard, IntroductionLetter, ""} {
		spec.Given(t, Kind, past(StatusReadyForDelivery)...).When(Deliver{IdentityChecked: d, By: omid, At: noon}).ThenFault(ErrIdentityDocument)
	}
}

// TestADeliveryIsSaidOnce: a repetition changes neither who received the token nor
// by what he was known.
func TestADeliveryIsSaidOnce(t *testing.T) {
	zahra, ali := &Attorney{Name: "زهرا", Power: "1"}, &Attorney{Name: "علی", Power: "2"}
	again := func(by Document, attorney, received *Attorney) Deliver {
		return Deliver{IdentityChecked: by, Attorney: attorney, Received: received, By: nima, At: noon}
	}
	spec.Given(t, Kind, past(StatusDelivered)...).When(again(NationalCard, nil, nil)).ThenNothing()
	spec.Given(t, Kind, past(StatusDelivered)...).When(again(NationalCard, zahra, new(*zahra))).ThenNothing()
	spec.Given(t, Kind, past(StatusDelivered)...).When(again(Passport, nil, nil)).ThenFault(ErrDelivered)
	spec.Given(t, Kind, past(StatusDelivered)...).When(again(NationalCard, zahra, nil)).ThenFault(ErrDelivered)
	spec.Given(t, Kind, past(StatusDelivered)...).When(again(NationalCard, nil, zahra)).ThenFault(ErrDelivered)
	spec.Given(t, Kind, past(StatusDelivered)...).When(again(NationalCard, ali, zahra)).ThenFault(ErrDelivered)
}

func TestNobodyDeliversToHimself(t *testing.T) {
	spec.Given(t, Kind, past(StatusReadyForDelivery)...).When(Deliver{IdentityChecked: NationalCard, By: sara, At: noon}).ThenFault(ErrOwnRequest)
}

func TestOnlyTheApplicantAccepts(t *testing.T) {
	spec.Given(t, Kind, past(StatusDelivered)...).When(Accept{By: sara, At: noon}).Then(accepted)
	spec.Given(t, Kind, past(StatusDelivered)...).When(Accept{By: omid, At: noon}).ThenFault(ErrNotYours)
	spec.Given(t, Kind, past(StatusReadyForDelivery)...).When(Accept{By: sara, At: noon}).ThenFault(wrongState)
}

func TestAcceptanceHasItsTime(t *testing.T) {
	in := func(after time.Duration) Accept { return Accept{false, sara, time.Hour, noon.Add(after)} }
	atTheEnd := Accepted{sara, noon.Add(time.Hour)}
	spec.Given(t, Kind, past(StatusDelivered)...).When(in(time.Hour)).Then(atTheEnd)
	spec.Given(t, Kind, past(StatusDelivered)...).When(in(time.Hour + 1)).ThenFault(ErrAcceptanceLate)
	spec.Given(t, Kind, past(StatusAccepted)...).When(in(time.Hour + 1)).ThenNothing()
}

func TestAnotherSheetLeavesTheStateAsItIs(t *testing.T) {
	for _, status := range from(StatusReadyForDelivery, StatusAccepted) {
		if s := fold(and(past(status), SheetPrinted{2, nima, noon})...); s.Status != status || s.Copies != 2 {
			t.Errorf("%s: %s after copy %d", status, s.Status, s.Copies)
		}
	}
}
