package pgtest

import (
	"os/exec"
	"syscall"
	"testing"
)

// TestWhatIsFrozenNoLongerRuns on a machine that has no time for it: a signal is
// sent long before a process that waits for its turn stops.
func TestWhatIsFrozenNoLongerRuns(t *testing.T) {
	busy := exec.Command("sh", "-c", "for i in $(seq 24); do (while :; do :; done) & done; wait")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	parent := busy.Process.Pid
	t.Cleanup(func() {
		for _, pid := range append(children(t, parent), parent) {
			signal(t, pid, syscall.SIGKILL)
		}
		_ = busy.Wait()
	})
	for len(children(t, parent)) < 24 {
	}
	for _, pid := range children(t, parent) {
		if Halt(t, pid); runs(pid) {
			t.Errorf("process %d runs", pid)
		}
	}
}
