package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"govahi/adapters/postgres"
	"govahi/adapters/postgres/pgtest"
)

// template is a cluster that was made once; a copy of it is a cluster, sooner
// than initdb has made one.
var template = sync.OnceValues(func() (string, error) {
	home, err := os.MkdirTemp("/tmp", "govahi-postgres-*")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(home, 0o711); err != nil {
		return home, err
	}
	server, err := postgres.Start(context.Background(), postgres.Cluster{Dir: filepath.Join(home, "data")})
	if err != nil {
		return home, err
	}
	return home, server.Stop(context.Background())
})

// existing is a cluster that served before.
func existing(t *testing.T) postgres.Cluster {
	t.Helper()
	made, err := template()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(home(t), "data")
	if out, err := exec.Command("cp", "-a", filepath.Join(made, "data"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return postgres.Cluster{Dir: dir}
}

// home is a short directory that PostgreSQL's user can pass.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "govahi-postgres-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func begin(t *testing.T, c postgres.Cluster) *postgres.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	server, err := postgres.Start(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { finish(t, server) })
	return server
}

func finish(t *testing.T, server *postgres.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func query[T any](t *testing.T, server *postgres.Server, database, sql string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.DSN(database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, _ := conn.Query(t.Context(), sql)
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func execute(t *testing.T, server *postgres.Server, database, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.DSN(database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// keep writes what the tests look for after a restart.
func keep(t *testing.T, server *postgres.Server, database string) {
	t.Helper()
	execute(t, server, database, "CREATE TABLE kept AS SELECT 'here' AS word")
}

func TestKeepsItsDataAndItsPromises(t *testing.T) {
	dir := home(t)
	cluster := postgres.Cluster{Dir: filepath.Join(dir, "data"), SocketDir: filepath.Join(dir, "run")}
	server := begin(t, cluster)
	for range 2 {
		if err := server.CreateDatabase(t.Context(), "vault"); err != nil {
			t.Fatal(err)
		}
	}
	keep(t, server, "vault")
	for setting, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "listen_addresses": "",
		"server_encoding": "UTF8", "lc_ctype": "C.UTF-8",
	} {
		if got := query[string](t, server, "vault", "SELECT current_setting('"+setting+"')"); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
	for _, private := range []string{cluster.Dir, cluster.SocketDir} {
		if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v %v", private, info.Mode(), err)
		}
	}
	finish(t, server)
	if err := server.Wait(); err != nil {
		t.Errorf("after Stop: %v", err)
	}

	started := time.Now()
	server = begin(t, cluster)
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("an existing cluster took %v to start", took)
	} else {
		t.Logf("an existing cluster started in %v", took)
	}
	if got := query[string](t, server, "vault", "SELECT word FROM kept"); got != "here" {
		t.Errorf("kept %q", got)
	}
}

func TestKnowsPersianLetters(t *testing.T) {
	t.Parallel()
	server := begin(t, existing(t))
	execute(t, server, "postgres", "CREATE EXTENSION pg_trgm")
	got := query[float32](t, server, "postgres", "SELECT similarity('گواهی', 'گواهی امضا')")
	if got <= 0 {
		t.Errorf("pg_trgm is blind to Persian: %v", got)
	}
}

func TestRefusesASecondOwner(t *testing.T) {
	t.Parallel()
	cluster := existing(t)
	server := begin(t, cluster)
	if _, err := postgres.Start(t.Context(), cluster); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("second start: %v", err)
	}
	query[int32](t, server, "postgres", "SELECT 1")
}

func TestReportsADeadPostmasterAndStartsAgain(t *testing.T) {
	cluster := existing(t)
	server := begin(t, cluster)
	keep(t, server, "postgres")
	busy := make(chan error, 1)
	conn, err := pgx.Connect(t.Context(), server.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	go func() {
		// A backend that computes does not notice its postmaster's death.
		_, err := conn.Exec(context.Background(), "SELECT count(*) FROM generate_series(1, 100000000000)")
		busy <- err
	}()
	await(t, func() bool {
		return query[bool](t, server, "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series%' AND pid <> pg_backend_pid()")
	})
	if err := syscall.Kill(server.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	if err := server.Wait(); err == nil {
		t.Error("a killed server ended well")
	}
	again := begin(t, cluster)
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("%v until it was back", took)
	}
	if err := <-busy; err == nil {
		t.Error("the old backend lived on")
	}
	if got := query[string](t, again, "postgres", "SELECT word FROM kept"); got != "here" {
		t.Errorf("kept %q", got)
	}
}

// await polls a condition.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

// TestMain lets the binary play the parent that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("GOVAHI_TEST_PARENT"); dir != "" {
		server, err := postgres.Start(context.Background(), postgres.Cluster{Dir: dir})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(server.Pid())
		select {}
	}
	pgtest.Main(m, goleak.Cleanup(func(failed int) {
		if made, err := template(); err == nil {
			_ = os.RemoveAll(made)
		}
		os.Exit(failed)
	}))
}

// orphaned starts the cluster under a parent that is killed.
func orphaned(t *testing.T, cluster postgres.Cluster) (orphan int) {
	t.Helper()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "GOVAHI_TEST_PARENT="+cluster.Dir)
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fscan(output, &orphan); err != nil {
		t.Fatal(err)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	if err := syscall.Kill(orphan, 0); err != nil {
		t.Fatalf("there is no orphan: %v", err)
	}
	return orphan
}

func TestStopsTheOrphanOfAKilledParent(t *testing.T) {
	t.Parallel()
	cluster := existing(t)
	orphan := orphaned(t, cluster)
	var said strings.Builder
	cluster.Log = slog.New(slog.NewTextHandler(&said, nil))
	server := begin(t, cluster)
	if server.Pid() == orphan {
		t.Error("the orphan serves on")
	}
	if !strings.Contains(said.String(), "left behind") {
		t.Errorf("it did not say so: %s", said.String())
	}
	query[int32](t, server, "postgres", "SELECT 1")
}

// TestForgetsAForeignProcessID covers a number that the kernel gave away again.
func TestForgetsAForeignProcessID(t *testing.T) {
	t.Parallel()
	cluster := existing(t)
	stranger := exec.Command("sleep", "60")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	pidFile := fmt.Sprintf("%d\n%s\n", stranger.Process.Pid, cluster.Dir)
	if err := os.WriteFile(filepath.Join(cluster.Dir, "postmaster.pid"), []byte(pidFile), 0o600); err != nil {
		t.Fatal(err)
	}
	query[int32](t, begin(t, cluster), "postgres", "SELECT 1")
	if err := stranger.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("a stranger was hurt: %v", err)
	}
}

func TestBeginsAnewAfterAnInterruptedInitdb(t *testing.T) {
	t.Parallel()
	dir := home(t)
	cluster := postgres.Cluster{Dir: filepath.Join(dir, "data")}
	if err := os.MkdirAll(filepath.Join(cluster.Dir+".new", "base"), 0o755); err != nil {
		t.Fatal(err)
	}
	query[int32](t, begin(t, cluster), "postgres", "SELECT 1")
}

func TestRefusesDirectoriesOfOthers(t *testing.T) {
	t.Parallel()
	top := home(t)
	dir := filepath.Join(top, "shared")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "theirs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		_, err := postgres.Start(t.Context(), postgres.Cluster{Dir: filepath.Join(top, "data"), SocketDir: dir})
		if err == nil || !strings.Contains(err.Error(), "a directory of its own") {
			t.Errorf("socket in a shared directory: %v", err)
		}
	}
	if _, err := postgres.Start(t.Context(), postgres.Cluster{Dir: dir}); err == nil || !strings.Contains(err.Error(), "not a cluster") {
		t.Errorf("a cluster over other files: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "theirs")); err != nil {
		t.Error(err)
	}
}

func TestRefusesALongSocketPath(t *testing.T) {
	deep := filepath.Join(home(t), strings.Repeat("deep/", 20))
	_, err := postgres.Start(t.Context(), postgres.Cluster{Dir: deep})
	if err == nil || !strings.Contains(err.Error(), "at most 107") {
		t.Errorf("got %v", err)
	}
}

// TestMovesOutOfAClosedDirectory is the checkout under /root.
func TestMovesOutOfAClosedDirectory(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Log("not root: the server runs as ourselves and reaches what we reach")
		return
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	cluster := postgres.Cluster{Dir: filepath.Join(closed, "data"), SocketDir: filepath.Join(closed, "run")}
	t.Cleanup(func() {
		for _, link := range []string{cluster.Dir, cluster.SocketDir} {
			if place, err := os.Readlink(link); err == nil {
				os.RemoveAll(place)
				os.RemoveAll(place + ".lock")
			}
		}
	})
	server := begin(t, cluster)
	keep(t, server, "postgres")
	place, err := os.Readlink(cluster.Dir)
	if err != nil || !strings.HasPrefix(place, "/var/lib/govahi/") {
		t.Errorf("the cluster is at %q, %v", place, err)
	}
	finish(t, server)
	if got := query[string](t, begin(t, cluster), "postgres", "SELECT word FROM kept"); got != "here" {
		t.Errorf("kept %q", got)
	}
}

func TestGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	cluster := existing(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Start(ctx, cluster); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	begin(t, cluster)
}

func TestSaysWhyTheServerDoesNotStart(t *testing.T) {
	t.Parallel()
	cluster := existing(t)
	cluster.Settings = map[string]string{"max_connections": "none"}
	_, err := postgres.Start(t.Context(), cluster)
	if err == nil || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("got %v", err)
	}
}

// TestTakesOverAClusterOfAnotherUser is a backup that root restored.
func TestTakesOverAClusterOfAnotherUser(t *testing.T) {
	t.Parallel()
	cluster := existing(t)
	if out, err := exec.Command("chown", "-R", fmt.Sprint(os.Getuid()), cluster.Dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	query[int32](t, begin(t, cluster), "postgres", "SELECT 1")
}

func TestRefusesAClusterOfAnotherVersion(t *testing.T) {
	t.Parallel()
	cluster := existing(t)
	if err := os.WriteFile(filepath.Join(cluster.Dir, "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Start(t.Context(), cluster); err == nil || !strings.Contains(err.Error(), "apt-get install postgresql-9") {
		t.Errorf("got %v", err)
	}
}
