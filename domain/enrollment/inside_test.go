package enrollment

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var withAttorney = Delivered{NationalCard, event.About(sara, Attorney{"وکیل نمونه", "۱۲۳", "1405/08/01", "دفترخانهٔ نمونه"}), omid, noon}

func TestEachChannelHasItsDoor(t *testing.T) {
	spec.Given(t, Kind).When(Open{begun.TrackingCode, Inside, begun.CertificateType, begun.OpenedBy, "", noon}).Then(begunInside)
	spec.Given(t, Kind).When(Open{begun.TrackingCode, Inside, begun.CertificateType, omid, "ahvaz", noon}).ThenFault(ErrChannel)
	spec.Given(t, Kind).When(Open{begun.TrackingCode, "sideways", begun.CertificateType, omid, "", noon}).ThenFault(ErrChannel)
	inside := and([]event.Event{begunInside, form(1)}, proved...)
	spec.Given(t, Kind, inside...).When(SubmitToUnit{"unit-rt", noon}).Then(toUnit)
	spec.Given(t, Kind, inside...).When(Submit{"ahvaz", noon}).ThenFault(ErrInside)
	spec.Given(t, Kind, past(StatusReady)...).When(SubmitToUnit{"unit-rt", noon}).ThenFault(ErrOutside)
}

func TestTheUnitApprovesWhatItHasSightedAndNeverItsOwn(t *testing.T) {
	fresh := and([]event.Event{begunInside, form(1)}, and(proved, toUnit)...)
	approve := ApproveDossier{"unit-rt", parisa, noon}
	spec.Given(t, Kind, fresh...).When(approve).ThenFault(ErrNotSighted)
	spec.Given(t, Kind, past(StatusAtResearchUnit)...).When(approve).Then(approved)
	spec.Given(t, Kind, past(StatusAtResearchUnit)...).When(ApproveDossier{"unit-rt", sara, noon}).ThenFault(ErrOwnRequest)
	spec.Given(t, Kind, past(StatusAtResearchUnit)...).When(ReturnDossier{[]string{"email"}, sara, noon}).ThenFault(ErrOwnRequest)
	spec.Given(t, Kind, past(StatusApproved)...).When(approve).ThenNothing()
	sightedNow := VerifyDocuments{[]Document{Passport}, nil, inquiryOf(1), omid, noon}
	spec.Given(t, Kind, fresh...).When(sightedNow).Then(sighted(Passport, omid)) // and no inquiry
}

func TestAReturnedDossierIsMendedProvedAndSightedAgain(t *testing.T) {
	back := and(past(StatusAtResearchUnit), returned)
	spec.Given(t, Kind, past(StatusAtResearchUnit)...).When(ReturnDossier{[]string{"email"}, parisa, noon}).Then(returned)
	mended := and(back, form(2))
	if s := fold(mended...); s.Status != StatusAtResearchUnit || len(s.Sighted) != 0 {
		t.Fatalf("it came to %s with %d originals", s.Status, len(s.Sighted))
	}
	sightedAgain := and(mended, allSighted...)
	spec.Given(t, Kind, sightedAgain...).When(ApproveDossier{"unit-rt", parisa, noon}).ThenFault(ErrNotProved)
	spec.Given(t, Kind, and(sightedAgain, liable(2))...).When(ApproveDossier{"unit-rt", parisa, noon}).Then(DossierApproved{"unit-rt", 2, parisa, noon})
}

func TestTheDossierFollowsItsConsignment(t *testing.T) {
	sent := dispatched("bag-1", "unit-rt", "authority")
	spec.Given(t, Kind, past(StatusApproved)...).When(DispatchDossier(sent)).Then(sent)
	spec.Given(t, Kind, past(StatusInTransit)...).When(DispatchDossier(sent)).ThenNothing()
	spec.Given(t, Kind, past(StatusInTransit)...).When(DispatchDossier{"bag-9", "unit-rt", "authority", noon}).ThenNothing()
	spec.Given(t, Kind, past(StatusApproved)...).When(DispatchDossier{"bag-1", "elsewhere", "authority", noon}).ThenNothing()
	if err := fold(past(StatusApproved)...).Dispatchable("elsewhere"); err != error(ErrDossierElsewhere) {
		t.Error(err)
	}
	came := DossierReceived{"bag-1", "unit-rt", "authority", false, noon}
	spec.Given(t, Kind, past(StatusInTransit)...).When(ReceiveDossier(came)).Then(came)
	spec.Given(t, Kind, past(StatusInTransit)...).When(ReceiveDossier{"bag-2", "unit-x", "authority", false, noon}).ThenNothing() // in another's bag
	spec.Given(t, Kind, past(StatusInTransit)...).When(ReceiveDossier{"bag-1", "unit-rt", "ahvaz", true, noon}).ThenNothing()
	spec.Given(t, Kind, past(StatusInTransit)...).When(LoseDossier{"bag-1", noon}).Then(DossierLost{"bag-1", noon})
	spec.Given(t, Kind, past(StatusInTransit)...).When(LoseDossier{"bag-2", noon}).ThenNothing()
	for place, want := range map[string]Status{"unit-rt": StatusApproved, "authority": StatusAtAuthority} {
		if s := fold(and(past(StatusApproved), dispatched("b", place, "x"), DossierLost{"b", noon})...); s.Status != want || s.Dossier.Place != place {
			t.Errorf("lost on the way from %s: %s at %s", place, s.Status, s.Dossier.Place)
		}
	}
}

func TestTheTokenGoesBackTheWayTheRequestCame(t *testing.T) {
	for status, want := range map[Status]string{StatusReadyForDispatch: "authority", StatusAtOrigin: "unit-rt", StatusAccessDefined: ""} {
		place, company, err := fold(past(status)...).NextPlace()
		if err != nil || place != want || company != (status == StatusAccessDefined) {
			t.Errorf("from %s it goes to %q, %v, %v", status, place, company, err)
		}
	}
	for _, status := range []Status{StatusBackAtUnit, StatusAtCompanyUnit, StatusIssued, StatusReadyForDelivery} {
		if _, _, err := fold(past(status)...).NextPlace(); err == nil {
			t.Errorf("%s: it may be sent on", status)
		}
	}
	spec.Given(t, Kind, past(StatusReadyForDispatch)...).When(NoteTokenArrived{"authority", noon}).Then(TokenArrived{"authority", noon})
	spec.Given(t, Kind, past(StatusReadyForDispatch)...).When(NoteTokenArrived{"unit-rt", noon}).ThenNothing()
	spec.Given(t, Kind, past(StatusAccessDefined)...).When(NoteTokenArrived{"unit-rt", noon}).ThenNothing() // told again
	spec.Given(t, Kind, past(StatusAtCompanyUnit)...).When(NoteTokenArrived{"company", noon}).ThenNothing()
}

func TestInsideTheUserIsDefinedBeforeTheDelivery(t *testing.T) {
	deliver := Deliver{IdentityChecked: NationalCard, By: omid, At: noon}
	spec.Given(t, Kind, past(StatusBackAtUnit)...).When(NoteAccess{"sara.nemune", noon}).Then(AccessNoted{"sara.nemune", noon})
	for _, status := range []Status{StatusReadyForDispatch, StatusAtOrigin, StatusBackAtUnit, StatusAccessDefined} {
		spec.Given(t, Kind, past(status)...).When(deliver).ThenFault(wrongState)
	}
	spec.Given(t, Kind, past(StatusAtCompanyUnit)...).When(deliver).Then(delivered)
	inHand := and(past(StatusAtCompanyUnit), delivered)
	spec.Given(t, Kind, inHand...).When(Accept{By: sara, At: noon}).ThenFault(ErrNotActivated)
	spec.Given(t, Kind, inHand...).When(Accept{Activated: true, By: sara, At: noon}).Then(accepted)
	spec.Given(t, Kind, past(StatusAccepted)...).When(NoteAccess{"sara.nemune", noon}).ThenNothing()
}

func TestALawfulAttorneyIsMarked(t *testing.T) {
	attorney, err := withAttorney.Attorney.Open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	events, err := Deliver{IdentityChecked: NationalCard, Attorney: &attorney, By: omid, At: noon}.Decide(fold(past(StatusReadyForDelivery)...))
	if err != nil || len(events) != 1 || events[0].(Delivered).Attorney == nil || events[0].(Delivered).Attorney.Subject() != sara {
		t.Errorf("%+v, %v", events, err)
	}
}

// TestNoOrderLeadsPastTheInsideChannel puts random commands of random people to a
// request of channel B and judges what happened by the bare history (invariants
// 1, 2, 4): approval, two consignments, the office's own controls, and the user
// before the delivery.
func TestNoOrderLeadsPastTheInsideChannel(t *testing.T) {
	delivered, issued := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		history := []event.Event{begunInside}
		s := fold(history...)
		for range 150 {
			events, err := anyInside(t, s).Decide(s)
			if err != nil {
				continue
			}
			for _, e := range events {
				history, s = append(history, e), Evolve(s, e)
				if err := judgeInside(history); err != nil {
					t.Fatalf("%v, after %v", err, names(history))
				}
			}
		}
		delivered += count[Delivered](history)
		issued += count[Issued](history)
	})
	if issued == 0 || delivered == 0 {
		t.Fatalf("%d were issued, %d delivered: nothing was judged", issued, delivered)
	}
}

func anyInside(t *rapid.T, s Enrollment) event.Command[Enrollment] {
	by := rapid.SampledFrom([]event.Subject{sara, parisa, omid, nima, "p-kaveh"}).Draw(t, "by")
	place := rapid.SampledFrom([]string{"unit-rt", "authority", "ahvaz", "company"}).Draw(t, "place")
	if next := forwardInside(s, by); next != nil && rapid.IntRange(0, 4).Draw(t, "forward") > 0 {
		return next
	}
	return rapid.SampledFrom([]event.Command[Enrollment]{
		SubmitToUnit{"unit-rt", noon},
		Submit{"ahvaz", noon},
		ApproveDossier{"unit-rt", by, noon},
		ReturnDossier{[]string{"email"}, by, noon},
		DispatchDossier{"bag-1", place, "authority", noon},
		DispatchDossier{"bag-2", place, "ahvaz", noon},
		ReceiveDossier{"bag-1", "unit-rt", place, place == "ahvaz", noon},
		LoseDossier{"bag-1", noon},
		NoteTokenArrived{place, noon},
		NoteAccess{"sara", noon},
		Deliver{IdentityChecked: NationalCard, By: by, At: noon},
		Accept{Activated: by == sara, By: sara, At: noon},
		VerifyDocuments{s.Required(), letter, inquiryOf(s.Form.Version), by, noon},
		RequestCorrection{[]string{"email"}, by, noon},
		confirmBy(by),
	}).Draw(t, "command")
}

func forwardInside(s Enrollment, by event.Subject) event.Command[Enrollment] {
	switch s.Status {
	case StatusReady:
		return SubmitToUnit{"unit-rt", noon}
	case StatusAtResearchUnit:
		switch {
		case !s.Email.Confirmed && (s.Email.Sent.FormVersion != s.Form.Version || s.Email.Refused >= emailTries):
			return SendEmailCode{s.Form.Version, noon}
		case !s.Email.Confirmed:
			return ConfirmEmail{true, s.Email.Sent.Round, noon}
		case s.Liable != s.Form.Version:
			return AcceptLiability{"1405-1", "70e7", sara, false, noon}
		case !s.sighted(NationalCard):
			return VerifyDocuments{s.Required(), letter, "", omid, noon}
		}
		return ApproveDossier{"unit-rt", parisa, noon}
	case StatusApproved:
		return DispatchDossier{fmt.Sprint("bag-", s.Dossier.Consignment), "unit-rt", "authority", noon}
	case StatusInTransit:
		return ReceiveDossier{s.Dossier.Consignment, s.Dossier.Place, s.Dossier.To, s.Dossier.To == "ahvaz", noon}
	case StatusAtAuthority:
		return DispatchDossier{"bag-2", "authority", "ahvaz", noon}
	case StatusAtCA:
		if s.Attempt.Serial == "" {
			return AttemptIssuance{Serial: "a1", Handler: "handler-1", At: noon}
		}
		return NoteIssued{"a1", "f1", noon}
	case StatusReadyForDispatch:
		return NoteTokenArrived{"authority", noon}
	case StatusAtOrigin:
		return NoteTokenArrived{"unit-rt", noon}
	case StatusBackAtUnit:
		return NoteAccess{"sara", noon}
	case StatusAccessDefined:
		return NoteTokenArrived{"company", noon}
	case StatusAtCompanyUnit:
		return Deliver{IdentityChecked: NationalCard, By: by, At: noon}
	}
	return forward(s, by)
}

func judgeInside(history []event.Event) error {
	last := len(history) - 1
	before := history[:last]
	switch e := history[last].(type) {
	case DossierDispatched:
		if count[DossierApproved](before) == 0 {
			return fmt.Errorf("dispatched and never approved")
		}
	case IdentityInquired, InformationConfirmed, IssuanceRequested:
		if !receivedByOffice(before) {
			return fmt.Errorf("%T before an office had it", e)
		}
		if c, ok := e.(InformationConfirmed); ok {
			return judgeConfirmation(before, c.By)
		}
	case Submitted:
		return fmt.Errorf("submitted to an office by the applicant")
	case Delivered:
		if count[AccessNoted](before) == 0 || count[TokenArrived](before) != 3 {
			return fmt.Errorf("delivered after %d legs and %d definitions", count[TokenArrived](before), count[AccessNoted](before))
		}
	case Accepted:
		if count[Delivered](before) == 0 {
			return fmt.Errorf("accepted before the delivery")
		}
	}
	return nil
}

func receivedByOffice(history []event.Event) bool {
	for _, e := range history {
		if r, ok := e.(DossierReceived); ok && r.Office {
			return true
		}
	}
	return false
}
