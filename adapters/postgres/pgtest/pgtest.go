// Package pgtest gives each test a private database on one real PostgreSQL
// cluster, which all tests of a test binary share.
package pgtest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/postgres"
)

// Pool opens a pool on a database that belongs to this test alone; both are
// gone when the test ends.
func Pool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Pool(t.Context(), DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// DSN makes a database for this test alone, and drops it when the test ends.
func DSN(t testing.TB) string {
	t.Helper()
	server, err := cluster()
	if err != nil {
		t.Fatal(err)
	}
	name := "test_" + strconv.FormatInt(count.Add(1), 10)
	execute(t, server.Server, "CREATE DATABASE "+name+" STRATEGY file_copy")
	t.Cleanup(func() { execute(t, server.Server, "DROP DATABASE "+name+" WITH (FORCE)") })
	return server.DSN(name)
}

var count atomic.Int64

func execute(t testing.TB, server *postgres.Server, statement string) {
	t.Helper()
	// Cleanups run after the test's own context has ended.
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatal(err)
	}
}

// cluster starts the shared cluster for the first test that asks. Nothing in it
// need survive a crash, so it does not wait for the disk.
var cluster = sync.OnceValues(func() (shared, error) {
	home, err := os.MkdirTemp("/tmp", "govahi-pgtest-*") // short, and open to PostgreSQL's user
	if err != nil {
		return shared{}, err
	}
	if err := os.Chmod(home, 0o711); err != nil {
		return shared{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := postgres.Start(ctx, postgres.Cluster{
		Dir:       filepath.Join(home, "data"),
		SocketDir: filepath.Join(home, "run"),
		Settings:  map[string]string{"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"},
	})
	if err != nil {
		return shared{}, fmt.Errorf("pgtest: %w", err)
	}
	leash, err := guard(server.Pid(), home)
	return shared{server, leash}, err
})

// shared is the cluster with the leash of its guard. The leash is kept because
// the collector would close it.
type shared struct {
	*postgres.Server
	leash io.Closer
}

// watch waits for the end of its standard input, which comes when the test
// binary ends in whatever way, then ends the server and removes its files.
const watch = `
read -r _
kill -QUIT "$1"
for _ in $(seq 100); do
	[ -e "/proc/$1/cwd" ] || break # a zombie has none
	sleep 0.1
done
rm -rf -- "$2"
`

// guard leaves the cleaning up to a process that outlives this one, because no
// code of ours runs after os.Exit, a panic, a time-out or kill -9.
func guard(pid int, home string) (io.Closer, error) {
	cmd := exec.Command("/bin/sh", "-c", watch, "sh", strconv.Itoa(pid), home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return stdin, cmd.Start()
}
