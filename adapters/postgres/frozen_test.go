package postgres_test

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/postgres"
	"govahi/adapters/postgres/pgtest"
)

func pool(t *testing.T, server *postgres.Server) *pgxpool.Pool {
	t.Helper()
	p, err := postgres.Pool(t.Context(), server.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// abreast asks so many times at once, each for at most so long; it returns how
// many were answered and how long the slowest took.
func abreast(p *pgxpool.Pool, n int, within time.Duration) (answered int, slowest time.Duration) {
	var all sync.WaitGroup
	var mu sync.Mutex
	for range n {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), within)
			defer cancel()
			began := time.Now()
			_, err := p.Exec(ctx, "SELECT pg_sleep(0.02)")
			mu.Lock()
			defer mu.Unlock()
			slowest = max(slowest, time.Since(began))
			if err == nil {
				answered++
			}
		})
	}
	all.Wait()
	return answered, slowest
}

// soon is when everything must be well again.
const soon = 2 * time.Second

// well waits until a pool answers more than it has connections.
func well(t *testing.T, p *pgxpool.Pool) {
	t.Helper()
	for began := time.Now(); ; {
		answered, _ := abreast(p, 40, soon)
		if took := time.Since(began); took > soon {
			t.Fatalf("after %v %d of 40 are answered", took, answered)
		}
		if answered == 40 {
			t.Logf("well after %v", time.Since(began))
			return
		}
	}
}

// TestAFrozenServerHoldsNobodyUp: whoever has a deadline keeps it, nobody takes
// the server for dead, and no connection is spoilt when it goes on.
func TestAFrozenServerHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	server := begin(t, existing(t))
	p := pool(t, server)
	for range 2 {
		well(t, p)
		thaw := pgtest.Freeze(t, server.Pid())
		for range 3 {
			answered, slowest := abreast(p, 40, 500*time.Millisecond)
			if answered > 0 || slowest > time.Second {
				t.Errorf("frozen: %d answered, the slowest within %v", answered, slowest)
			}
		}
		select {
		case <-server.Done():
			t.Fatal("a frozen server counts as dead")
		default:
		}
		thaw()
		well(t, p)
	}
	if n := p.Stat().TotalConns(); n > p.Stat().MaxConns() {
		t.Errorf("%d connections", n)
	}
}

// TestAFrozenServerStopsWhenTold: it cannot hear while it is frozen.
func TestAFrozenServerStopsWhenTold(t *testing.T) {
	t.Parallel()
	server := begin(t, existing(t))
	keep(t, server, "postgres")
	pgtest.Freeze(t, server.Pid())
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// TestAFrozenOrphanIsReplacedAtOnce: its parent was killed while it was frozen.
func TestAFrozenOrphanIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	cluster := existing(t)
	orphan := orphaned(t, cluster)
	pgtest.Freeze(t, orphan)
	began := time.Now()
	server := begin(t, cluster)
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("replaced after %v", took)
	}
	if server.Pid() == orphan {
		t.Error("the orphan serves on")
	}
	query[int32](t, server, "postgres", "SELECT 1")
}

// TestAPoolOutlivesItsServer: what was connected to the dead one is of no use.
func TestAPoolOutlivesItsServer(t *testing.T) {
	t.Parallel()
	cluster := existing(t)
	server := begin(t, cluster)
	p := pool(t, server)
	for range 3 {
		well(t, p)
		if err := syscall.Kill(server.Pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = server.Wait()
		if answered, slowest := abreast(p, 40, 500*time.Millisecond); answered > 0 || slowest > time.Second {
			t.Errorf("dead: %d answered, the slowest within %v", answered, slowest)
		}
		server = begin(t, cluster)
		well(t, p)
	}
}
