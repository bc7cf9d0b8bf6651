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
	w := v.step(ctx, upto.Position, len(events), cmp.Or(upto.anchor, last(events)))
	defer w.close()
	if err := v.warm(ctx, events); err != nil {
		return blame(err)
	}
	for i, e := range events {
		w.rest = events[i:]
		if err := v.apply(w, e); err != nil {
			return err
		}
	}
	return v.commit(ctx, w, upto.Position)
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

// step begins with the checkpoint's step, which fails unless it touches its row
// as it was left: else another process was here. This is the fence, and what
// makes repeating harmless. Events are counted in it too, because what is taken
// up late leaves the position as it is. PostgreSQL may forget a commit in a crash, rows and
// checkpoint together: the log still has it, so no disk is waited for.
func (v *view) step(ctx context.Context, upto event.Position, events int, anchored string) *Writer {
	w := &Writer{ctx: ctx, view: v, schema: v.schema, events: events}
	w.batch.Queue(`WITH moved AS (
			UPDATE govahi.checkpoints SET position = $1, events = events + $6, changed = now(),
				anchor = coalesce(nullif($7, ''), anchor)
			WHERE projection = $2 AND version = $3 AND position = $4 AND events = $8 RETURNING 1)
		SELECT 1 / count(*), set_config('synchronous_commit', 'off', true), pg_notify('checkpoints', $5) FROM moved`,
		int64(upto), v.schema, v.projection.Version, int64(v.stored), v.schema+":"+upto.String(), events, anchored, v.events)
	return w
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

// commit puts everything into the tables, or tells who is at fault.
func (v *view) commit(ctx context.Context, w *Writer, upto event.Position) error {
	defer w.close()
	if lost, err := w.settle(); err != nil {
		return v.judge(ctx, err, lost)
	}
	v.at, v.stored, v.events = upto, upto, v.events+int64(w.events)
	v.status.set(func(s *Status) { s.Position, s.Events = upto, s.Events+w.events })
	return nil
}
