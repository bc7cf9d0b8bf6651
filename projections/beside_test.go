package projections_test

import (
	"context"
	"sync"
	"testing"

	"govahi/domain/event"
	"govahi/projections"
)

// frozen is a log whose first answer about its head comes late, as to a process
// that was stopped for a while.
type frozen struct {
	event.Log
	asked, thawed chan struct{}
	once          *sync.Once
}

func (f frozen) Head(ctx context.Context) (event.Position, error) {
	head, err := f.Log.Head(ctx)
	f.once.Do(func() { close(f.asked); <-f.thawed })
	return head, err
}

// TestWhoWakesLateDropsNothing: what it knew of the log's end is old by then, and
// the view that others have kept is further.
func TestWhoWakesLateDropsNothing(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.run(parcels(1))
	h.shows(h.postMany(10).Position)
	h.exec(`CREATE TABLE parcels.witness ()`)
	f := frozen{h.log, make(chan struct{}), make(chan struct{}), &sync.Once{}}
	late, _ := h.runOn(f, parcels(1))
	<-f.asked
	h.shows(h.postMany(10).Position)
	close(f.thawed)
	h.until("the late one follows", func() bool { return h.status(late).State == projections.Following })
	h.shows(h.postMany(1).Position)
	h.tellsTheLog()
	if !one[bool](h, `SELECT to_regclass('parcels.witness') IS NOT NULL`) {
		t.Error("it dropped a view that was whole")
	}
}

// kept is parcels as they were before a rebuild, with more events since.
func (h *house) kept() (last event.Position) {
	h.Helper()
	h.shows(h.postMany(10).Position)
	h.rebuilt()
	last = h.postMany(10).Position
	h.shows(last)
	return last
}

// rebuilt asks for it and waits until it is done.
func (h *house) rebuilt() {
	h.Helper()
	if err := projections.Rebuild(h.Context(), h.pool, "parcels"); err != nil {
		h.Fatal(err)
	}
	h.until("rebuilt", func() bool {
		return one[int](h, `SELECT version FROM govahi.checkpoints WHERE projection = 'parcels'`) > 0
	})
}

func (h *house) back() {
	h.Helper()
	if err := projections.Back(h.Context(), h.pool, "parcels"); err != nil {
		h.Fatal(err)
	}
}

// TestWhatWasPutBackCatchesUpThoughNothingHappens: in a quiet house no event would
// tell the projector that its tables are older ones now.
func TestWhatWasPutBackCatchesUpThoughNothingHappens(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.run(parcels(1))
	last := h.kept()
	h.back()
	h.until("caught up", func() bool {
		return one[int64](h, `SELECT position FROM govahi.checkpoints WHERE projection = 'parcels'`) == int64(last)
	})
	h.tellsTheLog()
}
