package commands

import (
	"slices"
	"strings"
	"testing"

	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/event"
	"govahi/domain/issuer"
	"govahi/domain/office"
)

// TestWhatLeavesTheStandingAsItIs, so that a new kind of event is put on one side
// or the other: what is held is not read again after one that stands here.
func TestWhatLeavesTheStandingAsItIs(t *testing.T) {
	var got []string
	for _, c := range []event.Catalog{issuer.Kind.Catalog, office.Kind.Catalog, appointment.Kind.Catalog, certificate.Kind.Catalog} {
		for _, e := range c.Entries() {
			if !slices.ContainsFunc(standingChanges, func(name string) bool { return strings.HasPrefix(e.Name, name) }) {
				got = append(got, e.Name)
			}
		}
	}
	want := []string{"certificate.issuance-intended.v1", "certificate.issuance-intended.v2", "certificate.signing-started.v1"}
	if !slices.Equal(got, want) {
		t.Errorf("these change nothing: %v; expected: %v", got, want)
	}
}
