package pgtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"govahi/adapters/postgres"
)

// Server is a cluster for this test alone, to be hurt.
func Server(t testing.TB) *postgres.Server {
	t.Helper()
	server, err := postgres.Start(t.Context(), postgres.Cluster{Dir: filepath.Join(ownHome(t), "data")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(server) })
	return server
}

// ownHome is a directory of this test's that PostgreSQL's user can reach.
func ownHome(t testing.TB) string {
	t.Helper()
	home, err := os.MkdirTemp("/tmp", "govahi-pgtest-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	if err := os.Chmod(home, 0o711); err != nil {
		t.Fatal(err)
	}
	return home
}

func stop(server *postgres.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = server.Stop(ctx)
}

// Freeze stops a process, so that it makes no more children, then its children,
// and returns when none of their threads runs: until then one could still
// answer. thaw lets them go on; the test's end does so too.
func Freeze(t testing.TB, parent int) (thaw func()) {
	t.Helper()
	Halt(t, parent)
	frozen := []int{parent}
	thaw = sync.OnceFunc(func() {
		for _, pid := range frozen {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	})
	t.Cleanup(thaw)
	for _, pid := range children(t, parent) {
		frozen = append(frozen, pid)
		Halt(t, pid)
	}
	return thaw
}

// Halt stops a process alone and returns when none of its threads runs.
func Halt(t testing.TB, pid int) {
	t.Helper()
	signal(t, pid, syscall.SIGSTOP)
	for runs(pid) {
		time.Sleep(time.Millisecond)
	}
}

// runs says whether a thread of the process is neither stopped nor at its end.
func runs(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return slices.ContainsFunc(threads, func(thread string) bool {
		text, err := os.ReadFile(thread)
		_, after, ok := strings.Cut(string(text), ") ")
		return err == nil && ok && !strings.ContainsAny(after[:1], "TtZX")
	})
}

func signal(t testing.TB, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil && err != syscall.ESRCH { // a child may just have ended
		t.Fatal(err)
	}
}

func children(t testing.TB, pid int) (pids []int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range strings.Fields(string(text)) {
		var child int
		if _, err := fmt.Sscan(field, &child); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, child)
	}
	return pids
}
