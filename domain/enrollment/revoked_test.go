package enrollment

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

// sinceIssued are the states in which a certificate may be revoked.
var sinceIssued = from(StatusIssued, StatusAccepted)

func TestARevokedCertificateEndsItsRequest(t *testing.T) {
	for _, status := range sinceIssued {
		spec.Given(t, Kind, past(status)...).When(NoteRevoked(revoked)).Then(revoked)
		gone := and(past(status), revoked)
		same(t, StatusRevoked, fold(gone...).Status)
		spec.Given(t, Kind, gone...).When(NoteRevoked{"a1", later}).ThenNothing() // the reason may become worse
	}
}

func TestAnothersCertificateEndsNothing(t *testing.T) {
	for _, status := range sinceIssued {
		for _, serial := range []string{"b2", ""} {
			spec.Given(t, Kind, past(status)...).When(NoteRevoked{serial, noon}).ThenNothing()
		}
	}
}

func TestARequestWithoutCertificateIsNotRevoked(t *testing.T) {
	spec.Given(t, Kind).When(NoteRevoked{"", noon}).ThenNothing()
	for _, status := range append(from(StatusDraft, StatusAtCA), StatusRejected, StatusWithdrawn) {
		for _, serial := range []string{"a1", ""} {
			spec.Given(t, Kind, past(status)...).When(NoteRevoked{serial, noon}).ThenNothing()
		}
	}
}

func TestAnAbandonedAttemptDoesNotEndTheRequest(t *testing.T) {
	tried := and(past(StatusAtCA), attempted)
	spec.Given(t, Kind, tried...).When(NoteRevoked{"a1", noon}).ThenNothing()
	second := and(tried, IssuanceAttempted{"b2", "handler-2", noon}, Issued{"b2", "f2", noon})
	spec.Given(t, Kind, second...).When(NoteRevoked{"a1", noon}).ThenNothing()
	spec.Given(t, Kind, second...).When(NoteRevoked{"b2", noon}).Then(Revoked{"b2", noon})
}

func TestNothingIsHandedOverAfterARevocation(t *testing.T) {
	onIt := and(past(StatusIssued), onToken)
	stories := [][]event.Event{onIt, and(past(StatusIssued), printed)}
	for _, status := range sinceIssued {
		stories = append(stories, past(status))
	}
	for _, story := range stories {
		gone := and(story, revoked)
		spec.Given(t, Kind, gone...).When(PrintSheet{nima, noon}).ThenFault(wrongState)
		spec.Given(t, Kind, gone...).When(Deliver{IdentityChecked: NationalCard, By: omid, At: noon}).ThenFault(wrongState)
		spec.Given(t, Kind, gone...).When(Accept{By: sara, At: noon}).ThenFault(wrongState)
		nothingFollows(t, gone)
	}
	spec.Given(t, Kind, past(StatusRevoked)...).When(PersonaliseToken{"T-1", "f1", nima, noon}).ThenFault(wrongState)
	spec.Given(t, Kind, and(onIt, revoked)...).When(PersonaliseToken{"T-1", "f1", nima, noon}).ThenNothing() // written before
}

// nothingFollows puts every act to a request that is over.
func nothingFollows(t *testing.T, story []event.Event) {
	t.Helper()
	commands := []event.Command[Enrollment]{
		NoteIssued{"a1", "f1", noon},
		NoteIssued{"b2", "f2", noon},
		FailIssuance{"late", false, noon},
		NoteRevoked(revoked),
		AnswerIdentity{inquiryOf(1), false, "registry-1", "p-omid", noon},
		SettleFee{"another", 1, 1, noon},
		ConfirmEmail{true, 1, noon},
		CloseControl(passed),
	}
	for _, c := range allowed {
		commands = append(commands, c.command)
	}
	for _, c := range commands {
		if events, _ := c.Decide(fold(story...)); len(events) > 0 {
			t.Errorf("%T leads to %v", c, names(events))
		}
	}
}
