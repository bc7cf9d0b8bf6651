package pgtest_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"govahi/adapters/postgres"
	"govahi/adapters/postgres/pgtest"
)

// TestARemoteServerIsReachedByPasswordAlone, also after its death, and each role
// reaches its own database only.
func TestARemoteServerIsReachedByPasswordAlone(t *testing.T) {
	r := pgtest.TCP(t, "127.83.0.4", "one", "two")
	url := r.URL(r.Address(), "one")
	pool, err := postgres.Pool(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "CREATE TABLE mine (n int)"); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{
		strings.Replace(url, ":sample@", ":other@", 1),
		strings.Replace(url, "one:sample@", "govahi@", 1),
		strings.Replace(url, "/one?", "/two?", 1),
	} {
		if c, err := pgx.Connect(t.Context(), wrong); err == nil {
			_ = c.Close(t.Context())
			t.Errorf("%s is let in", wrong)
		}
	}
	r.Kill(t)
	if pool.Ping(t.Context()) == nil {
		t.Error("a dead server answers")
	}
	r.Again(t)
	if err := pool.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
