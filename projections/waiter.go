package projections

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/event"
)

// Waiter lets a reader wait until a projection shows what was just written, and
// tells who follows projections that they may have changed.
type Waiter struct {
	pool   *pgxpool.Pool
	mu     sync.Mutex
	marks  map[string]mark
	missed uint64        // how often steps may have gone unheard
	next   chan struct{} // closed when something is heard, of whatever projection
}

// mark is how far a projection is, and what tells of its next step.
type mark struct {
	position event.Position
	heard    uint64 // steps
	changed  chan struct{}
}

// NewWaiter makes a waiter. It hears quickly while Run runs; without, it asks.
func NewWaiter(pool *pgxpool.Pool) *Waiter {
	return &Waiter{pool: pool, marks: map[string]mark{}, next: make(chan struct{})}
}

// askEvery is how late a waiter may be while no notification comes through.
const askEvery = 100 * time.Millisecond

// Wait returns once everything up to the position is in the projection's tables,
// or with the context's error.
func (w *Waiter) Wait(ctx context.Context, projection string, p event.Position) error {
	ask := time.NewTicker(askEvery)
	defer ask.Stop()
	for {
		m := w.mark(projection)
		if m.position >= p {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.changed:
		case <-ask.C:
			if now, err := position(ctx, w.pool, projection); err == nil && now >= p {
				return nil
			}
		}
	}
}

func (w *Waiter) mark(projection string) mark {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.marks[projection]; !ok {
		w.marks[projection] = mark{changed: make(chan struct{})}
	}
	return w.marks[projection]
}

// reached notes a checkpoint. It may go back: a view that is built anew must not
// be taken for one that is current.
func (w *Waiter) reached(projection string, p event.Position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.marks[projection]
	if ok {
		close(m.changed)
	}
	w.marks[projection] = mark{p, m.heard + 1, make(chan struct{})}
	w.tell()
}

// tell is called with mu held.
func (w *Waiter) tell() {
	close(w.next)
	w.next = make(chan struct{})
}

// Next is closed when something is heard of any projection, or may have been
// missed. Look at Heard after it was taken, not before.
func (w *Waiter) Next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.next
}

// Heard counts the steps of projections that were heard, and the times when some
// may have been missed. As long as it is the same, the tables are.
func (w *Waiter) Heard(projections ...string) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.missed
	for _, p := range projections {
		n += w.marks[p].heard
	}
	return n
}

// Position is up to where all of the projections show everything, zero as long as
// one of them does not exist.
func (w *Waiter) Position(ctx context.Context, projections ...string) (event.Position, error) {
	var p int64
	err := w.pool.QueryRow(ctx, `SELECT CASE WHEN count(*) = cardinality($1::text[]) THEN min(position) ELSE 0 END
		FROM govahi.checkpoints WHERE projection = ANY($1)`, projections).Scan(&p)
	return event.Position(p), err
}

// forget drops what was heard: while nobody listens it may become untrue.
func (w *Waiter) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, m := range w.marks {
		w.marks[name] = mark{heard: m.heard, changed: m.changed}
	}
}

// listening begins: what happened before went unheard.
func (w *Waiter) listening() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.missed++
	w.tell()
}

// Run listens for checkpoints until the context ends, over a connection of its
// own that is replaced when it dies.
func (w *Waiter) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		_ = w.listen(ctx) // until it listens again, Wait asks
		w.forget()
		rest(ctx, askEvery)
	}
	return ctx.Err()
}

func (w *Waiter) listen(ctx context.Context) error {
	pooled, err := w.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack() // a listening connection must not return to the pool
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN checkpoints"); err != nil {
		return err
	}
	w.listening()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		cut := strings.LastIndex(n.Payload, ":")
		if p, err := event.ParsePosition(n.Payload[cut+1:]); err == nil && cut > 0 {
			w.reached(n.Payload[:cut], p)
		}
	}
}
