package profile

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var noon = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

func TestGolden(t *testing.T) {
	spec.Golden(t, Kind.Catalog, "testdata", map[string]event.Event{"profile.claimed.v1": Claimed{"9f0f", noon}})
}

func TestAVersionSaysOneThingForGood(t *testing.T) {
	spec.Given(t, Kind).When(Claim{"9f0f", noon}).Then(Claimed{"9f0f", noon})
	spec.Given(t, Kind, Claimed{"9f0f", noon}).When(Claim{"9f0f", noon.Add(time.Hour)}).Then()
	spec.Given(t, Kind, Claimed{"9f0f", noon}).When(Claim{"0ther", noon}).ThenFault(ErrChanged)
}
