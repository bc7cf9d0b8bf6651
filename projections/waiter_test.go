package projections_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"govahi/adapters/postgres/pgtest"
	"govahi/commands/memlog"
	"govahi/domain/event"
	"govahi/projections"
)

func TestWaiterHearsReachedCheckpoints(t *testing.T) {
	h := newHouse(t, deadFeed)
	points := projections.NewCheckpoints(h.pool, h.log)
	h.until("listening", func() bool {
		return one[int64](h, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN checkpoints'`) == 1
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan error)
	go func() { done <- h.waiter.Wait(ctx, "policy:notify", 7) }()
	for p := range event.Position(8) {
		saved(t, points, "notify", event.Recorded{Position: p})
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWaiterIsBoundedByItsContext(t *testing.T) {
	h := newHouse(t, deadFeed)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := h.waiter.Wait(ctx, "parcels", 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := h.waiter.Wait(ctx, "parcels", 0); err != nil {
		t.Error("everything shows the beginning:", err)
	}
}

func TestWaiterAsksWhereItCannotHear(t *testing.T) {
	pool := pgtest.Pool(t)
	points, waiter := projections.NewCheckpoints(pool, memlog.New()), projections.NewWaiter(pool) // nobody listens
	if _, err := points.Load(t.Context(), "notify"); err != nil {
		t.Fatal(err)
	}
	saved(t, points, "notify", event.Recorded{Position: 9})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := waiter.Wait(ctx, "policy:notify", 9); err != nil {
		t.Error(err)
	}
}

func TestWaiterOutlivesItsConnection(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.run(parcels(1))
	const kill = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND query = 'LISTEN checkpoints'`
	for range 3 {
		h.shows(h.postMany(1).Position)
		h.until("listening", func() bool { return one[int64](h, kill) == 1 })
	}
	h.shows(h.postMany(1).Position)
}

// logOf is a log of so many events, which no other log holds.
func logOf(t *testing.T, name string, n int) (log *memlog.Log, events []event.Recorded) {
	t.Helper()
	log = memlog.New()
	for i := range n {
		stream := event.NewStream("thing", fmt.Sprint(i))
		_, err := log.Append(t.Context(), stream, event.NoStream, event.Proposed{
			ID: event.DeriveID(name, string(stream)), Type: "thing.happened.v1", Data: []byte(`{}`), Meta: []byte(`{}`),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	events, err := event.ReadBatch(t.Context(), log, 0, n)
	if err != nil {
		t.Fatal(err)
	}
	return log, events
}

// saved begins where the runner was, and saves.
func saved(t *testing.T, points *projections.Checkpoints, runner string, last event.Recorded) {
	t.Helper()
	if _, err := points.Load(t.Context(), runner); err != nil {
		t.Fatal(err)
	}
	if known, err := points.Save(t.Context(), runner, last); err != nil || !known {
		t.Fatal(known, err)
	}
}

func TestPolicyCheckpointsSurviveTheLossOfTheirTable(t *testing.T) {
	pool := pgtest.Pool(t)
	log, events := logOf(t, "one", 2)
	points := projections.NewCheckpoints(pool, log)
	load := func() event.Position {
		t.Helper()
		p, err := points.Load(t.Context(), "revoke")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if load() != 0 {
		t.Error("a new policy has acted")
	}
	for _, e := range events {
		if saved(t, points, "revoke", e); load() != e.Position {
			t.Fatal("what was saved is not there")
		}
		if _, err := pool.Exec(t.Context(), `DROP SCHEMA govahi CASCADE`); err != nil {
			t.Fatal(err)
		}
		if known, err := points.Save(t.Context(), "revoke", e); known || err != nil {
			t.Error("nobody is told that the checkpoint is lost:", err)
		}
	}
	if load() != 0 {
		t.Error("a lost checkpoint was invented")
	}
}

// TestFollowersAreWokenByEachStep, of the projections that they follow, and when
// steps may have been missed.
func TestFollowersAreWokenByEachStep(t *testing.T) {
	h := newHouse(t, deadFeed)
	points := projections.NewCheckpoints(h.pool, h.log)
	const kill = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND query = 'LISTEN checkpoints'`
	for _, c := range []struct {
		name   string
		do     func()
		others bool // are told of it, too
	}{
		{"a step", func() {
			saved(t, points, "mine", event.Recorded{Position: 1})
		}, false},
		{"a lost connection", func() { h.until("listening", func() bool { return one[int64](h, kill) == 1 }) }, true},
	} {
		h.until("listening", func() bool { return h.waiter.Heard() > 0 })
		next, mine, others := h.waiter.Next(), h.waiter.Heard("policy:mine", "requests"), h.waiter.Heard("requests")
		c.do()
		h.until(c.name, func() bool {
			return h.waiter.Heard("policy:mine") > 0 && h.waiter.Heard("policy:mine", "requests") != mine
		})
		select {
		case <-next:
		case <-time.After(10 * time.Second):
			t.Error(c.name, "wakes nobody")
		}
		if told := h.waiter.Heard("requests") != others; told != c.others {
			t.Errorf("%s: who follows something else is told: %v", c.name, told)
		}
	}
}

func TestSeveralViewsAreWhereTheSlowestIs(t *testing.T) {
	pool := pgtest.Pool(t)
	points, waiter := projections.NewCheckpoints(pool, memlog.New()), projections.NewWaiter(pool)
	if _, err := points.Load(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]event.Position{"a": 7, "b": 9} {
		saved(t, points, name, event.Recorded{Position: p})
	}
	for want, names := range map[event.Position][]string{7: {"policy:a", "policy:b"}, 9: {"policy:b"}, 0: {"policy:b", "policy:none"}} {
		if p, err := waiter.Position(t.Context(), names...); err != nil || p != want {
			t.Errorf("%v: %d %v", names, p, err)
		}
	}
}
