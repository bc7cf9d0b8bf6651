package enrollment

import (
	"fmt"
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestOriginalsAreSightedAndTheRegistryIsAsked(t *testing.T) {
	look := VerifyDocuments{[]Document{BirthCertificate, IntroductionLetter}, letter, inquiryOf(1), omid, noon}
	spec.Given(t, Kind, past(StatusAtOffice)...).When(look).Then(
		sighted(BirthCertificate, omid), sighted(IntroductionLetter, omid), inquired(1, omid))
}

func TestWhatWasSightedIsNotSightedAgain(t *testing.T) {
	look := VerifyDocuments{[]Document{NationalCard, LegalPersonCard, LegalPersonCard}, nil, inquiryOf(1), nima, noon}
	seen := past(StatusUnderControl) // the national card, by omid
	spec.Given(t, Kind, seen...).When(look).Then(sighted(LegalPersonCard, nima))
	spec.Given(t, Kind, and(seen, sighted(LegalPersonCard, nima))...).When(look).ThenNothing()
}

func TestALetterHasNumberAndDate(t *testing.T) {
	look := VerifyDocuments{[]Document{NationalCard, IntroductionLetter}, nil, inquiryOf(1), omid, noon}
	spec.Given(t, Kind, past(StatusAtOffice)...).When(look).ThenFault(ErrLetterMissing.At("letter"))
}

func TestALetterRecordedWronglyIsPutRight(t *testing.T) {
	for _, right := range []Letter{{"1405/78", letter.Date}, {letter.Number, "1405/08/21"}} {
		look := VerifyDocuments{[]Document{NationalCard, IntroductionLetter}, &right, inquiryOf(1), nima, noon}
		mended := sighted(IntroductionLetter, nima)
		mended.Letter = &right
		spec.Given(t, Kind, past(StatusConfirmed)...).When(look).Then(mended)
		after := and(past(StatusConfirmed), mended)
		same(t, right, *fold(after...).Sighted[IntroductionLetter].Letter)
		spec.Given(t, Kind, after...).When(look).ThenNothing()
		spec.Given(t, Kind, after...).When(asking()).ThenFault(wrongState) // to be confirmed anew
		spec.Given(t, Kind, after...).When(confirmBy(nima)).ThenFault(ErrFourEyes)
	}
	unchanged := VerifyDocuments{[]Document{IntroductionLetter}, letter, inquiryOf(1), nima, noon}
	spec.Given(t, Kind, past(StatusConfirmed)...).When(unchanged).ThenNothing()
}

func TestOnlyTheLetterCarriesLetterDetails(t *testing.T) {
	look := VerifyDocuments{[]Document{NationalCard}, letter, inquiryOf(1), omid, noon}
	spec.Given(t, Kind, past(StatusAtOffice)...).When(look).Then(sighted(NationalCard, omid), inquired(1, omid))
}

func TestNobodyLooksAtHisOwnDocuments(t *testing.T) {
	look := VerifyDocuments{[]Document{NationalCard}, nil, inquiryOf(1), sara, noon}
	spec.Given(t, Kind, past(StatusAtOffice)...).When(look).ThenFault(ErrOwnRequest)
}

func TestRequiredOriginals(t *testing.T) {
	iranian := []Document{BirthCertificate, NationalCard, LegalPersonCard, IntroductionLetter}
	same(t, iranian, fold(past(StatusAtOffice)...).Required())
	foreigner := []Document{Passport, LegalPersonCard, IntroductionLetter}
	same(t, foreigner, fold(begun, foreignForm(1)).Required())
}

func TestEachControlIsNeeded(t *testing.T) {
	all := []Control{
		Control(BirthCertificate), Control(NationalCard), Control(LegalPersonCard), Control(IntroductionLetter),
		ControlIdentity, ControlFee,
	}
	events := and(allSighted, answered(1, true), paid) // each in the place of its control
	same(t, all, fold(and(past(StatusAtOffice), inquired(1, omid))...).Missing())
	for i, control := range all {
		story := and(past(StatusAtOffice), inquired(1, omid))
		for j, e := range events {
			if j != i {
				story = and(story, e)
			}
		}
		s := fold(story...)
		same(t, []Control{control}, s.Missing())
		if s.Status != StatusUnderControl {
			t.Errorf("without %s the request is %s", control, s.Status)
		}
	}
}

func TestAPassportStandsForTheBirthCertificate(t *testing.T) {
	past := and(past(StatusAtOffice), sighted(Passport, omid), sighted(NationalCard, omid),
		sighted(LegalPersonCard, omid), sighted(IntroductionLetter, omid), inquired(1, omid), answered(1, true), paid)
	spec.Given(t, Kind, past...).When(ConfirmInformation{vetted, vetted, nima, "ahvaz", "0ff1", "c2ln", noon}).Then(confirmed)
}

func TestAPassportDoesNotStandForAnIraniansNationalCard(t *testing.T) {
	s := fold(and(past(StatusAtOffice), sighted(Passport, omid), sighted(LegalPersonCard, omid),
		sighted(IntroductionLetter, omid), inquired(1, omid), answered(1, true), paid)...)
	same(t, []Control{Control(NationalCard)}, s.Missing())
}

func TestAForeignersPassport(t *testing.T) {
	atOffice := and([]event.Event{begun, foreignForm(1)}, and(proved, submitted)...)
	cards := []event.Event{sighted(LegalPersonCard, omid), sighted(IntroductionLetter, omid), inquired(1, omid), answered(1, true), paid}
	confirm := ConfirmInformation{vetted, vetted, nima, "ahvaz", "0ff1", "c2ln", noon}

	withoutPassport := and(atOffice, and(cards, sighted(BirthCertificate, omid), sighted(NationalCard, omid))...)
	spec.Given(t, Kind, withoutPassport...).When(confirm).ThenFault(wrongState)
	spec.Given(t, Kind, and(withoutPassport, sighted(Passport, omid))...).When(confirm).Then(confirmed)
}

func TestTheRegistrysAnswerIsTakenOnce(t *testing.T) {
	asked := past(StatusUnderControl)
	yes := AnswerIdentity{inquiryOf(1), true, "registry-1", "p-omid", noon}
	no := AnswerIdentity{inquiryOf(1), false, "registry-1", "p-omid", noon}
	spec.Given(t, Kind, asked...).When(yes).Then(answered(1, true))
	spec.Given(t, Kind, asked...).When(no).Then(answered(1, false))
	spec.Given(t, Kind, and(asked, answered(1, true))...).When(no).ThenNothing()
	spec.Given(t, Kind, and(asked, answered(1, false))...).When(yes).ThenNothing()
}

func TestAnAnswerAboutAnOlderFormSaysNothing(t *testing.T) {
	yes := AnswerIdentity{inquiryOf(1), true, "registry-1", "p-omid", noon}
	mended := and(past(StatusNeedsCorrection), form(2))
	spec.Given(t, Kind, mended...).When(yes).ThenNothing()
	spec.Given(t, Kind, and(mended, inquired(2, omid))...).When(yes).ThenNothing()
}

func TestAnAnswerOutsideTheDeskSaysNothing(t *testing.T) {
	yes := AnswerIdentity{inquiryOf(1), true, "registry-1", "p-omid", noon}
	for _, status := range []Status{StatusNeedsCorrection, StatusRejected} {
		spec.Given(t, Kind, past(status)...).When(yes).ThenNothing()
	}
	spec.Given(t, Kind).When(yes).ThenNothing()
}

func TestAMismatchIsNoControlPassed(t *testing.T) {
	story := and(past(StatusAtOffice), and(allSighted, inquired(1, omid), answered(1, false), paid)...)
	same(t, []Control{ControlIdentity}, fold(story...).Missing())
	spec.Given(t, Kind, story...).When(VerifyDocuments{nil, nil, inquiryOf(1), omid, noon}).ThenNothing() // no asking until it fits
}

func TestTheFeeIsSettledOnce(t *testing.T) {
	settle := SettleFee{paid.Order, paid.Revision, paid.AmountRial, noon}
	spec.Given(t, Kind, past(StatusAtOffice)...).When(settle).Then(paid)
	spec.Given(t, Kind, and(past(StatusAtOffice), paid)...).When(settle).ThenNothing()
	spec.Given(t, Kind, past(StatusControlled)...).When(settle).ThenNothing()
}

func TestAPaymentAfterTheEndIsNotOurs(t *testing.T) {
	settle := SettleFee{paid.Order, paid.Revision, paid.AmountRial, noon}
	for _, status := range []Status{StatusRejected, StatusWithdrawn, StatusReady} {
		spec.Given(t, Kind, past(status)...).When(settle).ThenNothing()
	}
}

func TestRejectStatesItsReason(t *testing.T) {
	for _, reason := range RejectionReasons {
		spec.Given(t, Kind, past(StatusUnderControl)...).When(Reject{reason, omid, noon}).Then(Rejected{reason, omid, noon})
	}
	spec.Given(t, Kind, past(StatusUnderControl)...).When(Reject{NotEntitled, sara, noon}).ThenFault(ErrOwnRequest)
}

func TestTheLastControlMovesTheRequestOn(t *testing.T) {
	for last := range allControls {
		story := past(StatusAtOffice)
		for i, e := range allControls {
			if _, asked := e.(IdentityInquired); asked || i != last {
				story = and(story, e)
			}
		}
		if _, asked := allControls[last].(IdentityInquired); asked {
			continue // an answer follows the question
		}
		if s := fold(and(story, allControls[last])...); s.Status != StatusControlled {
			t.Errorf("with %T last the request is %s, missing %v", allControls[last], s.Status, s.Missing())
		}
	}
}

// TestWhoSpeaksForHimselfNeedsNoOrganisationsPapers: a passport where he is a
// foreigner, and else two documents.
func TestWhoSpeaksForHimselfNeedsNoOrganisationsPapers(t *testing.T) {
	for want, form := range map[string]FormCompleted{
		"[birth-certificate national-card]": {Version: 1}, "[passport]": {Version: 1, Foreign: true},
		"[birth-certificate national-card legal-person-card introduction-letter]": {Version: 1, Organization: "10999001013"},
		"[passport legal-person-card introduction-letter]":                        {Version: 1, Organization: "10999001013", Foreign: true},
	} {
		if got := fmt.Sprint(Enrollment{Form: form}.Required()); got != want {
			t.Errorf("required are %s, want %s", got, want)
		}
	}
}
