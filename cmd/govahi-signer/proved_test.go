package main

import (
	"strings"
	"testing"

	"govahi/adapters/token"
)

// said is a key of which a token says this.
type said token.Protection

func (s said) Protection() (token.Protection, error) { return token.Protection(s), nil }

// TestAKeyThatMayLeaveEndsTheCeremony: whatever was asked of the token, its own
// word on the key counts.
func TestAKeyThatMayLeaveEndsTheCeremony(t *testing.T) {
	right := said{Local: true, Sensitive: true, AlwaysSensitive: true, NeverExtractable: true}
	if err := proved("issuer", right); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*said){
		"imported":          func(s *said) { s.Local = false },
		"not sensitive":     func(s *said) { s.Sensitive = false },
		"once readable":     func(s *said) { s.AlwaysSensitive = false },
		"extractable":       func(s *said) { s.Extractable = true },
		"once extractable":  func(s *said) { s.NeverExtractable = false },
		"may be changed":    func(s *said) { s.Modifiable = true },
		"says nothing true": func(s *said) { *s = said{} },
	} {
		key := right
		spoil(&key)
		if err := proved("issuer", key); err == nil || !strings.Contains(err.Error(), "issuer key") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
