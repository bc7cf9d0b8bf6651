package notification

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"notification.requested.v1": requested(),
		"notification.postponed.v1": postponed(1, time.Second),
		"notification.failed.v1":    lost,
		"notification.bounced.v1":   Bounced{id, "5.1.1", noon},
		"notification.sent.v1":      sent,
	})
}

func TestOneCauseOneMessage(t *testing.T) {
	spec.Given(t, Kind).When(Request{requested()}).Then(requested())
	for _, past := range [][]event.Event{{requested()}, {requested(), postponed(1, time.Second)}, {requested(), sent}, {requested(), lost}} {
		spec.Given(t, Kind, past...).When(Request{requested()}).ThenNothing()
	}
}

func TestAMessageIsSentOnce(t *testing.T) {
	spec.Given(t, Kind, requested()).When(NoteSent{noon}).Then(sent)
	spec.Given(t, Kind, requested(), postponed(1, time.Second)).When(NoteSent{noon}).Then(sent)
	spec.Given(t, Kind, requested(), sent).When(NoteSent{noon}).ThenNothing()
	spec.Given(t, Kind, requested(), lost).When(NoteSent{noon}).ThenNothing()
}

func TestAMessageComesBackOnce(t *testing.T) {
	back, bounced := NoteBounced{"5.1.1", noon}, Bounced{id, "5.1.1", noon}
	spec.Given(t, Kind).When(back).ThenNothing()
	spec.Given(t, Kind, requested()).When(back).ThenNothing() // nobody has sent it
	spec.Given(t, Kind, requested(), postponed(1, time.Second)).When(back).Then(bounced)
	spec.Given(t, Kind, requested(), postponed(1, time.Second), sent).When(back).Then(bounced)
	spec.Given(t, Kind, requested(), postponed(1, time.Second), sent, bounced).When(NoteBounced{"5.2.2", noon}).ThenNothing()
}

func TestADeadServerIsTriedForADay(t *testing.T) {
	past := []event.Event{requested()}
	var waited time.Duration
	for i, pause := range []time.Duration{
		time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 16 * time.Hour,
	} {
		begun, next := postponed(i+1, 15*time.Second), postponed(i+1, pause)
		spec.Given(t, Kind, past...).When(Attempt{noon.Add(waited)}).Then(later(begun, waited))
		past = append(past, begun)
		spec.Given(t, Kind, past...).When(Postpone{"refused", noon}).Then(next)
		past, waited = append(past, later(next, waited)), waited+pause
	}
	past = append(past, postponed(9, 15*time.Second))
	spec.Given(t, Kind, past...).When(Postpone{"refused", noon}).Then(lost)
	if waited < 22*time.Hour || waited > 26*time.Hour {
		t.Errorf("gave up after %s", waited)
	}
}

func later(e Postponed, by time.Duration) Postponed {
	e.RetryAt, e.At = e.RetryAt.Add(by), e.At.Add(by)
	return e
}

// TestAnAttemptIsOneSenders: whoever comes while it lasts leaves the message
// alone; when its time is over the message is due again.
func TestAnAttemptIsOneSenders(t *testing.T) {
	begun := postponed(1, 15*time.Second)
	spec.Given(t, Kind, requested()).When(Attempt{noon}).Then(begun)
	spec.Given(t, Kind, requested(), begun).When(Attempt{noon.Add(14 * time.Second)}).ThenNothing()
	spec.Given(t, Kind, requested(), begun).When(Attempt{noon.Add(-time.Millisecond)}).ThenNothing() // decided before, recorded after
	spec.Given(t, Kind, requested(), begun).When(Attempt{noon.Add(15 * time.Second)}).Then(later(postponed(2, 15*time.Second), 15*time.Second))
	for _, over := range []event.Event{sent, lost} {
		spec.Given(t, Kind, requested(), over).When(Attempt{noon.Add(time.Hour)}).ThenNothing()
	}
	spec.Given(t, Kind).When(Attempt{noon}).ThenNothing()
}

func TestAMessageToNobodyIsGivenUp(t *testing.T) {
	spec.Given(t, Kind, requested()).When(GiveUp{"refused", noon}).Then(lost)
	spec.Given(t, Kind, requested(), sent).When(GiveUp{"refused", noon}).ThenNothing()
	spec.Given(t, Kind).When(GiveUp{"refused", noon}).ThenNothing()
}

func TestWhatIsOverIsNotPostponed(t *testing.T) {
	spec.Given(t, Kind, requested(), sent).When(Postpone{"refused", noon}).ThenNothing()
	spec.Given(t, Kind, requested(), lost).When(Postpone{"refused", noon}).ThenNothing()
}

func TestWhatNobodyAskedForIsNeitherSentNorPostponed(t *testing.T) {
	spec.Given(t, Kind).When(NoteSent{noon}).ThenNothing()
	spec.Given(t, Kind).When(Postpone{"refused", noon}).ThenNothing()
}
