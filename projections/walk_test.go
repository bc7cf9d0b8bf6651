package projections

import (
	"context"
	"iter"
	"sync"
	"testing"

	"govahi/domain/event"
	"govahi/domain/token"
)

// deaf is a log that goes on reading for a while after it was told to stop.
type deaf struct {
	event.Log
	events int
}

func (l deaf) Head(context.Context) (event.Position, error) { return event.Position(l.events), nil }

func (l deaf) ReadAll(ctx context.Context, after event.Position, _ ...string) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for n := int(after); n < l.events; n++ {
			if n%(5*portionSize) == 1 && ctx.Err() != nil {
				yield(event.Recorded{}, ctx.Err())
				return
			}
			if !yield(event.Recorded{Position: event.Position(n + 1), Stream: "token-1", Type: "token.reserved.v1", Data: []byte("{}")}, nil) {
				return
			}
		}
	}
}

// TestNobodyMissesAPortion, while others join and leave and each time have the
// reading begin again.
func TestNobodyMissesAPortion(t *testing.T) {
	const portions = 15
	r, catalogs := &reading{log: deaf{events: portions * portionSize}}, []event.Catalog{token.Catalog}
	var others sync.WaitGroup
	defer r.walks.Wait()
	defer others.Wait()
	others.Go(func() {
		for range 50 {
			for range r.after(t.Context(), catalogs, 0) {
				break
			}
		}
	})
	var at event.Position
	seen := 0
	for p, err := range r.after(t.Context(), catalogs, 0) {
		if err != nil || p.after > at {
			t.Fatalf("from %d on it brought what is after %d, %v", at, p.after, err)
		}
		seen += len(p.of([]string{"token."}, at))
		at = p.upto
	}
	if seen != portions*portionSize {
		t.Errorf("%d events of %d", seen, portions*portionSize)
	}
}
