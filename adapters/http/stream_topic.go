package http

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"govahi/domain/event"
)

// topic is a question that several may follow, and what is so.
type topic struct {
	followers int // under the hub's mu

	mu   sync.Mutex // held while it is asked: the others wait for the same answer
	last reply
}

// reply is an answer, ready to be sent.
type reply struct {
	answer any
	err    error
	seen
	event []byte

	heard uint64 // of its views, before it was asked
	asked time.Time
	lasts time.Duration
}

// now is what is so, as asked after a moment. It is asked again once its views
// may have changed, and now and then all the same: a notification can get lost,
// and an erasure empties an answer without one.
func (t *topic) now(h *hub, m matter, since time.Time) reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	heard := h.waiter.Heard(m.views...)
	if heard != t.last.heard || t.last.asked.Before(since) || time.Since(t.last.asked) > t.last.lasts {
		asked, before := time.Now(), t.last
		t.last = h.ask(m)
		t.last.heard, t.last.asked = heard, asked
		if t.last.seen == before.seen { // who does not read holds on to it: one copy will do
			t.last.event = before.event
		}
	}
	return t.last
}

// ask waits for its turn. Trouble is remembered for a moment: it is the same for
// all who ask.
func (h *hub) ask(m matter) reply {
	ctx, cancel := context.WithTimeout(h.closing, askedWithin)
	defer cancel()
	select {
	case h.turns <- struct{}{}:
		defer func() { <-h.turns }()
	case <-ctx.Done():
		return reply{err: ctx.Err()}
	}
	position, err := h.waiter.Position(ctx, m.views...) // first: the answer shows at least that
	if err != nil {
		return reply{err: err, lasts: changeEvery}
	}
	answer, err := m.told(ctx)
	if err != nil {
		return reply{err: err, lasts: changeEvery}
	}
	return sendable(position, answer, h.beat)
}

func (m matter) told(ctx context.Context) (answer any, err error) {
	defer caught(&err)
	return m.tell(ctx)
}

// sendable is an answer as it is sent: its id names the answer, too, so that who
// comes back is sent another one, and no other.
func sendable(at event.Position, answer any, lasts time.Duration) reply {
	compared, err := lasting(answer)
	if err != nil {
		return reply{err: err}
	}
	sum := sha256.Sum256(compared)
	as := seen{at, hex.EncodeToString(sum[:8])}
	data, err := encoded(answer)
	return reply{
		answer: answer, err: err, seen: as, lasts: lasts,
		event: fmt.Appendf(nil, "id: %s\nevent: answer\ndata: %s\n\n", as, data),
	}
}
