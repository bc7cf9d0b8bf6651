package person

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"person.erasure-ordered.v1": ordered,
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

func TestNothingIsErasedWithoutAnOrder(t *testing.T) {
	spec.Given(t, Kind).When(NoteErased(erased)).ThenFault(ErrNotOrdered)
	spec.Given(t, Kind, ordered).When(NoteErased(erased)).Then(erased)
	spec.Given(t, Kind, ordered, erased).When(NoteErased(erased)).ThenNothing()
}
