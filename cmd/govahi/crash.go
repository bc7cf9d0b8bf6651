package main

import (
	"os"

	"govahi/adapters/signer"
	"govahi/adapters/sso"
)

// crashing kills this process at the points between two steps that GOVAHI_CRASH
// names, as the signer's; in development only. No test can hit these points
// from outside except by luck, and what must be shown is that nothing is lost
// or doubled at each of them.
func crashing(mode sso.Mode) func(point string) {
	if mode != sso.Development {
		return func(string) {}
	}
	return signer.Crashing(os.Getenv(crashHook))
}
