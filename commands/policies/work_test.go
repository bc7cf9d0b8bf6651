package policies

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"govahi/commands"
	"govahi/domain/event"
)

// todo is a list of items, and a worker on it.
type todo struct {
	Worker
	mu     sync.Mutex
	listed []string
	tried  map[string]int
	under  map[string]bool
	said   bytes.Buffer
	do     func(ctx context.Context, id string) error
}

func newTodo(t *testing.T, ids ...string) *todo {
	l := &todo{listed: ids, tried: map[string]int{}, under: map[string]bool{}}
	l.Worker = Worker{Name: "work", Clock: func() time.Time { return noon }, Report: slog.New(slog.NewTextHandler(&l.said, nil))}
	l.Due = func(_ context.Context, _ time.Time, limit int) ([]string, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return slices.Clone(l.listed[:min(limit, len(l.listed))]), nil
	}
	l.Do = func(ctx context.Context, _ commands.Caller, id string) error {
		l.mu.Lock()
		if l.under[id] {
			t.Errorf("%s is done twice at once", id)
		}
		l.under[id] = true
		l.tried[id]++
		l.mu.Unlock()
		err := l.do(ctx, id)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.under, id)
		if err == nil {
			l.listed = slices.DeleteFunc(l.listed, func(listed string) bool { return listed == id })
		}
		return err
	}
	return l
}

func (l *todo) left() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.listed)
}

func (l *todo) tries(id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tried[id]
}

// works runs the worker until the test's end.
func (l *todo) works(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	return func() { cancel(); <-ended }
}

// TestAListThatCannotBeReadIsReportedOnce, and once that it can be again: or nobody
// would learn that nothing is done any more.
func TestAListThatCannotBeReadIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTodo(t)
		var broken error
		l.Due = func(context.Context, time.Time, int) ([]string, error) { return nil, broken }
		said := func(what string) int { return strings.Count(l.said.String(), what) }
		for round := 1; round <= 2; round++ {
			broken = errors.New("no such column")
			stop := l.works(t)
			time.Sleep(time.Second)
			if said("list cannot be read") != round-1 {
				t.Fatal("it was told at once")
			}
			time.Sleep(5 * time.Second)
			broken = nil
			time.Sleep(time.Second)
			stop()
			if said("list cannot be read") != round || said("no such column") != round || said("read again") != round || said("worker=work") != 2*round {
				t.Fatalf("in round %d it said %s", round, l.said.String())
			}
		}
	})
}

// TestASlowItemHoldsNothingElseUp: not what stood beside it, nor what comes
// later; and it is not begun a second time.
func TestASlowItemHoldsNothingElseUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTodo(t, "slow", "a", "b", "c")
		l.do = func(ctx context.Context, id string) error {
			if id == "slow" {
				pause(ctx, time.Minute)
			}
			return nil
		}
		defer l.works(t)()
		passes(time.Second)
		if !slices.Equal(l.left(), []string{"slow"}) {
			t.Errorf("left are %v", l.left())
		}
		l.mu.Lock()
		l.listed = append(l.listed, "later")
		l.mu.Unlock()
		passes(time.Second)
		if !slices.Equal(l.left(), []string{"slow"}) {
			t.Errorf("left are %v", l.left())
		}
		passes(time.Minute)
		if len(l.left()) > 0 || l.tries("slow") != 1 {
			t.Errorf("left are %v; the slow one was begun %d times", l.left(), l.tries("slow"))
		}
	})
}

// TestWhatFailsIsLeftAloneForAWhile: what was sent but could not be recorded is
// not sent ten times a second, nor are the others kept from it.
func TestWhatFailsIsLeftAloneForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		for range 100 {
			ids = append(ids, "fails-"+string(rune('a'+len(ids))))
		}
		l := newTodo(t, append(ids, "well")...)
		broken := true
		l.do = func(_ context.Context, id string) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			if broken && id != "well" {
				return errors.New("the log is full")
			}
			return nil
		}
		defer l.works(t)()
		passes(time.Minute)
		if l.tries("well") != 1 {
			t.Error("what fails keeps the others from their turn")
		}
		for _, id := range ids {
			if n := l.tries(id); n < 2 || n > 20 {
				t.Errorf("%s was tried %d times in a minute", id, n)
			}
		}
		if lines := strings.Count(l.said.String(), "work waits"); lines != len(ids) {
			t.Errorf("%d lines about %d items", lines, len(ids))
		}
		l.mu.Lock()
		broken = false
		l.mu.Unlock()
		passes(longest + time.Second)
		if len(l.left()) > 0 {
			t.Errorf("left are %v", l.left())
		}
	})
}

// hanging is a place for checkpoints that hangs.
type hanging struct{ *kept }

func (hanging) Save(ctx context.Context, _ string, _ event.Recorded) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

// TestAHangingCheckpointHoldsNoPolicyUp: a revocation needs no PostgreSQL.
func TestAHangingCheckpointHoldsNoPolicyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, w := newHouse(t), &witness{}
		_, stop := h.running(hanging{memory()}, w.policy())
		defer stop()
		passes(time.Second)
		for range 3 {
			h.happens("a")
			passes(2 * time.Second)
		}
		if w.saw("person-a@0") != 1 || w.saw("person-a@2") != 1 {
			t.Errorf("it saw %v", w.seen)
		}
	})
}
