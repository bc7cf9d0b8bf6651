package office

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/iran"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"office.opened.v2":             ahvaz,
		"office.licensed.v1":           Licensed{"L-1", noon, noon.AddDate(1, 0, 0), "p-operator", noon},
		"office.controls-announced.v1": ControlsAnnounced{[]string{"telephone"}, "شنبه تا چهارشنبه", "p-officer", noon},
	})
}

func TestACodeNamesOneOffice(t *testing.T) {
	spec.Given(t, Kind).When(Open(ahvaz)).Then(ahvaz)
	second := Open(ahvaz)
	second.Name = "دفتر دوم"
	spec.Given(t, Kind, ahvaz).When(second).ThenFault(ErrTaken.At("code"))
	spec.Given(t, Kind, ahvaz).When(Open(ahvaz)).ThenFault(ErrTaken.At("code"))
}

func TestAnOfficeIsOfASort(t *testing.T) {
	unsorted := Open(ahvaz)
	unsorted.Sort = "kiosk"
	spec.Given(t, Kind).When(unsorted).ThenFault(ErrSort)
}

func TestAUnitMayBelongToACompany(t *testing.T) {
	at := func(s Sort, company string) Open {
		o := Open(ahvaz)
		o.Sort, o.Company = s, company
		return o
	}
	for sort, may := range map[Sort]struct{ without, with bool }{
		Registration: {true, false}, Authority: {true, false}, Research: {true, true}, CompanyUnit: {false, true},
	} {
		for company, ok := range map[string]bool{"": may.without, "10999001013": may.with} {
			o := at(sort, company)
			if ok {
				spec.Given(t, Kind).When(o).Then(Opened(o))
			} else {
				spec.Given(t, Kind).When(o).ThenFault(ErrCompany)
			}
		}
	}
}

func TestALicenceLastsThreeYearsAtMost(t *testing.T) {
	term := func(from, until time.Time) License { return License{"L-1", from, until, "p-operator", noon} }
	one, newYear := term(noon, noon.AddDate(3, 0, 0)), time.Date(2026, 1, 1, 0, 0, 0, 0, iran.Tehran())
	spec.Given(t, Kind).When(one).ThenFault(ErrNotFound)
	spec.Given(t, Kind, ahvaz).When(one).Then(Licensed(one))
	spec.Given(t, Kind, ahvaz, Licensed(one)).When(one).ThenNothing()
	for name, wrong := range map[string]License{
		"too long": term(noon, noon.AddDate(3, 0, 0).Add(1)), "too long by either calendar": term(newYear, newYear.AddDate(3, 0, 1)), "empty": term(noon, noon), "backwards": term(noon, noon.Add(-time.Hour)),
	} {
		t.Run(name, func(t *testing.T) { spec.Given(t, Kind, ahvaz).When(wrong).ThenFault(ErrTerm) })
	}
	spec.Given(t, Kind, ahvaz, Licensed(one)).When(term(noon, noon.AddDate(1, 0, 0))).Then(Licensed(term(noon, noon.AddDate(1, 0, 0))))
}

// TestThreeYearsAreThoseOfEitherCalendar: from any day of the coming thirty years the
// longer three are the limit, and not a second more.
func TestThreeYearsAreThoseOfEitherCalendar(t *testing.T) {
	for from := iran.FromTime(noon); from.Year < 1435; from = from.AddDays(1) {
		jalali := iran.Date{Year: from.Year + 3, Month: from.Month, Day: from.Day}
		end := from.Time().AddDate(3, 0, 0)
		if jalali.Valid() && jalali.Time().After(end) {
			end = jalali.Time()
		}
		for until, ok := range map[time.Time]bool{end: true, end.Add(time.Second): false} {
			_, err := License{"L-1", from.Time(), until, "p-operator", noon}.Decide(Evolve(Office{}, ahvaz))
			if (err == nil) != ok {
				t.Errorf("from %s until %s: %v", from, until, err)
			}
		}
	}
}

func TestALicenceIsInForceUntilItsEnd(t *testing.T) {
	s := Evolve(Evolve(Office{}, ahvaz), Licensed{"L-1", noon, noon.Add(time.Hour), "p-operator", noon})
	for at, ok := range map[time.Time]bool{
		noon.Add(-time.Second): false, noon: true, noon.Add(time.Hour - time.Second): true, noon.Add(time.Hour): false,
	} {
		if s.Licensed(at) != ok {
			t.Errorf("licensed at %s: %v", at, !ok)
		}
	}
	if (Office{}).Licensed(noon) {
		t.Error("an office that has no licence is licensed")
	}
}
