package idempotency

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var (
	noon    = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	seventh = uint64(7)
	asked   = Claimed{Question: "5f3a", Stream: "enrollment-052527775641", At: noon}
	idle    = Claimed{Question: "5f3a", Stream: "appointment-p-sara", Revision: &seventh, At: noon}
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Kind.Catalog, "testdata", map[string]event.Event{"idempotency.claimed.v1": idle})
}

func TestAKeyNamesOneQuestionForGood(t *testing.T) {
	spec.Given(t, Kind).When(Claim(asked)).Then(asked)
	spec.Given(t, Kind, asked).When(Claim(asked)).ThenNothing()
	spec.Given(t, Kind, idle).When(Claim(asked)).ThenNothing()
	other := asked
	other.Question = "c0de"
	spec.Given(t, Kind, asked).When(Claim(other)).ThenFault(ErrReused)
}

// TestWhatOthersDidMeanwhileIsKept: nothing is left to do of what a key was taken
// for.
func TestWhatOthersDidMeanwhileIsKept(t *testing.T) {
	begun := asked
	begun.Stream = idle.Stream
	spec.Given(t, Kind, begun).When(Claim(idle)).Then(idle)
	later, eighth := idle, uint64(8)
	later.Revision = &eighth
	spec.Given(t, Kind, begun, idle).When(Claim(later)).ThenNothing()
	spec.Given(t, Kind, asked).When(Claim(idle)).ThenNothing() // the answer stands elsewhere
}
