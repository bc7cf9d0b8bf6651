package projections

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"govahi/domain/event"
)

// place is where a checkpoint goes, with the anchor there if it is known; else
// that of the last event goes for it.
type place struct {
	event.Position
	anchor string
}

// store puts events and checkpoint into the tables in one transaction. If an
// event is at fault, the batch is halved until it is alone, so that only that
// one stays behind.
func (v *view) store(ctx context.Context, events []told, upto place) error {
	err := v.write(ctx, events, upto)
	switch {
	case !atFault(err) || len(events) == 0:
		return err
	case len(events) == 1:
		return v.storeOne(ctx, events[0], upto)
	}
	half := len(events) / 2
	if err := v.store(ctx, events[:half], place{Position: events[half-1].Position}); err != nil {
		return err
	}
	return v.store(ctx, events[half:], upto)
}

// attempts is how often an event may fail alone before it is parked.
const attempts = 3

func (v *view) storeOne(ctx context.Context, e told, upto place) error {
	var err error
	for n := range attempts {
		rest(ctx, time.Duration(n)*firstPause)
		if err = v.write(ctx, []told{e}, upto); !atFault(err) {
			return err
		}
	}
	return v.park(ctx, e.Recorded, upto, err)
}

// write loads the rows that the events are about, applies the events, and stores
// the rows.
func (v *view) write(ctx context.Context, events []told, upto place) error {
	w, err := v.applied(ctx, events, upto, nil)
	if err != nil {
		w.close()
		return err
	}
	return v.commit(ctx, w, upto.Position)
}

// applied applies events to rows as they are in the tables, or will be once what
// is under way is there.
func (v *view) applied(ctx context.Context, events []told, upto place, under *writing) (*Writer, error) {
	w := v.step(ctx, upto.Position, len(events), cmp.Or(upto.anchor, last(events)))
	if under != nil {
		w.under, w.from, w.had = under, under.to.Position, under.had+int64(under.events)
	}
	if err := v.warm(ctx, events); err != nil {
		return w, blame(err)
	}
	for i, e := range events {
		w.rest = events[i:]
		if err := v.apply(w, e); err != nil {
			return w, err
		}
	}
	w.rest = nil
	w.flush()
	return w, nil
}

// warm lets the keeper fetch the keys of all whose data will be opened at once.
func (v *view) warm(ctx context.Context, events []told) error {
	many, ok := v.Keeper.(event.Warmer)
	if !ok || v.projection.Opens == nil {
		return nil
	}
	var subjects []event.Subject
	for _, e := range events {
		if s := v.projection.Opens(e.Is); s != "" {
			subjects = append(subjects, s)
		}
	}
	if len(subjects) == 0 {
		return nil
	}
	return many.Warm(ctx, subjects)
}

// last is the anchor of some events, empty of none.
func last(events []told) string {
	if len(events) == 0 {
		return ""
	}
	return anchor(events[len(events)-1].Recorded)
}

// step is a batch that moves the checkpoint; see Writer.begin.
func (v *view) step(ctx context.Context, upto event.Position, events int, anchored string) *Writer {
	return &Writer{
		ctx: ctx, view: v, schema: v.schema, from: v.stored, upto: upto, had: v.events, events: events, anchor: anchored,
	}
}

// apply changes the rows that an event is about. A panic is the event's fault
// too: one event must not stop the others.
func (v *view) apply(w *Writer, e told) (err error) {
	switch {
	case v.parked[e.Stream]:
		v.addParked(w, e.Recorded, behind, 0)
		return nil
	case v.skipped.Has(e.Recorded):
		return nil
	case e.err != nil:
		return blame(e.err)
	}
	defer func() {
		if p := recover(); p != nil {
			err = blame(fmt.Errorf("%w: %T", errPanic, p))
		}
	}()
	v.projection.Apply(w, e.Event)
	return w.err
}

// commit puts everything that was flushed into the tables, or tells who is at fault.
func (v *view) commit(ctx context.Context, w *Writer, upto event.Position) error {
	defer w.close()
	if lost, err := w.settle(); err != nil {
		return v.judge(ctx, err, lost)
	}
	v.stands(w, upto)
	return nil
}

// stands notes that a batch is in the tables.
func (v *view) stands(w *Writer, upto event.Position) {
	v.at, v.stored, v.events = upto, upto, w.had+int64(w.events)
	v.status.set(func(s *Status) { s.Position, s.Events = upto, s.Events+w.events })
}
