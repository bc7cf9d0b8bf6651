package main

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// loseStream deletes the JetStream stream when a test says so: nothing outside
// this process reaches the embedded server. The file bus with "delete" in it is
// removed once that is done.
func (h *house) loseStream(ctx context.Context) error {
	dir := os.Getenv(troubleHook)
	for dir != "" && ctx.Err() == nil {
		if trouble("bus") == "delete" && h.bus.Wipe(ctx) == nil {
			_ = os.Remove(filepath.Join(dir, "bus"))
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return ctx.Err()
}
