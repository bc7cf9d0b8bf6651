package pgtest

import (
	"testing"

	"go.uber.org/goleak"
)

// Main runs a package's tests and finds goroutines that they leave behind, but
// for those that watch the shared cluster until the binary ends.
func Main(m *testing.M, more ...goleak.Option) {
	goleak.VerifyTestMain(m, append(more,
		goleak.IgnoreAnyFunction("govahi/adapters/postgres.(*Server).await"),
		goleak.IgnoreAnyFunction("govahi/adapters/postgres.(*Server).await.func1"))...)
}
