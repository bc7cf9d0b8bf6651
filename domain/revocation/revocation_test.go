package revocation

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"revocation.inaccuracy-reported.v1":    reported(),
		"revocation.inaccuracy-refuted.v1":     refuted(),
		"revocation.inaccuracy-established.v1": established(),
	})
}

func TestAReportOpensACase(t *testing.T) {
	spec.Given(t, Kind).When(reporting()).Then(reported())
	spec.Given(t, Kind, reported()).When(reporting()).ThenNothing()
	spec.Given(t, Kind, reported(), refuted()).When(reporting()).ThenNothing()
}

func TestACaseIsDecided(t *testing.T) {
	spec.Given(t, Kind, reported()).When(closing(false)).Then(refuted())
	spec.Given(t, Kind, reported()).When(closing(true)).Then(established())
}

func TestNoReportNoCase(t *testing.T) {
	spec.Given(t, Kind).When(closing(true)).ThenFault(ErrNotFound)
	spec.Given(t, Kind).When(closing(false)).ThenFault(ErrNotFound)
}

func TestAReporterDoesNotDecideHisOwnReport(t *testing.T) {
	for _, verdict := range []bool{true, false} {
		own := closing(verdict)
		own.By = reporter
		spec.Given(t, Kind, reported()).When(own).ThenFault(ErrOwnReport)
	}
}

func TestTheSameVerdictTwiceIsDoneOnce(t *testing.T) {
	spec.Given(t, Kind, reported(), refuted()).When(closing(false)).ThenNothing()
	spec.Given(t, Kind, reported(), established()).When(closing(true)).ThenNothing()
}

// Invariant 7: no command can keep the certificate valid.
func TestAnEstablishedFalsityStands(t *testing.T) {
	past := []event.Event{reported(), established()}
	spec.Given(t, Kind, past...).When(closing(false)).ThenFault(ErrClosed)
	spec.Given(t, Kind, past...).When(reporting()).ThenNothing()
	spec.Given(t, Kind, reported(), refuted()).When(closing(true)).ThenFault(ErrClosed)
}
