package postgres_test

import (
	"testing"

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
