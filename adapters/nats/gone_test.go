package nats

import (
	"os"
	"path/filepath"
	"testing"

	"govahi/commands/memlog"
)

// TestRelayMendsAStreamWithoutFiles: the server that is asked for a stream in the
// moment in which it deletes it may keep one whose directory is gone; it then
// refuses every question about it until it is deleted again.
func TestRelayMendsAStreamWithoutFiles(t *testing.T) {
	dir := t.TempDir()
	_, bus := start(t, dir)
	log := memlog.New()
	r, stop := relay(t, bus, log)
	relays(t, r, log)
	stop()
	if err := os.RemoveAll(filepath.Join(dir, "jetstream", "$G", "streams", StreamName)); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.stream(t.Context()); err == nil {
		t.Fatal("the stream does not miss its directory")
	}
	r, _ = relay(t, bus, log)
	relays(t, r, log)
}
