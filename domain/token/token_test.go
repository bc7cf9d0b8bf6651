package token

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"token.received-in-stock.v1": received,
		"token.reserved.v1":          reserved,
		"token.personalised.v1":      personalised,
		"token.delivered.v1":         delivered,
		"token.pin-issued.v1":        byPost,
		"token.handed-over.v1":       sent,
		"token.received.v1":          there,
		"token.renewed.v1":           Renewed{other, "c3d4", nima, noon},
		"token.pin-delivered.v1":     PINDelivered{sara, noon},
		"token.pin-activated.v1":     PINActivated{sara, noon},
		"token.alarm-raised.v1":      AlarmRaised{NotReceived, noon, noon},
		"token.lost.v1":              Lost{"p-sara", noon},
		"token.found-defective.v1":   FoundDefective{nima, noon},
		"token.recalled.v1":          Recalled{Revoked, "policy:recall", noon},
		"token.returned.v1":          Returned{"ahvaz", nima, noon},
		"token.destroyed.v1":         Destroyed{nima, noon},
	})
}

func TestABlankTokenComesIntoStockOnce(t *testing.T) {
	spec.Given(t, Kind).When(Receive(received)).Then(received)
	spec.Given(t, Kind, received).When(Receive(received)).ThenNothing()
	elsewhere := Receive(received)
	elsewhere.Office = "tehran"
	spec.Given(t, Kind, received).When(elsewhere).ThenFault(ErrKnown)
	for n := 2; n <= 4; n++ {
		spec.Given(t, Kind, story(n)...).When(Receive(received)).ThenFault(ErrKnown)
	}
}

func TestATokenIsReservedForOneRequest(t *testing.T) {
	reserve := Reserve{request, "ahvaz", nima, noon, false}
	spec.Given(t, Kind, received).When(reserve).Then(reserved)
	for n := 2; n <= 4; n++ {
		spec.Given(t, Kind, story(n)...).When(reserve).ThenNothing()
		spec.Given(t, Kind, story(n)...).When(Reserve{other, "ahvaz", nima, noon, false}).ThenFault(ErrTaken)
	}
}

func TestOnlyATokenOfTheOfficesStockIsReserved(t *testing.T) {
	spec.Given(t, Kind, story(2)...).When(Reserve{other, "ahvaz", nima, noon, true}).Then(Reserved{other, nima, noon})
	spec.Given(t, Kind, story(3)...).When(Reserve{other, "ahvaz", nima, noon, true}).ThenFault(ErrTaken)
	spec.Given(t, Kind).When(Reserve{request, "ahvaz", nima, noon, false}).ThenFault(ErrNotFound)
	spec.Given(t, Kind, received).When(Reserve{request, "tehran", nima, noon, false}).ThenFault(ErrOffice)
	spec.Given(t, Kind, story(2)...).When(Reserve{request, "tehran", nima, noon, false}).ThenFault(ErrOffice)
}

func TestTheReservedTokenIsPersonalisedOnce(t *testing.T) {
	personalise := Personalise{request, "a1b2", nima, noon}
	spec.Given(t, Kind, story(2)...).When(personalise).Then(personalised)
	spec.Given(t, Kind, story(3)...).When(personalise).ThenNothing()
	spec.Given(t, Kind, story(4)...).When(personalise).ThenNothing()
	spec.Given(t, Kind, received).When(personalise).ThenFault(ErrTaken)
	spec.Given(t, Kind, story(2)...).When(Personalise{other, "a1b2", nima, noon}).ThenFault(ErrTaken)
}

func TestThePersonalisedTokenIsDeliveredOnce(t *testing.T) {
	deliver := Deliver{request, sara, nima, noon}
	spec.Given(t, Kind, story(3)...).When(deliver).Then(delivered)
	spec.Given(t, Kind, story(4)...).When(deliver).ThenNothing()
	spec.Given(t, Kind, story(3)...).When(Deliver{other, sara, nima, noon}).ThenFault(ErrTaken)
	spec.Given(t, Kind, received).When(deliver).ThenFault(ErrTaken)
}

func TestARenewedCertificateOnTheHoldersToken(t *testing.T) {
	renew := Renew{Former: request, Request: other, Certificate: "c3d4", By: nima, At: noon}
	renewed := Renewed{other, "c3d4", nima, noon}
	spec.Given(t, Kind, story(4)...).When(renew).Then(renewed)
	spec.Given(t, Kind, append(story(4), renewed)...).When(renew).ThenNothing()
	spec.Given(t, Kind, append(story(4), Lost{"p", noon})...).When(renew).ThenNothing()
	spec.Given(t, Kind, story(4)...).When(Renew{Former: "enrollment-9", Request: other}).ThenFault(ErrTaken)

	held := after(story(4)...)
	if err := held.HeldBy(sara); err != nil {
		t.Error(err)
	}
	if held.HeldBy(nima) == nil || after(story(3)...).HeldBy(sara) == nil {
		t.Error("a token that is not with the applicant is renewed")
	}
}

func after(story ...event.Event) (s Token) {
	for _, e := range story {
		s = Evolve(s, e)
	}
	return s
}
