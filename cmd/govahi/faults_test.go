package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Means of doing harm to a running instance, and of seeing what it says of it.

// childrenOf are a process's children, whichever of its threads began them.
func childrenOf(parent int) []int {
	var found []int
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		_, after, _ := strings.Cut(string(stat), ") ") // the name may hold anything
		if fields := strings.Fields(after); len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			found = append(found, pid)
		}
	}
	return found
}

// moveToSmallDisk moves what a stopped instance has in a directory to a file
// system of so many bytes, which is mounted in its place.
func moveToSmallDisk(t *testing.T, dir string, bytes int) {
	t.Helper()
	was := dir + ".was"
	must(t, os.Rename(dir, was))
	must(t, os.Mkdir(dir, 0o700))
	must(t, asRoot("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", bytes), "govahi-test", dir))
	t.Cleanup(func() {
		if err := asRoot("umount", "-l", dir); err != nil {
			t.Errorf("%s stays mounted: %v", dir, err)
		}
	})
	must(t, asRoot("cp", "-a", was+"/.", dir+"/"))
	must(t, asRoot("rm", "-r", was))
}

// asRoot runs a program; who is not root needs sudo, as ./task does.
func asRoot(args ...string) error {
	if os.Getuid() != 0 {
		args = append([]string{"sudo", "-n"}, args...)
	}
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%q: %w: %s", args, err, out)
	}
	return nil
}

// ballast fills a file system to the last byte; the returned function makes room.
func ballast(t *testing.T, dir string) (remove func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	must(t, err)
	defer func() { _ = f.Close() }()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err = f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	return sync.OnceFunc(func() { must(t, os.Remove(name)) })
}

// exhaustJournal makes PostgreSQL begin segments of its journal until it cannot.
func exhaustJournal(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for range 20 {
		_, err := pool.Exec(t.Context(), `SELECT pg_logical_emit_message(false, 'test', 'x'), pg_switch_wal()`)
		if err != nil {
			return
		}
	}
	t.Fatal("PostgreSQL has room for any number of segments")
}

// troubles is the directory of GOVAHI_TROUBLE.
type troubles string

func newTroubles(t *testing.T) troubles { return troubles(t.TempDir()) }

func (d troubles) env() string { return "GOVAHI_TROUBLE=" + string(d) }

// make begins one; the returned function ends it.
func (d troubles) make(t *testing.T, name, how string) (end func()) {
	t.Helper()
	makes(t, string(d), name, how)
	return sync.OnceFunc(func() { must(t, os.Remove(filepath.Join(string(d), name))) })
}

// vigil looks at the health page all the time.
type vigil struct {
	listen string
	stop   chan struct{}
	over   chan struct{}

	mu      sync.Mutex
	samples []sample
}

// sample is what the page said; nil while there was no answer.
type sample struct {
	asked, told time.Time
	states      map[string]string
}

func keepVigil(t *testing.T, i *instance) *vigil {
	t.Helper()
	v := &vigil{listen: i.listen, stop: make(chan struct{}), over: make(chan struct{})}
	go v.keep()
	t.Cleanup(v.end)
	return v
}

func (v *vigil) keep() {
	defer close(v.over)
	client := http.Client{Timeout: tryWithin, Transport: &http.Transport{IdleConnTimeout: time.Second}}
	for {
		s := sample{asked: time.Now(), states: states(&client, v.listen)}
		s.told = time.Now()
		v.mu.Lock()
		v.samples = append(v.samples, s)
		v.mu.Unlock()
		select {
		case <-v.stop:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (v *vigil) end() {
	select {
	case <-v.stop:
	default:
		close(v.stop)
	}
	<-v.over
}

// states are those of the house, under the empty name, and of each part.
func states(client *http.Client, listen string) map[string]string {
	answer, err := client.Get("http://" + listen + "/health/ready")
	if err != nil {
		return nil
	}
	defer func() { _ = answer.Body.Close() }()
	var page healthPage
	if json.NewDecoder(answer.Body).Decode(&page) != nil || (answer.StatusCode == http.StatusOK) != (page.State == "ready") {
		return nil
	}
	all := map[string]string{"": page.State}
	for _, p := range page.Parts {
		all[p.Name] = p.State
	}
	return all
}

type healthPage struct {
	State string
	Parts []struct{ Name, State, Detail string }
}

// since are the answers to what was asked after a moment.
func (v *vigil) since(moment time.Time) []sample {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := slices.IndexFunc(v.samples, func(s sample) bool { return s.asked.After(moment) })
	if n < 0 {
		return nil
	}
	return slices.Clone(v.samples[n:])
}

// awaitNamed waits until the page calls one of the parts failed or starting;
// a part may be named by the beginning of its name.
func (v *vigil) awaitNamed(t *testing.T, began time.Time, parts ...string) {
	t.Helper()
	var named sample
	await(t, fmt.Sprintf("health names one of %q", parts), func() bool {
		all := v.since(began)
		n := slices.IndexFunc(all, func(s sample) bool { return s.names(parts) })
		if n >= 0 {
			named = all[n]
		}
		return n >= 0
	})
	t.Logf("%-16s named in health after %d ms", parts[0], named.told.Sub(began).Milliseconds())
}

// namedWhile finds that every answer between two moments names one of the parts;
// it need not be any, where the part was soon back.
func (v *vigil) namedWhile(t *testing.T, from, to time.Time, parts ...string) {
	t.Helper()
	for _, s := range v.since(from) {
		if s.told.Before(to) && !s.names(parts) {
			t.Errorf("the fault lasted from %v before to %v after health said %v, and named none of %q",
				s.asked.Sub(from), to.Sub(s.told), s.states, parts)
		}
	}
}

// names tells whether one of the parts is called failed or starting.
func (s sample) names(parts []string) bool {
	for name, state := range s.states {
		if state != "ready" && among(name, parts) {
			return true
		}
	}
	return false
}

func among(name string, parts []string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return name != "" && strings.HasPrefix(name, p) })
}

// accuses finds parts that were called anything but ready, without a break for
// longer than a while, though they are not among those that the fault concerns.
func (v *vigil) accuses(t *testing.T, began time.Time, concerned ...string) {
	t.Helper()
	const while = 3 * time.Second
	since, told := map[string]time.Time{}, map[string]bool{}
	for _, s := range v.since(began) {
		for name, state := range s.states {
			switch first, bad := since[name]; {
			case state == "ready" || among(name, concerned) || name == "":
				delete(since, name)
			case !bad:
				since[name] = s.told
			case s.told.Sub(first) > while && !told[name]:
				told[name] = true
				t.Errorf("health called %q %s for more than %v; the fault was of %q", name, state, while, concerned)
			}
		}
	}
}

// neverWell finds no answer since a moment that calls the house ready.
func (v *vigil) neverWell(t *testing.T, from time.Time) {
	t.Helper()
	for _, s := range v.since(from) {
		if s.states[""] == "ready" {
			t.Errorf("the fault lasts, and %v later health calls the house ready", s.told.Sub(from))
			return
		}
	}
}

// awaitWell waits until an answer calls every part ready: that moment.
func (v *vigil) awaitWell(t *testing.T, since time.Time) time.Time {
	t.Helper()
	var well time.Time
	await(t, "every part is ready", func() bool {
		for _, s := range v.since(since) {
			if s.states[""] == "ready" {
				well = s.told
				return true
			}
		}
		return false
	})
	return well
}

// level is what the health page says of the process.
type level struct{ goroutines, heap int }

func (i *instance) level(t *testing.T) level {
	t.Helper()
	answer, err := http.Get("http://" + i.listen + "/health/ready")
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	var page healthPage
	must(t, json.NewDecoder(answer.Body).Decode(&page))
	var l level
	for _, p := range page.Parts {
		if p.Name != "process" {
			continue
		}
		if _, err := fmt.Sscanf(p.Detail, "goroutines %d, heap %d MiB", &l.goroutines, &l.heap); err != nil {
			t.Fatalf("the part process says %q: %v", p.Detail, err)
		}
		return l
	}
	t.Fatal("health does not tell of the process")
	return l
}

// What a process at rest may have more than before: connections that are kept
// for a while, keys and rows that are remembered.
const (
	moreGoroutines = 30
	moreHeap       = 64 // MiB
)

// levelWithin is how long that may take: a client keeps a connection for 5 s, and
// fasthttp an idle worker for 10 to 20 s more.
const levelWithin = 2 * within

// awaitLevel waits until goroutines and heap are back at their level.
func (i *instance) awaitLevel(t *testing.T, before level) {
	t.Helper()
	var now level
	end := time.Now().Add(levelWithin)
	for now = i.level(t); !now.near(before) && time.Now().Before(end); now = i.level(t) {
		pauseFor(t.Context(), 100*time.Millisecond)
	}
	t.Logf("goroutines %d, before %d; heap %d MiB, before %d", now.goroutines, before.goroutines, now.heap, before.heap)
	if !now.near(before) {
		t.Errorf("they do not return to their level")
		_ = i.cmd.Process.Signal(syscall.SIGQUIT) // its stacks are in what it printed
		_ = i.over(t)
	}
}

func (l level) near(before level) bool {
	return l.goroutines <= before.goroutines+moreGoroutines && l.heap <= before.heap+moreHeap
}
