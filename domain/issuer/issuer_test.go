package issuer

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

var noon = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

const (
	first  = event.Subject("p-operator")
	second = event.Subject("p-second")
)

var known = Introduced{"Petroleum CA", noon.AddDate(-1, 0, 0), noon.AddDate(9, 0, 0), noon}

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"issuer.introduced.v1":      known,
		"issuer.ending-proposed.v1": EndingProposed{Compromise, first, noon},
		"issuer.retired.v1":         Retired{first, second, noon},
		"issuer.compromised.v1":     Compromised{first, second, noon},
	})
}

func TestAnIssuerIsIntroducedOnce(t *testing.T) {
	spec.Given(t, Kind).When(Introduce(known)).Then(known)
	spec.Given(t, Kind, known).When(Introduce(known)).Then()
	spec.Given(t, Kind, known, Retired{first, second, noon}).When(Introduce(known)).Then()
}

func TestItTakesTwoOperatorsToEndOne(t *testing.T) {
	proposed := EndingProposed{Compromise, first, noon}
	spec.Given(t, Kind, known).When(End{Compromise, false, first, noon}).Then(proposed)
	spec.Given(t, Kind, known, proposed).When(End{Compromise, false, first, noon.Add(time.Hour)}).ThenFault(ErrFourEyes)
	spec.Given(t, Kind, known, proposed).When(End{Compromise, false, second, noon.Add(time.Hour)}).
		Then(Compromised{first, second, noon.Add(time.Hour)})
	spec.Given(t, Kind).When(End{Compromise, true, first, noon}).ThenFault(ErrUnknown)
}

func TestAProposalIsNoOtherAndNoOlderOne(t *testing.T) {
	proposed := EndingProposed{Retirement, first, noon}
	spec.Given(t, Kind, known, proposed).When(End{Compromise, true, second, noon}).Then(EndingProposed{Compromise, second, noon})
	late := noon.Add(proposalStands)
	spec.Given(t, Kind, known, proposed).When(End{Retirement, true, second, late}).Then(EndingProposed{Retirement, second, late})
	spec.Given(t, Kind, known, proposed).When(End{Retirement, true, second, late.Add(-1)}).Then(Retired{first, second, late.Add(-1)})
}

// TestACompromiseProposalIsNotWipedOutByAColleague: a slip of one would keep the other
// from being heard. The way round it is, whatever stands.
func TestACompromiseProposalIsNotWipedOutByAColleague(t *testing.T) {
	proposed := EndingProposed{Compromise, first, noon}
	soon, late := noon.Add(time.Hour), noon.Add(proposalStands)
	spec.Given(t, Kind, known, proposed).When(End{Retirement, true, second, soon}).ThenFault(ErrCompromiseProposed)
	spec.Given(t, Kind, known, EndingProposed{Retirement, first, noon}, EndingProposed{Compromise, second, noon}).
		When(End{Retirement, true, first, soon}).ThenFault(ErrCompromiseProposed)
	spec.Given(t, Kind, known, proposed).When(End{Retirement, true, first, soon}).Then(EndingProposed{Retirement, first, soon})
	spec.Given(t, Kind, known, proposed).When(End{Retirement, true, second, late}).Then(EndingProposed{Retirement, second, late})
	spec.Given(t, Kind, known, EndingProposed{Retirement, first, noon}).When(End{Compromise, true, first, soon}).Then(EndingProposed{Compromise, first, soon})
}

func TestWhoRetiresHasASuccessor(t *testing.T) {
	spec.Given(t, Kind, known).When(End{Retirement, false, first, noon}).ThenFault(ErrNoSuccessor)
	spec.Given(t, Kind, known, EndingProposed{Retirement, first, noon}).When(End{Retirement, false, second, noon}).ThenFault(ErrNoSuccessor)
}

func TestARetiredKeyMayBeCompromisedAndNotTheOtherWay(t *testing.T) {
	retired, compromised := Retired{first, second, noon}, Compromised{first, second, noon}
	spec.Given(t, Kind, known, retired).When(End{Retirement, true, first, noon}).Then()
	spec.Given(t, Kind, known, retired).When(End{Compromise, true, first, noon}).Then(EndingProposed{Compromise, first, noon})
	spec.Given(t, Kind, known, compromised).When(End{Compromise, true, first, noon}).Then()
	spec.Given(t, Kind, known, compromised).When(End{Retirement, true, first, noon}).ThenFault(ErrCompromised)
}

func TestWhoHasEnded(t *testing.T) {
	var s Issuer
	for _, step := range []struct {
		is    event.Event
		ended bool
	}{{known, false}, {EndingProposed{Retirement, first, noon}, false}, {Retired{first, second, noon}, true}, {Compromised{first, second, noon}, true}} {
		if s = Evolve(s, step.is); s.Ended() != step.ended {
			t.Errorf("after %T: ended %v", step.is, s.Ended())
		}
	}
}

// TestTheWorseEndingCounts: the CA's directory and the log may tell of two.
func TestTheWorseEndingCounts(t *testing.T) {
	for _, c := range []struct {
		log       Status
		directory Ending
		want      Ending
	}{
		{None, "", ""},
		{Open, "", ""},
		{Open, Retirement, Retirement},
		{Open, Compromise, Compromise},
		{StatusRetired, "", Retirement},
		{StatusRetired, Compromise, Compromise},
		{StatusCompromised, "", Compromise},
		{StatusCompromised, Retirement, Compromise},
	} {
		if got := (Issuer{Status: c.log}).Ending(c.directory); got != c.want {
			t.Errorf("%q in the log, %q in the directory: %q, not %q", c.log, c.directory, got, c.want)
		}
	}
}
