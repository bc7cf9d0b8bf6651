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
