package person

import (
	"regexp"
	"slices"
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	free := ordered
	free.LegalBasis = "own-request" // written before there was a list, and to be read for good
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"person.erasure-ordered.v1": free,
		"person.erased.v1":          erased,
	})
}

func TestGoldenOfAddressing(t *testing.T) {
	spec.Golden(t, Addressing.Catalog, "testdata/addressing", map[string]event.Event{"erasure.addressed.v1": sara})
}

func TestAnOrderConcernsOnePersonForGood(t *testing.T) {
	spec.Given(t, Addressing).When(Address(sara)).Then(sara)
	later := Address{"p-whoever-has-the-code-now", noon}
	spec.Given(t, Addressing, sara).When(later).ThenNothing()
}

func TestErasureIsOrderedOnce(t *testing.T) {
	spec.Given(t, Kind).When(OrderErasure(ordered)).Then(ordered)
	spec.Given(t, Kind, ordered).When(OrderErasure(ordered)).ThenNothing()
	spec.Given(t, Kind, ordered, erased).When(OrderErasure(ordered)).ThenNothing()
}

func TestLegalBasesAreNamesAndNoProse(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`)
	for i, basis := range LegalBases {
		if !name.MatchString(basis) || slices.Contains(LegalBases[:i], basis) {
			t.Errorf("%q is no name of its own", basis)
		}
	}
	if !slices.Contains(LegalBases, ordered.LegalBasis) {
		t.Errorf("nobody may ask for the erasure of his own data: %q", LegalBases)
	}
}

func TestNothingIsErasedWithoutAnOrder(t *testing.T) {
	spec.Given(t, Kind).When(NoteErased(erased)).ThenFault(ErrNotOrdered)
	spec.Given(t, Kind, ordered).When(NoteErased(erased)).Then(erased)
	spec.Given(t, Kind, ordered, erased).When(NoteErased(erased)).ThenNothing()
}
