package office

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{"office.opened.v1": ahvaz})
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
