package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestMain builds the three programs once; the tests run them as a person
// would, on real parts.
func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "govahi-programs-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, name := range []string{"govahi", "govahi-signer", "govahi-token"} {
		build := exec.Command("go", "build", "-o", dir+"/", "../"+name)
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", name, err, out)
			return 1
		}
	}
	programs = dir
	return m.Run()
}

// dataDir is a fresh data directory that PostgreSQL's user can reach.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "govahi-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "data")
}

// transcript is what an instance printed; it is shown when a test fails.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// begin starts an instance on a data directory and stops it with the test.
func begin(t *testing.T, dir string, env ...string) *instance {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	said := &transcript{}
	i, err := startInstance(ctx, dir, said, env...)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Cleanup(func() {
		if err := i.stop(); err != nil && !t.Failed() {
			t.Logf("the instance ended with %v", err)
		}
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "govahi.log"))
			t.Logf("the instance printed:\n%s\nand logged:\n%s", said, tail(log, 6000))
		}
	})
	return i
}

func tail(text []byte, n int) []byte { return text[max(0, len(text)-n):] }

// telling begins a story on a seeded instance.
func telling(t *testing.T, i *instance, name string) *story {
	t.Helper()
	s, done, err := i.story(t.Context(), name, filepath.Join(filepath.Dir(i.dir), "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(done)
	s.out = testLog{t}
	return s
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(string(bytes.TrimRight(p, "\n")))
	return len(p), nil
}

// TestStory is the demo, told in a test.
func TestStory(t *testing.T) {
	s := telling(t, begin(t, dataDir(t)), "story")
	for _, part := range [][]step{s.untilSubmitted(), s.untilConfirmed(), s.untilActive(), s.untilRevoked()} {
		if err := s.tell(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
}
