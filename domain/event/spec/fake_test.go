package spec_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// fake is a test that may fail without failing this one.
type fake struct {
	testing.TB
	said strings.Builder
}

func (f *fake) Helper() {}

func (f *fake) Errorf(format string, args ...any) {
	fmt.Fprintf(&f.said, format+"\n", args...)
}

func (f *fake) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

// fails runs a test that must fail, and returns what it said.
func fails(t *testing.T, test func(testing.TB)) string {
	t.Helper()
	said := run(test)
	if said == "" {
		t.Error("passed, but should have failed")
	}
	return said
}

func run(test func(testing.TB)) string {
	f, done := &fake{}, make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
	return f.said.String()
}

func mentions(t *testing.T, said string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("does not mention %q:\n%s", word, said)
		}
	}
}
