package ceremony

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var noon = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

// recorded is of the text abc (FIPS 180-2 Appendix B.1).
var recorded = Recorded{"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "20261122T083000Z-development.html", "abc", noon}

func TestGolden(t *testing.T) {
	spec.Golden(t, Kind.Catalog, "testdata", map[string]event.Event{"ceremony.recorded.v1": recorded})
}

func TestATranscriptIsRecordedOnce(t *testing.T) {
	record := Record{recorded.Name, "abc", noon}
	spec.Given(t, Kind).When(record).Then(recorded)
	record.At = noon.Add(time.Hour)
	spec.Given(t, Kind, recorded).When(record).Then()
}
