package main

import (
	"context"
	"testing"
	"time"
)

// TestWhoStopsAStartDoesNotWaitForIt: of a house that never becomes ready, too.
func TestWhoStopsAStartDoesNotWaitForIt(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	began := time.Now()
	// A bus that is not there: the house waits for it, and is not ready before.
	i, err := startInstance(ctx, dataDir(t), &transcript{}, "GOVAHI_NATS=nats://127.0.0.1:1")
	if err == nil {
		_ = i.stop()
		t.Fatal("it became ready without a bus")
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("stopped only after %s: %v", took, err)
	}
}
