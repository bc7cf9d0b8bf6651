package projections_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"

	"govahi/domain/event"
	"govahi/projections"
)

// counted is a log that can be shut, breaks where it is told to, and counts what
// is read from it.
type counted struct {
	event.Log
	open  chan struct{} // closed to let readers in
	read  atomic.Int64
	at    atomic.Int64 // the position that was read last
	after int64        // so many events, one read breaks off
	broke sync.Once
}

func (l *counted) ReadAll(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		select {
		case <-l.open:
		case <-ctx.Done():
			yield(event.Recorded{}, ctx.Err())
			return
		}
		for r, err := range l.Log.ReadAll(ctx, after, prefixes...) {
			l.at.Store(int64(r.Position))
			if n := l.read.Add(1); n == l.after {
				l.broke.Do(func() { err = errBroken })
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

var errBroken = errors.New("broken")

// several are views of the same parcels under other names.
func several(n, version int) (all []projections.Projection) {
	for i := range n {
		p := parcels(version)
		if i > 0 {
			p.Name = fmt.Sprint("parcels", i)
		}
		all = append(all, p)
	}
	return all
}

// built waits until all views are of the version, and current.
func (h *house) built(n, version int, at event.Position) {
	h.Helper()
	h.until("all built", func() bool {
		var found int
		err := h.pool.QueryRow(h.Context(), `SELECT count(*) FROM govahi.checkpoints
			WHERE version = $1 AND position = $2 AND projection !~ '_(next|prev)$'`, version, int64(at)).Scan(&found)
		return err == nil && found == n
	})
}

// building waits until all views have begun, and read.
func (h *house) building(r *projections.Runner) {
	h.Helper()
	views := len(ok(r.Status(h.Context()))(h))
	h.until("all building", func() bool { return r.Building() == views })
}

func TestTheLogIsReadOnceForAllViewsThatAreBuilt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, deadFeed)
	last := h.postMany(1500).Position
	_, stop := h.run(several(5, 1)...)
	h.built(5, 1, last)
	stop()
	log := &counted{Log: h.log, open: make(chan struct{})}
	r, _ := h.runOn(log, several(5, 2)...)
	h.building(r)
	close(log.open)
	h.built(5, 2, last)
	h.tellsTheLog()
	if n := log.read.Load(); n < 4500 || n >= 2*4500 {
		t.Errorf("%d events were read to build five views of 4,500", n)
	}
	for _, s := range ok(r.Status(t.Context()))(t) {
		if s.Events != 4500 || s.Goal != last {
			t.Errorf("%+v", s)
		}
	}
}

// TestAViewThatIsSlowSlowsTheReading: what was read and not yet applied is some
// portions, however much there is.
func TestAViewThatIsSlowSlowsTheReading(t *testing.T) {
	t.Parallel()
	h := newHouse(t, deadFeed)
	last := h.postMany(8000).Position
	ps, log := several(2, 1), &counted{Log: h.log, open: make(chan struct{})}
	var most atomic.Int64
	ps[1].Apply = func(w *projections.Writer, e projections.Event) {
		most.Store(max(most.Load(), log.at.Load()-int64(e.Position)))
		w.Exec(`SELECT 1`)
	}
	ps[0].Apply = func(*projections.Writer, projections.Event) {}
	close(log.open)
	h.runOn(log, ps...)
	h.built(2, 1, last)
	// One portion is read, one is to be handed over, one waits, one is stored.
	if each := int64(last) / 24_000; most.Load()/each > 4*4000 {
		t.Errorf("%d events were read ahead of a slow view", most.Load()/each)
	}
}

// TestAViewThatFailsKeepsNobodyFromBeingBuilt: it begins at the beginning again
// and again, while the others go on.
func TestAViewThatFailsKeepsNobodyFromBeingBuilt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, deadFeed)
	last := h.postMany(3000).Position
	ps := several(3, 1)
	ps[2].Apply = func(w *projections.Writer, e projections.Event) {
		if is, posted := e.Is.(posted); posted {
			projections.Open(w, is.To)
		}
	}
	ps[0].Apply, ps[1].Apply = applyWithoutOpening, applyWithoutOpening
	h.keeper.down.Store(true)
	r, _ := h.run(ps...)
	h.built(2, 1, last)
	if s := ok(r.Status(t.Context()))(t)[2]; s.Position != 0 || s.Parked != 0 {
		t.Errorf("%+v", s)
	}
	h.keeper.down.Store(false)
	h.built(3, 1, last)
}

func applyWithoutOpening(w *projections.Writer, e projections.Event) {
	if _, posted := e.Is.(posted); posted {
		w.Exec(`INSERT INTO parcels (stream, revision) VALUES ($1, $2)`, e.Stream, int64(e.Revision))
	}
}

// TestAViewIsToldOfTheEndThatIsNotItsOwn: behind its own last event lies a log
// of others', which nobody sends it.
func TestAViewIsToldOfTheEndThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, deadFeed)
	h.postMany(10)
	var last event.Position
	for range 1000 {
		last = h.foreign().Position
	}
	log := &counted{Log: h.log, open: make(chan struct{})}
	close(log.open)
	h.runOn(log, parcels(1))
	h.shows(last)
	if n := log.read.Load(); n != 30 {
		t.Errorf("%d events were read for a view of 30", n)
	}
}

func TestAReadingThatBreaksOffIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, deadFeed)
	last := h.postMany(1500).Position
	log := &counted{Log: h.log, open: make(chan struct{}), after: 4200}
	close(log.open)
	h.runOn(log, several(3, 1)...)
	h.built(3, 1, last)
	h.tellsTheLog()
}
