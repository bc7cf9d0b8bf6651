package commands_test

import (
	"errors"
	"strings"
	"testing"

	"govahi/adapters/pki/profiles"
	"govahi/commands"
	"govahi/domain/fault/faulttest"
	"govahi/domain/profile"
)

// otherwise is an authority with other profiles.
type otherwise struct {
	commands.Authority
	set profile.Set
}

func (o otherwise) Profiles() profile.Set { return o.set }

// setWith is the default profiles with one of them changed.
func setWith(t *testing.T, id string, change func(*profile.Profile)) profile.Set {
	t.Helper()
	var files []profile.File
	for _, p := range profiles.Default().All() {
		if p.ID() == id {
			change(&p)
		}
		files = append(files, profile.File{Name: p.ID() + ".yaml", Profile: p})
	}
	s, err := profile.NewSet(files...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAProfileIsNeverChangedOnceUsed(t *testing.T) {
	h := open(t)
	stream := profile.Kind.Stream("cpmis-signature@2")
	for range 2 { // a second start finds it as it was
		if err := h.ClaimProfiles(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(h.stream(stream)); n != 1 {
		t.Errorf("claimed %d times", n)
	}
	h.Authority = otherwise{h.Authority, setWith(t, "cpmis-signature@2", func(p *profile.Profile) { p.Validity.Years = 2 })}
	err := h.ClaimProfiles(t.Context())
	if !errors.Is(err, profile.ErrChanged) || !strings.Contains(err.Error(), "cpmis-signature@2.yaml") || faulttest.Remarked(err.Error(), "version") != nil {
		t.Errorf("started with %v", err)
	}
	h.Authority = otherwise{h.Authority, setWith(t, "cpmis-signature@2", func(p *profile.Profile) { p.Version = 3; p.Validity.Years = 2 })}
	if err := h.ClaimProfiles(t.Context()); err != nil {
		t.Errorf("a new version: %v", err)
	}
	h.Authority = otherwise{h.Authority, profiles.Default()} // the new one is gone: certificates would be issued by the old one again
	err = h.ClaimProfiles(t.Context())
	if !errors.Is(err, profile.ErrGone) || !strings.Contains(err.Error(), "cpmis-signature@3") || faulttest.Remarked(err.Error(), "version") != nil {
		t.Errorf("started without it: %v", err)
	}
}
