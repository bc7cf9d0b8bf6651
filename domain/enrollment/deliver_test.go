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
	deliver := Deliver{NationalCard, nil, omid, noon}
	spec.Given(t, Kind, and(past(StatusIssued), onToken)...).When(deliver).ThenFault(wrongState)
	spec.Given(t, Kind, and(past(StatusIssued), printed)...).When(deliver).ThenFault(wrongState)
	spec.Given(t, Kind, and(past(StatusIssued), onToken, printed)...).When(deliver).Then(delivered)
	spec.Given(t, Kind, and(past(StatusIssued), printed, onToken)...).When(deliver).Then(delivered)
}

func TestTheReceiverShowsAnIdentityDocument(t *testing.T) {
	for _, d := range []Document{NationalCard, Passport, BirthCertificate} {
		spec.Given(t, Kind, past(StatusReadyForDelivery)...).When(Deliver{d, nil, omid, noon}).Then(Delivered{d, nil, omid, noon})
	}
	for _, d := range []Document{LegalPersonCard, IntroductionLetter, ""} {
		spec.Given(t, Kind, past(StatusReadyForDelivery)...).When(Deliver{d, nil, omid, noon}).ThenFault(ErrIdentityDocument)
	}
}

func TestNobodyDeliversToHimself(t *testing.T) {
	spec.Given(t, Kind, past(StatusReadyForDelivery)...).When(Deliver{NationalCard, nil, sara, noon}).ThenFault(ErrOwnRequest)
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
