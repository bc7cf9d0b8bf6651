package projections_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"govahi/adapters/postgres/pgtest"
	"govahi/commands/memlog"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/fault"
	"govahi/projections"
)

// cellar is a keeper that counts whom it had to look for alone.
type cellar struct {
	*spec.Keeper
	mu    sync.Mutex
	down  bool
	warm  map[event.Subject]bool
	alone int
}

func (c *cellar) Warm(_ context.Context, subjects []event.Subject) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return fault.New(fault.Unavailable, "vault-down", "", "")
	}
	for _, s := range subjects {
		c.warm[s] = true
	}
	return nil
}

func (c *cellar) Open(ctx context.Context, s event.Subject, place string, sealed []byte) ([]byte, error) {
	c.mu.Lock()
	if !c.warm[s] {
		c.alone++
	}
	c.mu.Unlock()
	return c.Keeper.Open(ctx, s, place, sealed)
}

func (c *cellar) set(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

// TestKeysAreFetchedForAWholeBatch of forms, and waited for like any other part.
func TestKeysAreFetchedForAWholeBatch(t *testing.T) {
	keeper := &cellar{Keeper: spec.NewKeeper(), warm: map[event.Subject]bool{}, down: true}
	pool, log := pgtest.Pool(t), memlog.New()
	v := &views{T: t, log: log, keeper: keeper.Keeper, now: noon}
	for i := range 50 {
		person := event.Subject(fmt.Sprint("person-", i))
		tell(v, enrollment.Kind, v.code(i), enrollment.Opened{TrackingCode: v.code(i), OpenedBy: person, At: noon}, completed(person))
	}
	h := &house{T: t, pool: pool, log: log, waiter: projections.NewWaiter(pool)}
	r := projections.NewRunner(projections.Parts{
		Pool: pool, Log: log, Feed: func(string) event.Feed { return quiet{} }, Keeper: keeper, Terms: keyedTerms{}, Report: slog.New(slog.DiscardHandler),
	}, projections.Requests)
	h.background(r.Run)
	h.until("waiting", func() bool { s := h.status(r); return s.State == projections.Waiting && s.Trouble == "vault-down" })
	keeper.set(false)
	head := ok(log.Head(t.Context()))(t)
	h.until("shown", func() bool { return h.status(r).Position == head })
	if found := one[int](h, `SELECT count(person_term) FROM requests.requests`); found != 50 || keeper.alone > 0 {
		t.Errorf("%d forms were opened, %d keys fetched alone", found, keeper.alone)
	}
}
