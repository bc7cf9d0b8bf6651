package revocation

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"revocation.opened.v1":                 reported(),
		"revocation.evidence-added.v1":         added(),
		"revocation.investigation-opened.v1":   investigated,
		"revocation.inaccuracy-refuted.v1":     refuted(),
		"revocation.inaccuracy-established.v2": established(),
	})
	spec.Golden(t, File.Catalog, "testdata", map[string]event.Event{"casefile.filed.v1": Filed{number, "p-reporter/k/ReportInaccuracy", noon}})
}

func TestADoubtOpensACaseOrFeedsIt(t *testing.T) {
	spec.Given(t, Kind).When(reporting()).Then(reported())
	spec.Given(t, Kind, reported()).When(bouncing()).Then(added())
	spec.Given(t, Kind, reported(), investigated).When(bouncing()).Then(added())
	spec.Given(t, Kind, reported(), refuted()).When(reporting()).ThenFault(ErrOver)
	spec.Given(t, Kind, reported(), established()).When(reporting()).ThenFault(ErrOver)
	spec.Given(t, Kind).When(bouncing()).Then(Opened{"140500000022", serial, Bounced, &bounce, nil, "", later})
}

func TestTheCAInvestigatesOnce(t *testing.T) {
	begin := Investigate{operator, later}
	spec.Given(t, Kind).When(begin).ThenFault(ErrNotFound)
	spec.Given(t, Kind, reported()).When(begin).Then(investigated)
	spec.Given(t, Kind, reported(), investigated).When(begin).ThenNothing()
	spec.Given(t, Kind, reported(), refuted()).When(begin).ThenFault(ErrOver)
}

func TestACaseIsDecided(t *testing.T) {
	for _, past := range [][]event.Event{{reported()}, {reported(), investigated}, {reported(), added()}} {
		spec.Given(t, Kind, past...).When(closing(false)).Then(refuted())
		spec.Given(t, Kind, past...).When(closing(true)).Then(established())
	}
}

func TestWhatIsEstablishedFollowsFromTheSourceOrIsSaid(t *testing.T) {
	for source, finding := range map[Source]Finding{
		Reported: FalseInformation, Bounced: FalseInformation, Mismatched: FalseInformation, Cancelled: FalseInformation,
		Died: HolderDead, Unaffiliated: AffiliationLost, Investigated: FalseInformation,
	} {
		opened, e := reported(), established()
		opened.Source, e.Finding = source, finding
		spec.Given(t, Kind, opened).When(closing(true)).Then(e)
		said := closing(true)
		said.Finding, e.Finding = HolderDead, HolderDead
		spec.Given(t, Kind, opened).When(said).Then(e)
	}
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
		fed := added()
		fed.Source, fed.By = Reported, operator
		spec.Given(t, Kind, reported(), fed).When(closing(verdict)).ThenFault(ErrOwnReport)
		fed.Source = Investigated // what the CA found itself
		spec.Given(t, Kind, reported(), fed).When(Investigate{operator, later}).Then(investigated)
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
	spec.Given(t, Kind, past...).When(reporting()).ThenFault(ErrOver)
	spec.Given(t, Kind, past...).When(Investigate{operator, later}).ThenFault(ErrOver)
	spec.Given(t, Kind, reported(), refuted()).When(closing(true)).ThenFault(ErrClosed)
}

func TestOneCaseIsOpenAtATime(t *testing.T) {
	first := Filed{"1", "a", noon}
	spec.Given(t, File).When(PutOnFile{"a", "1", "", noon}).Then(first)
	spec.Given(t, File, first).When(PutOnFile{"a", "2", "", noon}).ThenNothing()
	spec.Given(t, File, first).When(PutOnFile{"b", "2", "", noon}).Then(Filed{"1", "b", noon})
	spec.Given(t, File, first).When(PutOnFile{"b", "2", "1", noon}).Then(Filed{"2", "b", noon})
	spec.Given(t, File, first, Filed{"2", "b", noon}).When(PutOnFile{"a", "3", "1", noon}).Then(Filed{"2", "a", noon}) // not there before 1 was over
	spec.Given(t, File, first, Filed{"2", "b", noon}).When(PutOnFile{"c", "3", "1", noon}).Then(Filed{"2", "c", noon})
	spec.Given(t, File, first, Filed{"2", "b", noon}).When(PutOnFile{"a", "3", "", noon}).ThenNothing()
}
