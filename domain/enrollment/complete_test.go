package enrollment

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestTheApplicantCompletesTheForm(t *testing.T) {
	spec.Given(t, Kind, past(StatusDraft)...).When(completing()).Then(form(1))
}

func TestAnOfficerCompletesTheFormForAVisitor(t *testing.T) {
	c := completing()
	c.By, c.Entry, c.Office = parisa, AtCounter, "ahvaz"
	spec.Given(t, Kind, past(StatusDraft)...).When(c).Then(counterForm(1))
}

func TestALaterFormReplacesTheEarlier(t *testing.T) {
	c := completing()
	c.EmailChanged = true
	spec.Given(t, Kind, past(StatusCompleted)...).When(c).Then(withNewEmail(form(2)))
}

func TestAChangedFormVoidsWhatWasProvedAboutTheOld(t *testing.T) {
	cases := map[string]struct {
		form    FormCompleted
		missing []Control
	}{
		"same address": {form(2), []Control{
			ControlLiability, Control(BirthCertificate), Control(NationalCard), Control(LegalPersonCard),
			Control(IntroductionLetter), ControlIdentity,
		}},
		"other address": {withNewEmail(form(2)), []Control{
			ControlEmail, ControlLiability, Control(BirthCertificate), Control(NationalCard), Control(LegalPersonCard),
			Control(IntroductionLetter), ControlIdentity,
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := fold(and(past(StatusControlled), correction, c.form)...)
			if s.Status != StatusUnderControl {
				t.Errorf("status %s", s.Status)
			}
			same(t, c.missing, s.Missing())
			same(t, IdentityAnswered{}, s.Identity) // an officer sees no answer about another form
		})
	}
	spec.Given(t, Kind, and(past(StatusReady), form(2))...).When(Submit{"ahvaz", noon}).ThenFault(wrongState)
}

func TestTheCorrectionLoopComesBackToTheDesk(t *testing.T) {
	back := spec.Given(t, Kind, past(StatusConfirmed)...).When(RequestCorrection{[]string{"email", "surname"}, omid, noon})
	back.Then(correction)

	corrected := and(past(StatusConfirmed), correction, withNewEmail(form(2)))
	spec.Given(t, Kind, corrected...).When(ConfirmInformation{vetted, vetted, nima, "ahvaz", "0ff1", "c2ln", noon}).ThenFault(wrongState)
	spec.Given(t, Kind, corrected...).When(SendEmailCode{2, noon}).Then(codeSent(2, 2))
	spec.Given(t, Kind, and(corrected, codeSent(2, 2))...).When(ConfirmEmail{true, 2, noon}).Then(EmailConfirmed{2, noon})
	spec.Given(t, Kind, corrected...).When(AcceptLiability{"1405-1", "70e7", sara, false, noon}).Then(liable(2))
	spec.Given(t, Kind, corrected...).When(lookAtAll(2, omid)).Then(and(allSighted, inquired(2, omid))...)

	proved := and(corrected, codeSent(2, 2), EmailConfirmed{2, noon}, liable(2), inquired(2, omid), answered(2, true))
	spec.Given(t, Kind, proved...).When(confirmBy(nima)).ThenFault(wrongState) // the originals were those of the old form
	again := and(proved, allSighted...)
	spec.Given(t, Kind, again...).When(ConfirmInformation{vetted, vetted, nima, "ahvaz", "0ff1", "c2ln", noon}).Then(confirmed)
}

// lookAtAll is an officer with all the originals of an Iranian on the desk.
func lookAtAll(version int, by event.Subject) VerifyDocuments {
	return VerifyDocuments{[]Document{BirthCertificate, NationalCard, LegalPersonCard, IntroductionLetter}, letter, inquiryOf(version), by, noon}
}

func TestACorrectedFormIsComparedWithTheOriginalsAgain(t *testing.T) {
	for _, d := range []Document{BirthCertificate, NationalCard, LegalPersonCard, IntroductionLetter} {
		t.Run(string(d), func(t *testing.T) {
			story := and(past(StatusControlled), correction, form(2), liable(2), inquired(2, omid), answered(2, true))
			for _, seen := range allSighted {
				if seen.(DocumentSighted).Document != d {
					story = and(story, seen)
				}
			}
			same(t, []Control{Control(d)}, fold(story...).Missing())
			spec.Given(t, Kind, story...).When(confirmBy(nima)).ThenFault(wrongState)
			spec.Given(t, Kind, story...).When(lookAtAll(2, omid)).Then(sighted(d, omid))
			spec.Given(t, Kind, and(story, sighted(d, omid))...).When(confirmBy(nima)).Then(confirmed)
		})
	}
}

func TestAnOldPassportStandsForNothingOnANewForm(t *testing.T) {
	story := and(past(StatusAtOffice), sighted(Passport, omid), correction, form(2), liable(2),
		sighted(NationalCard, omid), sighted(LegalPersonCard, omid), sighted(IntroductionLetter, omid),
		inquired(2, omid), answered(2, true), paid)
	same(t, []Control{Control(BirthCertificate)}, fold(story...).Missing())
	same(t, nil, fold(and(story, sighted(Passport, omid))...).Missing())
}

func TestAStateKeepsItsOriginals(t *testing.T) {
	before := fold(and(past(StatusControlled), correction)...)
	Evolve(before, form(2))
	same(t, 4, len(before.Sighted))
}

func TestACorrectionKeepsPersonAndOrganisation(t *testing.T) {
	other := completing()
	other.Person = parisa
	spec.Given(t, Kind, past(StatusNeedsCorrection)...).When(other).ThenFault(ErrOtherParty)
	elsewhere := completing()
	elsewhere.Form.Organization = "14009993037"
	spec.Given(t, Kind, past(StatusNeedsCorrection)...).When(elsewhere).ThenFault(ErrOtherParty)
	spec.Given(t, Kind, past(StatusNeedsCorrection)...).When(completing()).Then(form(2))
}

func TestBeforeSubmissionTheOrganisationMayStillChange(t *testing.T) {
	c := completing()
	c.Form.Organization = "14009993037"
	f := form(2)
	f.Organization, f.Form = "14009993037", event.About(sara, c.Form)
	spec.Given(t, Kind, past(StatusReady)...).When(c).Then(f)
}

func TestNobodySendsHisOwnFormBack(t *testing.T) {
	spec.Given(t, Kind, past(StatusAtOffice)...).When(RequestCorrection{nil, sara, noon}).ThenFault(ErrOwnRequest)
}

func TestAPaymentMendsNoForm(t *testing.T) {
	mending := past(StatusNeedsCorrection)
	spec.Given(t, Kind, mending...).When(SettleFee{paid.Order, paid.Revision, paid.AmountRial, noon}).Then(paid)
	s := fold(and(mending, paid)...)
	if s.Status != StatusNeedsCorrection || s.Fee != paid {
		t.Errorf("status %s, fee %+v", s.Status, s.Fee)
	}
}

func TestAnAnswerMendsNoForm(t *testing.T) {
	mending := past(StatusNeedsCorrection)
	spec.Given(t, Kind, mending...).When(AnswerIdentity{inquiryOf(1), true, "registry-1", "p-omid", noon}).ThenNothing()
	if s := fold(and(mending, answered(1, true))...); s.Status != StatusNeedsCorrection {
		t.Errorf("status %s", s.Status)
	}
}

func TestAChangedFormOpensItsFurtherControlsAgain(t *testing.T) {
	controlled := and(past(StatusControlled), required, passed)
	again := and(controlled, mended...)
	same(t, []Control{ControlAddress}, fold(again...).Missing())
	same(t, nil, fold(controlled...).Missing())
	spec.Given(t, Kind, again...).When(CloseControl(passed)).Then(passed)
	spec.Given(t, Kind, and(again, passed)...).When(confirmBy(nima)).Then(confirmed)
}
