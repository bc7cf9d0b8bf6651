package http

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// patient is a listener that waits while no connection can be taken, as when
// the process has no descriptor left: whoever opens enough connections would
// else end the server, and with it the house.
type patient struct{ net.Listener }

// Accept returns only connections, and errors that are for good.
func (p patient) Accept() (net.Conn, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		conn, err := p.Listener.Accept()
		if !scarce(err) {
			return conn, err
		}
		time.Sleep(wait)
	}
}

func scarce(err error) bool {
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, lack) {
			return true
		}
	}
	return false
}

// connections is how many callers are served at once: half of the process's
// descriptors, for the log and the views need theirs.
func connections() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fewest
	}
	return int(min(max(limit.Cur/2, fewest), most))
}

// The bounds of connections.
const (
	fewest = 64
	most   = 16 << 10
)
