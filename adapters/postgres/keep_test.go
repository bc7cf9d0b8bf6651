package postgres_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/postgres"
)

// kept is a cluster that is kept running, and what was logged about it.
type kept struct {
	*testing.T
	postgres.Cluster
	first *postgres.Server // tells how to connect, also to its successors
	mu    sync.Mutex
	text  bytes.Buffer
}

func (k *kept) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.Write(p)
}

func (k *kept) logged(what string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.Count(k.text.String(), what)
}

func keeping(t *testing.T, c postgres.Cluster) *kept {
	t.Helper()
	k := &kept{T: t, Cluster: c}
	k.Log = slog.New(slog.NewTextHandler(k, nil))
	k.first = begin(t, k.Cluster)
	ctx, cancel := context.WithCancel(context.Background())
	last := make(chan *postgres.Server, 1)
	go func() { last <- postgres.Keep(ctx, k.Cluster, k.first) }()
	t.Cleanup(func() {
		cancel()
		finish(t, <-last)
		if t.Failed() {
			t.Log(k.text.String())
		}
	})
	return k
}

// postmaster is the process ID that the present server wrote down.
func (k *kept) postmaster() int {
	k.Helper()
	text, err := os.ReadFile(filepath.Join(k.Dir, "postmaster.pid"))
	if err != nil {
		k.Fatal(err)
	}
	pid := 0
	for _, digit := range strings.SplitN(string(text), "\n", 2)[0] {
		pid = 10*pid + int(digit-'0')
	}
	return pid
}

func TestAKilledServerIsKept(t *testing.T) {
	t.Parallel()
	k := keeping(t, existing(t))
	p := pool(t, k.first)
	for n := range 5 {
		pid := k.postmaster()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		await(t, func() bool { return k.logged("is back") == n+1 })
		if k.postmaster() == pid {
			t.Error("the dead one serves on")
		}
		well(t, p)
	}
	if died := k.logged("postgres died"); died != 5 {
		t.Errorf("%d deaths are told of, not 5", died)
	}
}

// TestALostClusterIsNotMadeAnew: a disk that is away comes back; keys in a new
// and empty vault would be other keys.
func TestALostClusterIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	k := keeping(t, existing(t))
	keep(t, k.first, "postgres")
	pid, away := k.postmaster(), k.Dir+".away"
	if err := os.Rename(k.Dir, away); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return k.logged("holds no cluster any more") > 0 })
	if _, err := os.Stat(k.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was made in its place: %v", err)
	}
	if err := os.Rename(away, k.Dir); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return k.logged("is back") == 1 })
	if got := query[string](t, k.first, "postgres", "SELECT word FROM kept"); got != "here" {
		t.Errorf("kept %q", got)
	}
}

// small is a cluster on a file system of its own, of which little is free.
func small(t *testing.T) postgres.Cluster {
	t.Helper()
	made, err := template()
	if err != nil {
		t.Fatal(err)
	}
	disk := home(t)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=96m,mode=0711"); err != nil {
		t.Fatalf("a small file system is mounted for this test: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(disk, "data")
	if out, err := exec.Command("cp", "-a", filepath.Join(made, "data"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return postgres.Cluster{Dir: dir, SocketDir: filepath.Join(home(t), "run")}
}

// fill takes what is left of a file system; free gives it back.
func fill(t *testing.T, file string) (free func()) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
	}
}

// exhausted writes ahead until the server can do so no more, and is gone.
func exhausted(p *pgxpool.Pool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := p.Exec(ctx, "SELECT pg_logical_emit_message(true, 'sample', repeat('x', 1000000))")
	var pg *pgconn.PgError
	return err != nil && (!errors.As(err, &pg) || strings.HasPrefix(pg.Code, "57P")) // cut off, or shutting down
}

// TestAFullDiskIsSurvived: PostgreSQL panics when it cannot write ahead, and
// does not start until there is room. What was committed is there afterwards,
// and nothing else.
func TestAFullDiskIsSurvived(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Fatal("this test mounts a small file system: run it as root")
	}
	k := keeping(t, small(t))
	p := pool(t, k.first)
	execute(t, k.first, "postgres", "CREATE TABLE rows (n int PRIMARY KEY, pad bytea)")
	insert := func(n int) error {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		pad := make([]byte, 64<<10)
		_, _ = rand.Read(pad)
		_, err := p.Exec(ctx, "INSERT INTO rows VALUES ($1, $2) ON CONFLICT DO NOTHING", n, pad)
		return err
	}
	next, full := 0, 0
	for range 2 {
		free := fill(t, filepath.Join(filepath.Dir(k.Dir), "filler"))
		for refused := 0; refused < 20; {
			if err := insert(next); err != nil {
				var pg *pgconn.PgError
				if errors.As(err, &pg) && pg.Code == "53100" { // disk full
					full++
				}
				refused++
				continue
			}
			next++
		}
		await(t, func() bool { return exhausted(p) }) // of what it can write ahead
		free()
		began := time.Now()
		await(t, func() bool { return insert(next) == nil })
		next++
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%v until it takes writes again", took)
		} else {
			t.Logf("it takes writes again after %v; it died %d times", took, k.logged("postgres died"))
		}
		well(t, p)
	}
	if got := query[int64](t, k.first, "postgres", "SELECT count(*) FROM rows"); got != int64(next) || full == 0 {
		t.Errorf("%d rows of %d; refused for want of room: %d", got, next, full)
	}
}
