// Package spec tells a decider's rules as stories: given these events, when
// this is asked, then those events follow.
//
// Every event of a story, given or produced, goes through its catalog's JSON,
// so that an event which is not listed, or does not survive storage, fails the
// first test that mentions it.
package spec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Story is a stream with a past.
type Story[S any] struct {
	t      testing.TB
	kind   event.Kind[S]
	keeper *Keeper
	state  S
}

// Outcome is what a command came to.
type Outcome[S any] struct {
	story  Story[S]
	events []event.Event
	err    error
}

// Given folds the past events of a stream, oldest first, into its state. None
// is a stream that does not exist.
func Given[S any](t testing.TB, kind event.Kind[S], events ...event.Event) Story[S] {
	t.Helper()
	s := Story[S]{t: t, kind: kind, keeper: NewKeeper()}
	for _, r := range s.record("given", events) {
		s.state = kind.Evolve(s.state, r.back)
	}
	return s
}

// When puts a command to the state.
func (s Story[S]) When(cmd event.Command[S]) Outcome[S] {
	s.t.Helper()
	events, err := cmd.Decide(s.state)
	if err != nil && len(events) > 0 {
		s.t.Fatalf("%T was refused (%v) and still produced %d events", cmd, err, len(events))
	}
	return Outcome[S]{s, events, err}
}

// Then expects exactly these events, compared by name and stored JSON, with
// personal data in clear.
func (o Outcome[S]) Then(events ...event.Event) {
	t := o.story.t
	t.Helper()
	if o.err != nil {
		t.Fatalf("refused: %s", describe(o.err))
	}
	got := o.story.show(o.story.record("produced", o.events))
	want := o.story.show(o.story.record("expected", events))
	if got != want {
		t.Fatalf("other events than expected (- expected, + produced):\n%s", diff(want, got))
	}
}

// ThenNothing expects that the command was accepted and nothing followed, for
// what was asked had been done before.
func (o Outcome[S]) ThenNothing() {
	o.story.t.Helper()
	o.Then()
}

// ThenFault expects a refusal with the same code, for the same field if the
// expected fault names one.
func (o Outcome[S]) ThenFault(expected *fault.Fault) {
	t := o.story.t
	t.Helper()
	if o.err == nil {
		t.Fatalf("expected the refusal %q, but got:\n%s", expected, o.story.show(o.story.record("produced", o.events)))
	}
	got, _ := fault.Of(o.err)
	if !errors.Is(o.err, expected) || expected.Field != "" && got.Field != expected.Field {
		t.Fatalf("expected the refusal %q, but got %s", expected, describe(o.err))
	}
}

func describe(err error) string {
	if f, ok := fault.Of(err); ok {
		return fmt.Sprintf("%q (%s)", err, f.Text.En)
	}
	return fmt.Sprintf("%q, which is no fault", err)
}

// stored is an event as the log would hold it, and as it comes back.
type stored struct {
	name string
	data []byte
	back event.Event
}

func (s Story[S]) record(role string, events []event.Event) []stored {
	s.t.Helper()
	all := make([]stored, len(events))
	for i, e := range events {
		r, err := store(s.kind, s.keeper, e)
		if err != nil {
			s.t.Fatalf("%s event %d, %T: %v", role, i+1, e, err)
		}
		all[i] = r
	}
	return all
}

// store sends an event through JSON and back, twice: what the second turn
// changes would change in the log's readers too.
func store[S any](kind event.Kind[S], keeper event.Keeper, e event.Event) (stored, error) {
	first, err := encode(kind, keeper, e)
	if err != nil {
		return stored{}, err
	}
	second, err := encode(kind, keeper, first.back)
	if err != nil {
		return stored{}, err
	}
	if first.name != second.name || !bytes.Equal(first.data, second.data) {
		return stored{}, fmt.Errorf("does not survive JSON: stored as %s %s, but again as %s %s",
			first.name, first.data, second.name, second.data)
	}
	return first, nil
}

func encode[S any](kind event.Kind[S], keeper event.Keeper, e event.Event) (stored, error) {
	stream := kind.Stream("spec")
	proposed, err := kind.Encode(context.Background(), keeper, stream, event.Meta{CommandID: "spec"}, []event.Event{e})
	if err != nil {
		return stored{}, err
	}
	p := proposed[0]
	back, err := kind.Catalog.Open(event.Recorded{Stream: stream, ID: p.ID, Type: p.Type, Data: p.Data, Meta: p.Meta})
	return stored{p.Type, p.Data, back}, err
}
