package tariff

import (
	"errors"
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/iran"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{"tariff.published.v2": published(2, noon)})
	old, err := Catalog.Decode("tariff.published.v1", []byte(`{"product":"cpmis-signature","version":2}`))
	if e, ok := old.(Published); err != nil || !ok || e.Level != Silver || e.IssuerKind != Governmental || e.Version != 2 {
		t.Errorf("the old shape is read as %+v, %v", old, err)
	}
}

func TestVersionsAreNumbered(t *testing.T) {
	spec.Given(t, Kind).When(publishing(1, noon)).Then(published(1, noon))
	spec.Given(t, Kind, published(1, noon)).When(publishing(2, noon)).Then(published(2, noon))
}

func TestAmountsAreNotNegative(t *testing.T) {
	for _, c := range []Publish{{TokenRial: -1}, {IssuanceRial: -1}} {
		c.Level, c.IssuerKind = Silver, Governmental
		spec.Given(t, Kind).When(c).ThenFault(ErrAmount)
	}
}

func TestATotalOfZeroIsRefused(t *testing.T) {
	spec.Given(t, Kind).When(Publish{Product: "free", Level: Silver, IssuerKind: Governmental, At: noon}).ThenFault(ErrAmount)
	spec.Given(t, Kind, published(1, noon)).When(Publish{Product: "cpmis-signature", Level: Silver, IssuerKind: Governmental, At: noon}).ThenFault(ErrAmount)
	for _, amounts := range [][2]int64{{1, 0}, {0, 1}} { // one of the two may be for nothing
		spec.Given(t, Kind).When(Publish{Level: Gold, IssuerKind: NonGovernmental, TokenRial: amounts[0], IssuanceRial: amounts[1], ValidFrom: noon, At: noon}).
			Then(Published{Level: Gold, IssuerKind: NonGovernmental, Version: 1, TokenRial: amounts[0], IssuanceRial: amounts[1], ValidFrom: noon, At: noon})
	}
}

// TestATariffBeginsOnADayOfTheCalendar: the public page prints it.
func TestATariffBeginsOnADayOfTheCalendar(t *testing.T) {
	first, after := iran.Date{Year: iran.FirstYear, Month: 1, Day: 1}.Time(), iran.Date{Year: iran.LastYear + 1, Month: 1, Day: 1}.Time()
	for from, ok := range map[time.Time]bool{
		{}: false, time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC): false, first.Add(-1): false, first: true, after.Add(-1): true, after: false,
	} {
		if c := publishing(1, from); ok {
			spec.Given(t, Kind).When(c).Then(published(1, from))
		} else {
			spec.Given(t, Kind).When(c).ThenFault(ErrFrom)
		}
	}
}

func TestTheTariffInForce(t *testing.T) {
	day := 24 * time.Hour
	s := Tariff{published(1, noon), published(2, noon.Add(10*day)), published(3, noon.Add(5*day))}
	for at, want := range map[time.Duration]int{
		0: 1, 5*day - 1: 1, 5 * day: 3, 9 * day: 3, 10 * day: 3, // the latest published of those that have begun
	} {
		if got, err := s.At(noon.Add(at), Silver, Governmental); err != nil || got.Version != want {
			t.Errorf("after %s: version %d, %v", at, got.Version, err)
		}
	}
	for name, s := range map[string]Tariff{"none": nil, "not yet": s} {
		if _, err := s.At(noon.Add(-1), Silver, Governmental); !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheTotalIsTokenAndIssuance(t *testing.T) {
	if total := published(1, noon).TotalRial(); total != 3_500_000 {
		t.Errorf("%d rial", total)
	}
}

func TestAStateIsAValue(t *testing.T) {
	var s Tariff
	for version := 1; version <= 5; version++ { // some of these leave room behind the last
		a, b := Evolve(s, published(8, noon)), Evolve(s, published(9, noon))
		if a[version-1].Version != 8 || b[version-1].Version != 9 {
			t.Errorf("a later version changed an earlier state: %d", a[version-1].Version)
		}
		s = append(s, published(version, noon))
	}
}

func TestAmountsAreBounded(t *testing.T) {
	for _, p := range []Publish{{TokenRial: mostRial + 1}, {TokenRial: 1, IssuanceRial: 1<<63 - 1}} {
		p.Level, p.IssuerKind = Silver, Governmental
		spec.Given(t, Kind).When(p).ThenFault(ErrAmount)
	}
}

// TestEachLevelAndIssuerHasItsOwnTariff: what is published for one is no price
// of another.
func TestEachLevelAndIssuerHasItsOwnTariff(t *testing.T) {
	gold := published(2, noon)
	gold.Level = Gold
	private := published(3, noon)
	private.IssuerKind = NonGovernmental
	s := Tariff{published(1, noon), gold, private}
	for _, want := range s {
		if got, err := s.At(noon, want.Level, want.IssuerKind); err != nil || got != want {
			t.Errorf("level %d, %s: %+v, %v", want.Level, want.IssuerKind, got, err)
		}
	}
	if _, err := s.At(noon, Platinum, Governmental); !errors.Is(err, ErrNone) {
		t.Errorf("a level without a tariff: %v", err)
	}
}

func TestALevelOrIssuerThatIsNoneIsRefused(t *testing.T) {
	for _, c := range []Publish{
		{Level: 0, IssuerKind: Governmental},
		{Level: 5, IssuerKind: Governmental},
		{Level: -1, IssuerKind: Governmental},
		{Level: Silver},
		{Level: Silver, IssuerKind: "other"},
	} {
		c.TokenRial = 1
		spec.Given(t, Kind).When(c).ThenFault(ErrClass)
	}
}
