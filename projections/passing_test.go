package projections_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"govahi/domain/event"
	"govahi/projections"
)

// TestWhatAViewPassesIsNoGapAndNoRepetition: what concerns it comes amidst what it
// only passes, whose steps are still on their way then; with another process, and
// with connections that die.
func TestWhatAViewPassesIsNoGapAndNoRepetition(t *testing.T) {
	for _, runners := range []int{1, 2} {
		t.Run(fmt.Sprint(runners), func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			dice := rand.New(rand.NewPCG(seed, 0))
			h := newHouse(t, wildFeed)
			for range runners {
				h.run(parcels(1))
			}
			var last event.Position
			for range 300 {
				switch dice.IntN(100) {
				case 0:
					_, _ = h.pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
						WHERE datname = current_database()`) // its own connection may be a dead one
				case 1:
					h.shows(last)
				default:
					if last = h.foreign().Position; dice.IntN(3) == 0 {
						last = h.postMany(1).Position
					}
				}
				rest(t.Context(), time.Duration(dice.IntN(2000))*time.Microsecond)
			}
			h.shows(h.foreign().Position)
			h.tellsTheLog()
		})
	}
}

// TestAStepThatCouldNotBeMadeIsMadeLater, though nothing happens any more.
func TestAStepThatCouldNotBeMadeIsMadeLater(t *testing.T) {
	h := newHouse(t, wildFeed)
	r, _ := h.run(parcels(1))
	h.shows(h.postMany(3).Position)
	h.exec(`ALTER TABLE govahi.checkpoints RENAME COLUMN anchor TO lost`)
	last := h.foreign().Position
	h.until("it waits", func() bool { return h.status(r).State == projections.Waiting })
	h.exec(`ALTER TABLE govahi.checkpoints RENAME COLUMN lost TO anchor`)
	h.shows(last)
	h.tellsTheLog()
}

// TestOneViewsStepHoldsUpNoOthers: another process may be writing that view for
// long, in a transaction that has its checkpoint.
func TestOneViewsStepHoldsUpNoOthers(t *testing.T) {
	h := newHouse(t, wildFeed)
	boxes := crates(1)
	boxes.Name = "boxes"
	h.run(parcels(1), boxes)
	h.shows(h.postMany(1).Position)
	h.until("both are there", func() bool {
		return one[int](h, `SELECT count(*) FROM govahi.checkpoints WHERE position > 0`) == 2
	})
	tx, err := h.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()         // whatever came of it
	const kept = `SET LOCAL idle_in_transaction_session_timeout = 0` // or its lock is taken away
	if _, err := tx.Exec(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM govahi.checkpoints WHERE projection = 'boxes' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	h.shows(h.postMany(1).Position)
	h.until("boxes waits", func() bool {
		return one[int](h, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0
	})
	h.shows(h.postMany(1).Position) // though boxes waits until the end
}
