package eventstore_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain ignores only what the official client may forget when its node goes
// away (see connection); leavesNothing ignores less.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(
		m,
		goleak.IgnoreTopFunction("google.golang.org/grpc/internal/grpcsync.(*CallbackSerializer).run"),
		goleak.IgnoreAnyFunction("google.golang.org/grpc.(*addrConn).resetTransportAndUnlock"),
	)
}
