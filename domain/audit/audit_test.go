package audit

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var (
	noon    = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	started = Started{"house-1", noon}
	result  = Completed{
		Upto: Upto{"certificate-6701", 2}, Checked: 7, Abandoned: 1, Erased: 1, Listed: 2, Asked: 8,
		Differences: map[string]int{"lint": 1}, Handler: "house-1", At: noon,
	}
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Kind.Catalog, "testdata", map[string]event.Event{"audit.started.v1": started, "audit.completed.v1": result})
}

func TestOneProcessMakesTheDaysAudit(t *testing.T) {
	spec.Given(t, Kind).When(Start(started)).Then(started)
	other := Start{"house-2", noon.Add(time.Hour)}
	spec.Given(t, Kind, started).When(other).ThenFault(ErrRunning)
	spec.Given(t, Kind, started, result).When(other).ThenNothing()
	again := Start{"house-1", noon.Add(time.Second)}
	spec.Given(t, Kind, started).When(again).Then(Started(again))
	late := Start{"house-2", noon.Add(lease)}
	spec.Given(t, Kind, started).When(late).Then(Started(late))
}

func TestTheAuditEndsOnce(t *testing.T) {
	spec.Given(t, Kind, started).When(Complete(result)).Then(result)
	spec.Given(t, Kind, started, result).When(Complete(result)).ThenNothing()
	spec.Given(t, Kind, started, Started{"house-2", noon.Add(lease)}).When(Complete(result)).ThenFault(ErrRunning)
	spec.Given(t, Kind).When(Complete(result)).ThenFault(ErrRunning)
}
