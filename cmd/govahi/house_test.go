package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dataDir is a fresh data directory that PostgreSQL's user can reach.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "govahi-test-")
	if err != nil {
		t.Fatal(err)
	}
	must(t, os.Chmod(dir, 0o711))
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
		log, _ := os.ReadFile(filepath.Join(dir, "govahi.log"))
		if wrong := wrongList.Find(log); wrong != nil {
			t.Errorf("a worker asks what no view can answer: %s", wrong)
		}
		if t.Failed() {
			t.Logf("the instance printed:\n%s\nand logged:\n%s", i.cmd.Stdout, tail(log, 6000)) // since it was last started
		}
	})
	return i
}

// wrongList is a worker's query that Postgres does not understand (SQLSTATE class
// 42), but for a view that is not there yet.
var wrongList = regexp.MustCompile(`.*list cannot be read.*SQLSTATE 42(?:[^P]|P[^0]|P0[^1]).*`)

// tail is the end of a log, without the requests that went well.
func tail(text []byte, n int) []byte {
	var kept []byte
	for line := range bytes.Lines(text) {
		if !bytes.Contains(line, []byte("msg=request")) || bytes.Contains(line, []byte("level=ERROR")) {
			kept = append(kept, line...)
		}
	}
	return kept[max(0, len(kept)-n):]
}

// within is how long a test waits for what must happen.
const within = 20 * time.Second

// await polls until it is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain: %s", within, what)
		}
	}
}

// over waits for the end of the process, and leaves the news for those who wait
// after us.
func (i *instance) over(t *testing.T) error {
	t.Helper()
	select {
	case err := <-i.ended:
		i.ended <- err
		return err
	case <-time.After(within):
		t.Fatalf("govahi does not end within %v", within)
		return nil
	}
}

// signal sends a signal to govahi alone, and waits for its end.
func (i *instance) signal(t *testing.T, s syscall.Signal) time.Duration {
	t.Helper()
	began := time.Now()
	if err := i.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	_ = i.over(t)
	return time.Since(began)
}

// again starts an instance that is over, at the address that it had.
func (i *instance) again(t *testing.T, env ...string) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	began, said := time.Now(), &transcript{}
	next, err := startAt(ctx, i.dir, i.listen, said, env...)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	*i = *next
	return time.Since(began)
}

// env are the settings of the instance.
func (i *instance) env() []string {
	return []string{
		"GOVAHI_DATA=" + i.dir, "GOVAHI_LISTEN=" + i.listen, "GOVAHI_LOG=" + i.Log, "GOVAHI_NATS=" + i.NATS,
		"GOVAHI_POSTGRES=" + i.Postgres, "GOVAHI_VAULT=" + i.Vault, "GOVAHI_CA=" + i.CA,
	}
}

// govahi runs another command of the program on the instance.
func (i *instance) govahi(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	return govahi(t, in, i.env(), args...)
}

// govahi runs the program to its end; what it wrote is in the error, too.
func govahi(t *testing.T, in string, env []string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := exec.CommandContext(ctx, beside("govahi"), args...)
	cmd.Env, cmd.Stdin = append(os.Environ(), env...), strings.NewReader(in)
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w: %s%s", err, &out, &trouble)
	}
	return out.String(), err
}

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
