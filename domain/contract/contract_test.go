package contract

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var (
	noon      = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	year      = noon.AddDate(1, 0, 0)
	concluded = Concluded{"Q-1", year, "p-manager", noon}
	ended     = Ended{"Q-1", "p-manager", noon}
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{"contract.concluded.v1": concluded, "contract.ended.v1": ended})
}

func TestTheLatestContractCounts(t *testing.T) {
	spec.Given(t, Kind).When(Conclude(concluded)).Then(concluded)
	spec.Given(t, Kind, concluded).When(Conclude(concluded)).ThenNothing()
	longer := Concluded{"Q-2", year.AddDate(1, 0, 0), "p-manager", noon}
	spec.Given(t, Kind, concluded).When(Conclude(longer)).Then(longer)
	spec.Given(t, Kind, concluded, ended).When(Conclude(concluded)).Then(concluded)
}

func TestWhatIsNoContractIsRefused(t *testing.T) {
	for _, until := range []time.Time{noon, noon.Add(-time.Hour), {}} {
		spec.Given(t, Kind).When(Conclude{"Q-1", until, "p-manager", noon}).ThenFault(ErrEnd)
	}
	spec.Given(t, Kind).When(Conclude{"", year, "p-manager", noon}).ThenFault(ErrNumber)
}

func TestAContractIsEndedOnce(t *testing.T) {
	end := End{"p-manager", noon}
	spec.Given(t, Kind).When(end).ThenFault(ErrNone)
	spec.Given(t, Kind, concluded).When(end).Then(ended)
	spec.Given(t, Kind, concluded, ended).When(end).ThenNothing()
}

func TestAContractCountsUntilItsEnd(t *testing.T) {
	s := Evolve(Contract{}, concluded)
	for at, want := range map[time.Time]bool{noon: true, year.Add(-1): true, year: false} {
		if s.InForce(at) != want {
			t.Errorf("at %s it is in force: %v", at, !want)
		}
	}
	if Evolve(s, ended).InForce(noon) || (Contract{}).InForce(noon) {
		t.Error("what is ended, or was never concluded, is in force")
	}
}
