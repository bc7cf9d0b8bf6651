package policy

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Kind.Catalog, "testdata", map[string]event.Event{"policy.started.v1": started})
}

func TestAPolicyStartsOnce(t *testing.T) {
	spec.Given(t, Kind).When(Start(started)).Then(started)
	spec.Given(t, Kind, started).When(Start{started.Name, noon.Add(time.Hour)}).ThenNothing()
}
