package main

import (
	"fmt"
	"net"
	web "net/http"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAFloodOfConnectionsDoesNotEndTheHouse: it takes every descriptor that the
// process may have; when it is over, the house answers as before.
func TestAFloodOfConnectionsDoesNotEndTheHouse(t *testing.T) {
	i := begin(t, t.TempDir())
	limit := i.descriptors(t) + 16
	most := unix.Rlimit{Cur: uint64(limit), Max: uint64(limit)}
	must(t, unix.Prlimit(i.cmd.Process.Pid, unix.RLIMIT_NOFILE, &most, nil))
	var flood []net.Conn
	for range 64 {
		conn, err := net.Dial("tcp", i.listen)
		must(t, err)
		flood = append(flood, conn)
	}
	await(t, "every descriptor is taken", func() bool { return i.descriptors(t) >= limit })
	for _, conn := range flood {
		must(t, conn.Close())
	}
	await(t, "the house is ready again", func() bool {
		answer, err := web.Get("http://" + i.listen + "/health/ready")
		if err != nil {
			return false
		}
		return answer.Body.Close() == nil && answer.StatusCode == web.StatusOK
	})
}

func (i *instance) descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", i.cmd.Process.Pid))
	must(t, err)
	return len(open)
}
