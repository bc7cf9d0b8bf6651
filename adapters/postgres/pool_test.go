package postgres_test

import (
	"context"
	"testing"
	"time"

	"govahi/adapters/postgres"
	"govahi/adapters/postgres/pgtest"
)

func TestPoolIsSmallUnlessTold(t *testing.T) {
	dsn := pgtest.DSN(t)
	for dsn, want := range map[string]int32{dsn: 16, dsn + "&pool_max_conns=3": 3} {
		pool, err := postgres.Pool(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		if got := pool.Config().MaxConns; got != want {
			t.Errorf("%d connections, want %d", got, want)
		}
		pool.Close()
	}
}

func TestPoolFailsWithoutAServer(t *testing.T) {
	if _, err := postgres.Pool(t.Context(), "postgres:///x?host="+t.TempDir()); err == nil {
		t.Error("a pool on nothing")
	}
}

// TestWhoFallsSilentLosesHisLock: a process that is cut off between two
// statements must not keep the others from its rows until it is heard again.
func TestWhoFallsSilentLosesHisLock(t *testing.T) {
	t.Parallel()
	silent := pgtest.Pool(t)
	if _, err := silent.Exec(t.Context(), `CREATE TABLE rows (n int); INSERT INTO rows VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	other, err := postgres.Pool(t.Context(), silent.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := silent.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `UPDATE rows SET n = 2`); err != nil {
		t.Fatal(err)
	}
	within, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	if _, err := other.Exec(within, `UPDATE rows SET n = 3`); err != nil {
		t.Fatalf("the other waits for ever: %v", err)
	}
	if err := tx.Commit(t.Context()); err == nil {
		t.Error("who fell silent has committed what was taken from him")
	}
}
