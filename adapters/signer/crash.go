package signer

import (
	"os"
	"strings"
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

// crash is Crashing's, in development only.
func (s *Server) crash(point string) {
	if s.Development {
		Crashing(os.Getenv("GOVAHI_CRASH"))(point)
	}
}

// Crashing kills this process, as kill -9 would, at the points that are named,
// with spaces between them. With a file behind a point ("point,FILE") it happens
// only while there is no such file, and makes it: so it happens once, and again
// when the file is taken away.
func Crashing(named string) func(point string) {
	marks := map[string]string{}
	for _, name := range strings.Fields(named) {
		point, mark, _ := strings.Cut(name, ",")
		marks[point] = mark
	}
	return func(point string) {
		if mark, ok := marks[point]; ok && made(mark) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal may need a moment; nothing more happens here
		}
	}
}

// made tells whether the file is new; without one every time is the first.
func made(file string) bool {
	if file == "" {
		return true
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return err == nil && f.Close() == nil
}
