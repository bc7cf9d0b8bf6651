package projections_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"govahi/adapters/postgres"
)

// home is a short directory that PostgreSQL's user can pass.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "govahi-views-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "data")
}

func startPostgres(t *testing.T, dir string) *postgres.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	server, err := postgres.Start(ctx, postgres.Cluster{Dir: dir, Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = server.Stop(ctx) // one of them was killed
	})
	return server
}

// kill ends PostgreSQL without its shutting down: what its disk holds is all.
func kill(t *testing.T, server *postgres.Server) {
	t.Helper()
	if err := syscall.Kill(server.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-server.Done()
}

func percentiles(took []time.Duration) string {
	slices.Sort(took)
	return fmt.Sprint("p50 ", took[len(took)/2], " p99 ", took[len(took)*99/100])
}
