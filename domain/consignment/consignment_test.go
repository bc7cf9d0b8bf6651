package consignment

import (
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

const nima event.Subject = "p-nima"

var (
	noon      = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	sent      = Dispatched{"050000000018", "unit-rt", "authority", []string{"a", "b"}, "S-1", nima, noon}
	complete  = Received{Dossiers: []string{"b", "a"}, SealIntact: true, By: nima, At: noon}
	short     = Received{Dossiers: []string{"a"}, SealIntact: true, Missing: []string{"b"}, By: nima, At: noon}
	calledOff = CalledOff{"050000000026", nima, noon}
	resolved  = DiscrepancyResolved{Found: []string{"b"}, Cause: LeftBehind, By: nima, At: noon}
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"consignment.dispatched.v1":           sent,
		"consignment.received.v1":             short,
		"consignment.discrepancy-resolved.v1": resolved,
		"consignment.called-off.v1":           calledOff,
	})
	spec.Golden(t, Packing.Catalog, "testdata", map[string]event.Event{
		"packing.taken.v1":    instead,
		"packing.released.v1": released,
	})
}

func TestEachDossierIsInTheBagOnce(t *testing.T) {
	spec.Given(t, Kind).When(Dispatch(sent)).Then(sent)
	spec.Given(t, Kind, sent).When(Dispatch(sent)).ThenNothing()
	for _, wrong := range [][]string{nil, {"a", "a"}, make([]string, 201)} {
		d := Dispatch(sent)
		d.Dossiers = wrong
		spec.Given(t, Kind).When(d).ThenFault(ErrEmpty)
	}
}

func TestTheCountsAreCompared(t *testing.T) {
	receive := func(intact bool, found ...string) Receive { return Receive{found, intact, nima, noon} }
	spec.Given(t, Kind, sent).When(receive(true, "b", "a")).Then(complete)
	spec.Given(t, Kind, sent).When(receive(true, "a")).Then(short)
	spec.Given(t, Kind, sent).When(receive(true, "a", "b", "c")).Then(Received{Dossiers: []string{"a", "b", "c"}, SealIntact: true, Surplus: []string{"c"}, By: nima, At: noon})
	spec.Given(t, Kind, sent).When(receive(true)).Then(Received{SealIntact: true, Missing: []string{"a", "b"}, By: nima, At: noon})
	spec.Given(t, Kind, sent, complete).When(receive(true, "a", "b")).ThenNothing()
	spec.Given(t, Kind, sent, complete).When(receive(true, "a")).ThenFault(ErrReceived)
	spec.Given(t, Kind, sent, complete).When(receive(false, "a", "b")).ThenFault(ErrReceived)
	spec.Given(t, Kind, sent).When(receive(true, "a", "a")).ThenFault(ErrEmpty)
	spec.Given(t, Kind).When(receive(true, "a")).ThenFault(ErrNotFound)
}

func TestADifferenceIsAccountedFor(t *testing.T) {
	resolve := func(found, lost []string) Resolve { return Resolve{found, lost, LeftBehind, nima, noon} }
	spec.Given(t, Kind, sent, short).When(resolve([]string{"b"}, nil)).Then(resolved)
	spec.Given(t, Kind, sent, short, resolved).When(resolve([]string{"b"}, nil)).ThenNothing()
	for _, other := range []Resolve{resolve(nil, []string{"b"}), {[]string{"b"}, nil, Tampered, nima, noon}} {
		spec.Given(t, Kind, sent, short, resolved).When(other).ThenFault(ErrResolved)
	}
	for _, wrong := range []Resolve{resolve(nil, nil), resolve([]string{"a"}, nil), resolve([]string{"b"}, []string{"b"}), resolve([]string{"b", "c"}, nil)} {
		spec.Given(t, Kind, sent, short).When(wrong).ThenFault(ErrUnaccounted)
	}
	spec.Given(t, Kind, sent, complete).When(resolve(nil, nil)).ThenFault(ErrNotDiscrepant)
	opened := Received{Dossiers: []string{"a", "b"}, By: nima, At: noon} // all there, and the seal broken
	spec.Given(t, Kind, sent, opened).When(resolve(nil, nil)).Then(DiscrepancyResolved{Cause: LeftBehind, By: nima, At: noon})
}
