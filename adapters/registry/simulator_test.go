package registry_test

import (
	"errors"
	"testing"

	"govahi/adapters/registry"
	"govahi/commands"
	"govahi/domain/inquiry"
)

func TestEighthDigitChoosesTheRegistry(t *testing.T) {
	ask := func(s *registry.Simulator, digit string) (commands.RegistryAnswer, error) {
		return s.Inquire(t.Context(), "i-"+digit, commands.RegistryQuestion{PersonCode: "9992000" + digit + "01"})
	}
	s := registry.NewSimulator()
	if a, err := ask(s, "0"); err != nil || !a.Matched || a.TrackingCode == "" {
		t.Errorf("matched: %+v, %v", a, err)
	}
	if a, err := ask(s, "5"); err != nil || a.Matched || a.TrackingCode == "" {
		t.Errorf("mismatch: %+v, %v", a, err)
	}
	if a, err := ask(s, "6"); err != nil || a.Inconclusive == "" {
		t.Errorf("inconclusive: %+v, %v", a, err)
	}
	if a, _ := ask(s, "7"); a.Deferred != inquiry.OutOfHours {
		t.Errorf("deferred: %+v", a)
	}
	if a, err := ask(s, "7"); err != nil || !a.Matched {
		t.Errorf("then matched: %+v, %v", a, err)
	}
	for range 2 {
		if _, err := ask(s, "8"); !errors.Is(err, registry.ErrDown) {
			t.Errorf("down: %v", err)
		}
	}
	if a, err := ask(s, "8"); err != nil || !a.Matched {
		t.Errorf("up again: %+v, %v", a, err)
	}
	if _, err := ask(s, "9"); !errors.Is(err, registry.ErrDown) {
		t.Errorf("always down: %v", err)
	}
}
