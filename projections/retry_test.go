package projections_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/event"
	"govahi/domain/projection"
	"govahi/projections"
)

// mendable is parcels in a program that a release can mend: until then it panics
// on what it does not know.
func mendable(mended *atomic.Bool) projections.Projection {
	p := parcels(1)
	apply := p.Apply
	p.Apply = func(w *projections.Writer, e projections.Event) {
		if is, ok := e.Is.(weighed); ok && is.Grams == "panic" && mended.Load() {
			e.Is = weighed{"100"}
		}
		apply(w, e)
	}
	return p
}

// weigh appends to a parcel that is there.
func (h *house) weigh(name, grams string, after uint64) event.Receipt {
	h.Helper()
	r, err := h.log.Append(h.Context(), event.NewStream("parcel", name), event.Expected(after), event.Proposed{
		ID: event.DeriveID(name, strconv.FormatUint(after, 10)), Type: "parcel.weighed.v1", Data: []byte(`{"grams":"` + grams + `"}`),
	})
	if err != nil {
		h.Fatal(err)
	}
	return r
}

func (h *house) parked() []projections.Parked {
	h.Helper()
	list, err := projections.ListParked(h.Context(), h.pool, "")
	if err != nil {
		h.Fatal(err)
	}
	return list
}

// retried asks, and waits until it was tried.
func (h *house) retried() {
	h.Helper()
	n, err := projections.Retry(h.Context(), h.pool, "parcels", "")
	if err != nil || n == 0 {
		h.Fatal(n, err)
	}
	h.until("it was tried", func() bool {
		return one[int64](h, `SELECT count(*) FROM govahi.parked WHERE asked IS NOT NULL`) == 0
	})
}

func TestParkedEventsAreTakenUpInTheirOrderOnceTheProgramIsMended(t *testing.T) {
	h := newHouse(t, deadFeed)
	var mended atomic.Bool
	r, _ := h.run(mendable(&mended))
	h.shows(h.post("bad", "5", "panic", "7").Position)
	h.retried()
	list := h.parked()
	if len(list) != 2 || list[0].Attempts != 4 || list[1].Attempts != 0 || list[0].Stream != "parcel-bad" || list[0].Revision != 2 {
		t.Fatalf("tried in vain, it is parked as %+v", list)
	}
	h.shows(h.weigh("bad", "9", 3).Position)
	mended.Store(true)
	h.retried()
	if list := h.parked(); len(list) != 0 {
		t.Errorf("after it was mended there are still %+v", list)
	}
	if row := h.rows()["parcel-bad"]; row.Grams != 5+100+7+9 || row.Revision != 4 {
		t.Errorf("the row is %+v", row)
	}
	h.shows(h.weigh("bad", "1", 4).Position)
	if row := h.rows()["parcel-bad"]; row.Grams != 122 {
		t.Errorf("what came later was not taken: %+v", row)
	}
	if s := h.status(r); s.Parked != 0 {
		t.Errorf("%+v", s)
	}
}

func TestASkippedEventIsLeftOutOfEveryRebuildToo(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.run(parcels(1))
	h.shows(h.post("bad", "5", "panic", "7").Position)
	app := &commands.App{Log: h.log, Clock: time.Now}
	if err := app.SkipEvent(t.Context(), "parcels", "parcel-bad", 2, "it was never weighed", "operator"); err != nil {
		t.Fatal(err)
	}
	h.retried()
	whole := func() {
		t.Helper()
		if row := h.rows()["parcel-bad"]; row.Grams != 12 || len(h.parked()) != 0 {
			t.Errorf("the row is %+v, and parked are %+v", row, h.parked())
		}
	}
	whole()
	if err := projections.Rebuild(t.Context(), h.pool, "parcels"); err != nil {
		t.Fatal(err)
	}
	h.until("rebuilt", func() bool {
		return one[int64](h, `SELECT count(*) FROM govahi.checkpoints WHERE projection = 'parcels' AND version = 1`) == 1
	})
	h.shows(h.postMany(1).Position)
	whole()
}

func TestTwoProcessesKeepOneViewAndTakeOver(t *testing.T) {
	h := newHouse(t, deadFeed)
	_, stopFirst := h.run(parcels(1))
	_, stopSecond := h.run(parcels(1))
	for range 30 {
		h.shows(h.postMany(10).Position)
	}
	h.tellsTheLog()
	stops := []func(){stopFirst, stopSecond}
	for n := range 6 { // whoever writes at the time, each of them is stopped
		name := fmt.Sprint("bad", n)
		h.shows(h.post(name, "5", "panic", "7").Position)
		h.shows(h.postMany(10).Position)
		stops[n%2]()
		h.shows(h.weigh(name, "9", 3).Position)
		if waiting := h.parkedOf(name); waiting != 3 || h.rows()["parcel-"+name].Grams != 5 {
			t.Errorf("after it was taken over, %d events of %s are parked", waiting, name)
		}
		_, stops[n%2] = h.run(parcels(1))
	}
}

func (h *house) parkedOf(name string) int64 {
	h.Helper()
	return one[int64](h, `SELECT count(*) FROM govahi.parked WHERE stream = 'parcel-`+name+`'`)
}

// longer is a log that begins like another one and goes on differently.
func longer(t *testing.T, like event.Log, events int) *memlog.Log {
	t.Helper()
	log := memlog.New()
	some, err := event.ReadBatch(t.Context(), like, 0, events)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range some {
		expected := event.NoStream
		if r.Revision > 0 {
			expected = event.Expected(r.Revision - 1)
		}
		if _, err := log.Append(t.Context(), r.Stream, expected, event.Proposed{ID: r.ID, Type: r.Type, Data: r.Data, Meta: r.Meta}); err != nil {
			t.Fatal(err)
		}
	}
	return log
}

func TestAViewOfALogThatWasSetBackIsBuiltAnew(t *testing.T) {
	h := newHouse(t, deadFeed)
	_, stop := h.run(parcels(1))
	h.shows(h.postMany(20).Position)
	stop()
	h.log = longer(t, h.log, 30) // restored from an older copy
	h.count += 100
	last := h.postMany(50) // and further by now than the view was
	h.run(parcels(1))
	h.until("the log's", func() bool {
		return one[int64](h, `SELECT position FROM govahi.checkpoints WHERE projection = 'parcels'`) == int64(last.Position)
	})
	h.tellsTheLog()
}

func TestAPolicysCheckpointOfALogThatWasSetBackIsNone(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.postMany(5)
	events, err := event.ReadBatch(t.Context(), h.log, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	at := events[10]
	points := projections.NewCheckpoints(h.pool, h.log)
	load := func(log event.Log) event.Position {
		p, err := projections.NewCheckpoints(h.pool, log).Load(t.Context(), "revoke")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	load(h.log) // makes the tables
	if known, err := points.Save(t.Context(), "revoke", at); err != nil || !known {
		t.Fatal(known, err)
	}
	if p := load(h.log); p != at.Position {
		t.Errorf("it is %d, not %d", p, at.Position)
	}
	if p := load(longer(t, h.log, len(events))); p != at.Position {
		t.Errorf("of an equal log it is %d", p)
	}
	if p := load(longer(t, h.log, 5)); p != 0 {
		t.Errorf("of a log without its event it is %d", p)
	}
}

func TestPoliciesParkBehindWhatIsParkedAndNothingElse(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.post("a", "1", "2")
	events, err := event.ReadBatch(t.Context(), h.log, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	points, ctx := projections.NewCheckpoints(h.pool, h.log), context.Background()
	if _, err := points.Load(ctx, "record"); err != nil {
		t.Fatal(err)
	}
	behind := func(want bool) {
		t.Helper()
		if parked, err := points.ParkBehind(ctx, "record", events[1]); err != nil || parked != want {
			t.Errorf("parked behind: %v, %v", parked, err)
		}
	}
	behind(false)
	for range 2 {
		if err := points.Park(ctx, "record", events[0], event.ErrUnlisted); err != nil {
			t.Fatal(err)
		}
		behind(true)
	}
	if list := h.parked(); len(list) != 2 || list[0].Projection != "policy:record" || list[0].Reason != "event-unlisted" {
		t.Errorf("%+v", list)
	}
	for _, e := range events[:2] {
		if err := points.Taken(ctx, "record", e, nil); err != nil {
			t.Fatal(err)
		}
	}
	behind(false)
	if waiting, err := points.Waiting(ctx, "record", events[0].Stream); err != nil || len(waiting) > 0 {
		t.Error(waiting, err)
	}
	if !strings.HasPrefix(projection.NameOf("record"), "policy:") {
		t.Error("policies are not told from views")
	}
}

// TestTwoProcessesTakeUpAParkedEventOnce: both see that it is to be tried again,
// and no position moves that would tell them of each other.
func TestTwoProcessesTakeUpAParkedEventOnce(t *testing.T) {
	h := newHouse(t, deadFeed)
	var mended atomic.Bool
	var tries atomic.Int32
	both := make(chan struct{})
	p := mendable(&mended)
	apply := p.Apply
	p.Apply = func(w *projections.Writer, e projections.Event) {
		if is, ok := e.Is.(weighed); ok && is.Grams == "panic" && mended.Load() {
			if tries.Add(1) == 2 {
				close(both)
			}
			select {
			case <-both:
			case <-h.Context().Done():
			}
		}
		apply(w, e)
	}
	h.run(p)
	second, _ := h.run(p)
	last := h.post("bad", "5", "panic", "7").Position
	h.shows(last)
	h.until("both follow", func() bool { return h.status(second).Position == last })
	mended.Store(true)
	h.retried()
	h.until("both go on", func() bool { return tries.Load() >= 2 && len(h.parked()) == 0 })
	h.shows(h.weigh("bad", "9", 3).Position)
	if row := h.rows()["parcel-bad"]; row.Grams != 5+100+7+9 {
		t.Errorf("the row is %+v", row)
	}
}

// TestWhatIsParkedBehindWhileARetryGoesOnIsTriedToo: else it would stay behind
// nothing.
func TestWhatIsParkedBehindWhileARetryGoesOnIsTriedToo(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.post("a", "1", "2")
	events := ok(event.ReadBatch(t.Context(), h.log, 0, 3))(h)
	points, ctx := projections.NewCheckpoints(h.pool, h.log), t.Context()
	ok(points.Load(ctx, "record"))(h)
	if err := points.Park(ctx, "record", events[0], event.ErrUnlisted); err != nil {
		t.Fatal(err)
	}
	ok(projections.Retry(ctx, h.pool, "policy:record", ""))(h)
	ok(points.ParkBehind(ctx, "record", events[1]))(h)
	if err := points.Taken(ctx, "record", events[0], nil); err != nil {
		t.Fatal(err)
	}
	if parked, asked, err := points.Parked(ctx, "record"); err != nil || !parked["parcel-a"] || !asked["parcel-a"] {
		t.Errorf("parked %v, asked %v, %v", parked, asked, err)
	}
}

// TestWhatAPolicyHasParkedOfAnotherLogIsForgotten: the same events stand elsewhere
// in this one, and will be parked there.
func TestWhatAPolicyHasParkedOfAnotherLogIsForgotten(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.foreign()
	h.post("a", "1", "2")
	events := ok(event.ReadBatch(t.Context(), h.log, 0, 4))(h)
	points, ctx := projections.NewCheckpoints(h.pool, h.log), t.Context()
	ok(points.Load(ctx, "record"))(h)
	if err := points.Park(ctx, "record", events[1], event.ErrUnlisted); err != nil {
		t.Fatal(err)
	}
	ok(points.Save(ctx, "record", events[2]))(h)
	again := func() { ok(points.Load(ctx, "record"))(h) }
	if again(); len(h.parked()) != 1 {
		t.Errorf("of its own log it knows %+v", h.parked())
	}
	moved := memlog.New()
	for _, r := range events[1:] {
		ok(moved.Append(ctx, r.Stream, event.Expected(r.Revision)-1, event.Proposed{ID: r.ID, Type: r.Type, Data: r.Data, Meta: r.Meta}))(h)
	}
	points = projections.NewCheckpoints(h.pool, moved)
	if again(); len(h.parked()) != 0 {
		t.Errorf("of another log it knows %+v", h.parked())
	}
}

// TestAPolicysCheckpointGoesForward, though a slower process saves its own.
func TestAPolicysCheckpointGoesForward(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.post("a", "1", "2")
	points, ctx := projections.NewCheckpoints(h.pool, h.log), t.Context()
	events := ok(event.ReadBatch(ctx, h.log, 0, 3))(h)
	if known := ok(points.Save(ctx, "record", events[1]))(h); known {
		t.Error("it was saved before it was loaded")
	}
	ok(points.Load(ctx, "record"))(h)
	for _, n := range []int{1, 2, 0} {
		if known := ok(points.Save(ctx, "record", events[n]))(h); !known {
			t.Error("the checkpoint is there no more")
		}
	}
	if p := ok(points.Load(ctx, "record"))(h); p != events[2].Position {
		t.Errorf("it went back to %d", p)
	}
}

// TestALostCheckpointIsNotedThoughAnotherProcessMadeItAnew: it is where that one
// has begun, and must not be moved to where this one is.
func TestALostCheckpointIsNotedThoughAnotherProcessMadeItAnew(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.post("a", "1", "2")
	one, two, ctx := projections.NewCheckpoints(h.pool, h.log), projections.NewCheckpoints(h.pool, h.log), t.Context()
	events := ok(event.ReadBatch(ctx, h.log, 0, 3))(h)
	ok(one.Load(ctx, "record"))(h)
	ok(one.Save(ctx, "record", events[1]))(h)
	h.exec(`DELETE FROM govahi.checkpoints`)
	ok(two.Load(ctx, "record"))(h)
	if known := ok(one.Save(ctx, "record", events[2]))(h); known {
		t.Error("who had gone further does not learn of it")
	}
	if p := ok(two.Load(ctx, "record"))(h); p != 0 {
		t.Errorf("what was parked up to %d is never tried again", p)
	}
	ok(one.Load(ctx, "record"))(h)
	if known := ok(one.Save(ctx, "record", events[0]))(h); !known {
		t.Error("it cannot begin anew")
	}
}

// TestARetryThatWaitsSaysForWhat: the view waits with it.
func TestARetryThatWaitsSaysForWhat(t *testing.T) {
	h := newHouse(t, deadFeed)
	var mended atomic.Bool
	p := parcels(1)
	p.Apply = func(w *projections.Writer, e projections.Event) {
		if !mended.Load() {
			panic("broken")
		}
		applyParcel(w, e)
	}
	r, _ := h.run(p)
	h.shows(h.post("bad", "5").Position)
	h.keeper.down.Store(true)
	mended.Store(true)
	ok(projections.Retry(t.Context(), h.pool, "parcels", ""))(h)
	h.until("it waits", func() bool { s := h.status(r); return s.State == projections.Waiting && s.Trouble == "vault-down" })
	h.keeper.down.Store(false)
	h.until("it follows", func() bool { return h.status(r).State == projections.Following && len(h.parked()) == 0 })
	h.tellsTheLog()
}
