package queries_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"govahi/adapters/postgres"
	"govahi/adapters/postgres/pgtest"
	"govahi/domain/event/spec"
	"govahi/queries"
)

// TestAFrozenDatabaseKeepsNobodyWaiting: not even when more ask than there are
// connections.
func TestAFrozenDatabaseKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	pool, err := postgres.Pool(t.Context(), server.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	q := &queries.Queries{Pool: pool, Keeper: spec.NewKeeper(), Terms: terms{}}
	thaw := pgtest.Freeze(t, server.Pid())
	var all sync.WaitGroup
	began := time.Now()
	for range 3 {
		for name, ask := range asked(q) {
			all.Go(func() {
				if err := ask(t.Context()); !errors.Is(err, queries.ErrViewsUnavailable) {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	all.Wait()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("answered after %v", took)
	}
	thaw()
	began = time.Now()
	if err := pool.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("thawed: answered after %v", took)
	}
}
