package event

import (
	"context"
	"encoding/json"
)

// Kind describes one kind of stream: its category, its events, and how a state
// follows from them. State is a value; Evolve is one switch.
type Kind[S any] struct {
	Category string
	Catalog  Catalog
	Evolve   func(S, Event) S
	Status   func(S) string // for the metadata, so that views need not fold; optional
	Life     Life           // for refusals; nil where nobody is refused for a state
}

// Stream names the stream of one thing of this kind.
func (k Kind[S]) Stream(id ...string) Stream { return NewStream(k.Category, id...) }

// Fold is what a stream says as the log holds it now; of one that is not begun the
// zero state. It fails as the log does, or if an event cannot be read.
func (k Kind[S]) Fold(ctx context.Context, log Log, stream Stream) (state S, err error) {
	for r, err := range log.Read(ctx, stream, 0) {
		if err != nil {
			return state, err
		}
		if state, err = k.FoldOn(state, r); err != nil {
			return state, err
		}
	}
	return state, nil
}

// FoldOn goes on from a state.
func (k Kind[S]) FoldOn(state S, records ...Recorded) (S, error) {
	for _, r := range records {
		e, err := k.Catalog.Open(r)
		if err != nil {
			return state, err
		}
		state = k.Evolve(state, e)
	}
	return state, nil
}

// Command is a request with its rule: pure, from a state to what follows.
// No events and no error means: asked before, done already.
type Command[S any] interface{ Decide(S) ([]Event, error) }

// Encode turns decided events into proposed ones: personal data sealed for its
// place, names from the catalog, IDs derived from command and order.
func (k Kind[S]) Encode(ctx context.Context, keeper Keeper, stream Stream, meta Meta, events []Event) ([]Proposed, error) {
	metaJSON, err := meta.Encode()
	if err != nil {
		return nil, err
	}
	proposed := make([]Proposed, len(events))
	for i, e := range events {
		if proposed[i], err = k.encode(ctx, keeper, stream, e); err != nil {
			return nil, err
		}
		proposed[i].ID = IDAt(meta.CommandID, stream, i)
		proposed[i].Meta = metaJSON
	}
	return proposed, nil
}

func (k Kind[S]) encode(ctx context.Context, keeper Keeper, stream Stream, e Event) (Proposed, error) {
	name, err := k.Catalog.Name(e)
	if err != nil {
		return Proposed{}, err
	}
	for _, p := range personal(e) {
		if err := p.Seal(ctx, keeper, PlaceOf(stream, name)); err != nil {
			return Proposed{}, err
		}
	}
	data, err := json.Marshal(e)
	return Proposed{Type: name, Data: data}, err
}
