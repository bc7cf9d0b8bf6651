package projection

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var (
	noon    = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	skipped = EventSkipped{"requests", "enrollment-050000000018", 3, "the form is of a program that never was released", "operator", noon}
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Kind.Catalog, "testdata", map[string]event.Event{"projection.event-skipped.v1": skipped})
}

func TestAnEventIsSkippedOnceAndForAReason(t *testing.T) {
	next := skipped
	next.Revision++
	spec.Given(t, Kind).When(Skip(skipped)).Then(skipped)
	spec.Given(t, Kind, skipped).When(Skip(skipped)).ThenNothing()
	spec.Given(t, Kind, skipped).When(Skip(next)).Then(next)
	next.Reason = " "
	spec.Given(t, Kind, skipped).When(Skip(next)).ThenFault(ErrReason)
}
