package projections

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/event"
)

// Waiter lets a reader wait until a projection shows what was just written.
type Waiter struct {
	pool  *pgxpool.Pool
	mu    sync.Mutex
	marks map[string]mark
}

// mark is how far a projection is, and what tells of its next step.
type mark struct {
	position event.Position
	changed  chan struct{}
}

// NewWaiter makes a waiter. It hears quickly while Run runs; without, it asks.
func NewWaiter(pool *pgxpool.Pool) *Waiter {
	return &Waiter{pool: pool, marks: map[string]mark{}}
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
	if m, ok := w.marks[projection]; ok {
		close(m.changed)
	}
	w.marks[projection] = mark{p, make(chan struct{})}
}

// forget drops what was heard: while nobody listens it may become untrue.
func (w *Waiter) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, m := range w.marks {
		w.marks[name] = mark{changed: m.changed}
	}
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
