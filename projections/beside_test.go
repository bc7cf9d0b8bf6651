package projections_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/event"
	"govahi/projections"
)

// frozen is a log of which one answer about its head comes late, as to a process
// that was stopped for a while.
type frozen struct {
	event.Log
	left   atomic.Int32 // answers until that one
	asked  chan struct{}
	thawed context.Context
}

// late runs a projection on a log whose nth answer is late, and returns when it
// waits for that.
func (h *house) late(nth int32, p projections.Projection) (r *projections.Runner, thaw func()) {
	thawed, thaw := context.WithCancel(context.Background())
	f := &frozen{Log: h.log, asked: make(chan struct{}), thawed: thawed}
	f.left.Store(nth)
	r, _ = h.runOn(f, p)
	h.Cleanup(thaw)
	<-f.asked
	return r, thaw
}

func (f *frozen) Head(ctx context.Context) (event.Position, error) {
	head, err := f.Log.Head(ctx)
	if f.left.Add(-1) == 0 {
		close(f.asked)
		<-f.thawed.Done()
	}
	return head, err
}

// TestWhoWakesLateDropsNothing: what it knew of the log's end is old by then, and
// the view that others have kept is further.
func TestWhoWakesLateDropsNothing(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.run(parcels(1))
	h.shows(h.postMany(10).Position)
	h.exec(`CREATE TABLE parcels.witness ()`)
	late, thaw := h.late(1, parcels(1))
	h.shows(h.postMany(10).Position)
	thaw()
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
	h.until("rebuilt", h.inPlace)
}

// inPlace says that no rebuild is asked for any more. A runner's state does not tell:
// it follows with the tables that are to be replaced, too.
func (h *house) inPlace() bool {
	return one[int](h, `SELECT version FROM govahi.checkpoints WHERE projection = 'parcels'`) > 0
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

// TestBackEndsARebuildThatGoesOn: else that would soon take away again what the
// operator has put back.
func TestBackEndsARebuildThatGoesOn(t *testing.T) {
	h := newHouse(t, deadFeed)
	_, stop := h.run(parcels(1))
	last := h.kept()
	stop()
	h.exec(`CREATE TABLE parcels_prev.witness ()`)
	if err := projections.Rebuild(t.Context(), h.pool, "parcels"); err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	r, _ := h.runOn(shut{h.log, gate}, parcels(1))
	h.building(r)
	h.back()
	close(gate)
	h.until("it follows", func() bool {
		return one[int64](h, `SELECT position FROM govahi.checkpoints WHERE projection = 'parcels' AND version = 1`) == int64(last)
	})
	h.tellsTheLog()
	witness := func() bool { return one[bool](h, `SELECT to_regclass('parcels.witness') IS NOT NULL`) }
	if !witness() {
		t.Error("what was put back was replaced")
	}
	h.back() // and what was to be built anew was kept in turn
	if witness() {
		t.Error("it was not put back")
	}
}

// TestWhoComesLateToARebuildDoesNotRepeatIt: nor does he bring back what it has
// replaced, wherever he stopped. Between the second answer and the sixth nobody else
// may change schemas.
func TestWhoComesLateToARebuildDoesNotRepeatIt(t *testing.T) {
	for nth, where := range map[int32]string{
		1: "he saw that it was asked for", 2: "he was to begin it", 6: "he had begun it", 7: "he was to fill it", 8: "he had filled it",
	} {
		t.Run(where, func(t *testing.T) {
			h := newHouse(t, deadFeed)
			_, stop := h.run(parcels(1))
			h.shows(h.postMany(10).Position)
			stop()
			h.exec(`UPDATE parcels.parcels SET grams = 0; CREATE TABLE parcels.witness ()`) // damage
			if err := projections.Rebuild(t.Context(), h.pool, "parcels"); err != nil {
				t.Fatal(err)
			}
			_, thaw := h.late(nth, parcels(1))
			_, stop = h.run(parcels(1))
			h.until("it is built anew", h.inPlace)
			stop()
			h.tellsTheLog()
			thaw()
			h.shows(h.postMany(1).Position) // by the late one: nobody else is there
			h.tellsTheLog()
			if !one[bool](h, `SELECT to_regclass('parcels_prev.witness') IS NOT NULL`) {
				t.Error("what was replaced is not kept")
			}
		})
	}
}

// TestWhatIsSkippedDuringARebuildIsLeftOutOfIt, though the rebuild began before,
// and parks the event once more.
func TestWhatIsSkippedDuringARebuildIsLeftOutOfIt(t *testing.T) {
	h := newHouse(t, deadFeed)
	_, stop := h.run(parcels(1))
	h.shows(h.post("bad", "5", "panic", "7").Position)
	stop()
	if err := projections.Rebuild(t.Context(), h.pool, "parcels"); err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	r, _ := h.runOn(shut{h.log, gate}, parcels(1))
	h.building(r)
	app := &commands.App{Log: h.log, Clock: time.Now}
	if err := app.SkipEvent(t.Context(), "parcels", "parcel-bad", 2, "it was never weighed", "operator"); err != nil {
		t.Fatal(err)
	}
	if _, err := projections.Retry(t.Context(), h.pool, "parcels", ""); err != nil {
		t.Fatal(err)
	}
	close(gate)
	h.until("it was left out", func() bool {
		return h.inPlace() && one[int](h, `SELECT count(*) FROM govahi.parked WHERE projection = 'parcels'`) == 0
	})
	if row := h.rows()["parcel-bad"]; row.Grams != 12 {
		t.Errorf("the row is %+v", row)
	}
}

// TestAFarViewDoesNotHideHowFarAnotherIs: counting ends somewhere, for each alone.
func TestAFarViewDoesNotHideHowFarAnotherIs(t *testing.T) {
	h := newHouse(t, deadFeed)
	var ends []event.Position
	some := make([]event.Proposed, 1000)
	for n := range projections.CountedMost/len(some) + 2 {
		for i := range some {
			some[i] = event.Proposed{ID: event.DeriveID(fmt.Sprint(n, i)), Type: "letter.sent.v1", Data: []byte("{}")}
		}
		ends = append(ends, ok(h.log.Append(t.Context(), event.NewStream("letter", fmt.Sprint(n)), event.NoStream, some...))(h).Position)
	}
	ok(projections.NewCheckpoints(h.pool, h.log).Load(t.Context(), "none"))(h)
	h.exec(`INSERT INTO govahi.checkpoints (projection, version, position) VALUES ('far', 1, 0), ('near', 1, $1), ('there', 1, $2)`,
		int64(ends[len(ends)-2]), int64(ends[len(ends)-1]))
	list := ok(projections.Standings(t.Context(), h.pool, h.log))(h)
	if len(list) != 4 || list[3].Name != "policy:none" || list[0].Behind != projections.CountedMost || list[1].Behind != len(some) || list[1].State != "behind" ||
		list[2].Behind != 0 || list[2].State != "current" {
		t.Errorf("%+v", list)
	}
}

// TestWhatComesBehindAPoisonEventIsPassedToo: it concerns other views, but whoever
// asks with its position would wait for the next event.
func TestWhatComesBehindAPoisonEventIsPassedToo(t *testing.T) {
	h := newHouse(t, deadFeed)
	begun, goOn := make(chan struct{}), make(chan struct{})
	p := parcels(1)
	p.Apply = func(w *projections.Writer, e projections.Event) {
		if e.Stream == "parcel-slow" {
			close(begun)
			<-goOn
		}
		applyParcel(w, e)
	}
	h.run(p)
	h.shows(h.postMany(1).Position)
	h.post("slow")
	<-begun
	h.post("bad", "panic")
	last := h.foreign() // read in one batch with the poison
	close(goOn)
	h.shows(last.Position)
}

// TestAViewWithoutEventsOfItsOwnKnowsItsLog: one that was set back and has grown
// since has other events where the view has been.
func TestAViewWithoutEventsOfItsOwnKnowsItsLog(t *testing.T) {
	h := newHouse(t, deadFeed)
	_, stop := h.run(parcels(1))
	h.shows(h.postMany(1).Position)
	for range 20 {
		h.foreign()
	}
	h.shows(h.foreign().Position)
	stop()
	h.log = longer(t, h.log, 5)
	h.count += 100
	last := h.postMany(50)
	h.run(parcels(1))
	h.until("the log's", func() bool {
		return one[int64](h, `SELECT position FROM govahi.checkpoints WHERE projection = 'parcels'`) == int64(last.Position)
	})
	h.tellsTheLog()
}

// shut is a log whose beginning is read only when the gate opens.
type shut struct {
	event.Log
	gate chan struct{}
}

func (l shut) ReadAll(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Recorded, error] {
	if after == 0 {
		select {
		case <-l.gate:
		case <-ctx.Done():
		}
	}
	return l.Log.ReadAll(ctx, after, prefixes...)
}

// TestAViewThatIsRebuiltIsKeptUpMeanwhile: nobody who reads it is to notice.
func TestAViewThatIsRebuiltIsKeptUpMeanwhile(t *testing.T) {
	h := newHouse(t, wildFeed)
	gate := make(chan struct{})
	_, stop := h.run(parcels(1))
	h.shows(h.postMany(100).Position)
	stop()
	r, _ := h.runOn(shut{h.log, gate}, parcels(1))
	h.shows(h.postMany(1).Position)
	if err := projections.Rebuild(h.Context(), h.pool, "parcels"); err != nil {
		t.Fatal(err)
	}
	asked := func() bool {
		return one[int](h, `SELECT count(*) FROM govahi.checkpoints WHERE projection IN ('parcels', 'parcels_next') AND version IN (-1, 1)`) == 2
	}
	h.until("it is being rebuilt", asked)
	for range 20 {
		h.shows(h.postMany(1).Position)
		h.shows(h.foreign().Position)
	}
	if s := h.status(r); !asked() || s.State != projections.Following {
		t.Fatalf("the rebuild is over, or readers wait for it: %+v", s)
	}
	h.tellsTheLog()
	h.exec(`UPDATE parcels.parcels SET grams = 0`) // to see that the new tables are in place
	close(gate)
	h.until("it is rebuilt", func() bool {
		return one[int](h, `SELECT count(*) FROM govahi.checkpoints WHERE projection IN ('parcels', 'parcels_prev') AND version = 1`) == 2
	})
	h.shows(h.postMany(1).Position)
	h.tellsTheLog()
}
