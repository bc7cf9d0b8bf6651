package commands_test

import (
	"slices"
	"testing"

	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/issuer"
	"govahi/domain/office"
)

// TestWhatLeavesTheStandingAsItIs, so that a new kind of event is put on one side
// or the other: what is held is not read again after one that stands here.
func TestWhatLeavesTheStandingAsItIs(t *testing.T) {
	s := commands.NewStanding(memlog.New())
	got := slices.Concat(s.Misses(issuer.Kind.Catalog), s.Misses(office.Kind.Catalog), s.Misses(appointment.Kind.Catalog), s.Misses(certificate.Kind.Catalog))
	want := []string{"certificate.issuance-intended.v1", "certificate.issuance-intended.v2", "certificate.signing-started.v1"}
	if !slices.Equal(got, want) {
		t.Errorf("these change nothing: %v; expected: %v", got, want)
	}
}
