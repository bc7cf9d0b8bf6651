package spec_test

import (
	"bytes"
	"errors"
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestKeeper(t *testing.T) {
	ctx, k := t.Context(), spec.NewKeeper()
	sealed, err := k.Seal(ctx, "s1", "here", []byte("Sara"))
	if err != nil || bytes.Contains(sealed, []byte("Sara")) {
		t.Fatalf("sealed as %q, %v", sealed, err)
	}
	if again, _ := spec.NewKeeper().Seal(ctx, "s1", "here", []byte("Sara")); !bytes.Equal(again, sealed) {
		t.Error("another keeper sealed the same text otherwise")
	}
	if plain, err := k.Open(ctx, "s1", "here", sealed); err != nil || string(plain) != "Sara" {
		t.Errorf("opened %q, %v", plain, err)
	}
	altered := append(bytes.Clone(sealed[:len(sealed)-1]), sealed[len(sealed)-1]^1)
	for name, open := range map[string]func() ([]byte, error){
		"other subject": func() ([]byte, error) { return k.Open(ctx, "s2", "here", sealed) },
		"other place":   func() ([]byte, error) { return k.Open(ctx, "s1", "there", sealed) },
		"altered":       func() ([]byte, error) { return k.Open(ctx, "s1", "here", altered) },
		"cut":           func() ([]byte, error) { return k.Open(ctx, "s1", "here", sealed[:5]) },
	} {
		if plain, err := open(); err == nil || plain != nil || errors.Is(err, event.ErrErased) {
			t.Errorf("%s: opened %q, %v", name, plain, err)
		}
	}
}

func TestForgottenStaysForgotten(t *testing.T) {
	ctx, k := t.Context(), spec.NewKeeper()
	sara, ali := event.About("s1", owner{"Sara"}), event.About("s2", owner{"Ali"})
	for _, p := range []event.Sealable{sara, ali} {
		if err := p.Seal(ctx, k, "here"); err != nil {
			t.Fatal(err)
		}
	}
	sealed, _ := k.Seal(ctx, "s1", "here", []byte("x"))
	k.Forget("s1")
	if _, err := k.Open(ctx, "s1", "here", sealed); !errors.Is(err, event.ErrErased) {
		t.Errorf("opened after being forgotten: %v", err)
	}
	if _, err := k.Seal(ctx, "s1", "here", []byte("x")); !errors.Is(err, event.ErrErased) {
		t.Errorf("sealed after being forgotten: %v", err)
	}
	if other, err := ali.Open(ctx, k); err != nil || other.Name != "Ali" {
		t.Errorf("the other person's data: %v, %v", other, err)
	}
}
