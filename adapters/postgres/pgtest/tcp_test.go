package pgtest_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sys/unix"

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
	missesItsServer(t, pool)
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
	err = pool.Ping(t.Context())
	for n := 0; err != nil && n < 16; n++ { // each of the dead connections may be tried first
		err = pool.Ping(t.Context())
	}
	if err != nil {
		t.Error(err)
	}
}

// missesItsServer looks how long a connection bears silence.
func missesItsServer(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	c, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	raw, err := c.Conn().PgConn().Conn().(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for option, want := range map[int]int{unix.TCP_USER_TIMEOUT: 5000, unix.TCP_KEEPIDLE: 2, unix.TCP_KEEPINTVL: 1, unix.TCP_KEEPCNT: 3} {
		err := raw.Control(func(fd uintptr) {
			if got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option); err != nil || got != want {
				t.Errorf("option %d is %d, want %d, %v", option, got, want, err)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}
