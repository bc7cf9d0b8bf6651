package signer

import (
	"os"
	"syscall"
)

// The points between the steps of a signature where a test can have the process
// killed. No test can hit them from outside except by luck, and what must be
// shown is that nothing is lost or doubled at each of them.
const (
	beforeStarted = "signer:before-started"
	afterStarted  = "signer:after-started"
	afterSign     = "signer:after-sign"
)

// crash kills this process, as kill -9 would, at the point that GOVAHI_CRASH
// names; in development only.
func (s *Server) crash(point string) {
	if s.Development && os.Getenv("GOVAHI_CRASH") == point {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal may need a moment; nothing more happens here
	}
}
