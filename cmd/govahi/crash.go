package main

import (
	"os"
	"strings"
	"syscall"

	"govahi/adapters/sso"
)

// crashing kills this process, as kill -9 would, at the point between two steps
// that GOVAHI_CRASH names; in development only. No test can hit these points
// from outside except by luck, and what must be shown is that nothing is lost
// or doubled at each of them. With a file name behind the point ("point,FILE")
// it happens once: the file marks that it did.
func crashing(mode sso.Mode) func(point string) {
	where, mark, once := strings.Cut(os.Getenv("GOVAHI_CRASH"), ",")
	if mode != sso.Development || where == "" {
		return func(string) {}
	}
	return func(point string) {
		if point != where {
			return
		}
		if once {
			f, err := os.OpenFile(mark, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return
			}
			_ = f.Close()
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal may need a moment; nothing more happens here
	}
}
