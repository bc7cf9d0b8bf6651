package main

import (
	"context"
	"encoding/json"
	"errors"
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

	"github.com/google/go-cmp/cmp"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// Every stored name of the printed catalogue is known to log verify.
func TestLogVerifyKnowsEveryCatalog(t *testing.T) {
	text, err := os.ReadFile("../../docs/events.md")
	must(t, err)
	names := regexp.MustCompile("(?m)^### `([^`]+)`").FindAllStringSubmatch(string(text), -1)
	listed := 0
	for _, catalog := range catalogs {
		listed += len(catalog.Entries())
	}
	if len(names) == 0 || listed != len(names) {
		t.Errorf("%d events are listed in the catalogs, %d in docs/events.md", listed, len(names))
	}
	for _, name := range names {
		category, _, _ := strings.Cut(name[1], ".")
		if _, err := catalogs[category].Decode(name[1], []byte(`{}`)); errors.Is(err, event.ErrUnlisted) {
			t.Error(err)
		}
	}
}

// bareNode is a data directory with a log and nothing else, which runs.
type bareNode struct {
	dir string
	log *eventstore.Log
}

func runNode(t *testing.T) bareNode {
	t.Helper()
	d := data{dir: dataDir(t)}
	must(t, os.MkdirAll(d.dir, 0o700))
	must(t, d.makeSockets())
	node, err := eventnode.Open(t.Context(), d.path("log"), eventnode.Options{})
	must(t, err)
	l, err := eventnode.ListenUnix(d.logSocket())
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- node.Serve(l) }()
	log, err := eventstore.Open(d.logSocket())
	must(t, err)
	t.Cleanup(func() { _ = errors.Join(log.Close(), node.Close(), <-served) })
	return bareNode{d.dir, log}
}

func (n bareNode) govahi(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	return govahi(t, in, []string{"GOVAHI_DATA=" + n.dir}, args...)
}

func (n bareNode) append(t *testing.T, stream event.Stream, expected event.Expected, kind, data string) {
	t.Helper()
	_, err := n.log.Append(t.Context(), stream, expected, event.Proposed{
		ID: event.DeriveID("test", fmt.Sprint(stream, expected, kind)), Type: kind, Data: []byte(data), Meta: []byte(`{"commandId":"test"}`),
	})
	must(t, err)
}

// What is no event of ours, or out of its place, is found and named.
func TestLogVerifyFindsStrangers(t *testing.T) {
	t.Parallel()
	n := runNode(t)
	const started = `{"name":"test","at":"2026-11-22T08:30:00Z"}`
	n.append(t, "policy-test", event.NoStream, "policy.started.v1", started)
	if out, err := n.govahi(t, "", "log", "verify"); err != nil || !strings.Contains(out, "1 in 1 streams") {
		t.Fatalf("of a good log: %v: %s", err, out)
	}
	elsewhere := []string{"GOVAHI_DATA=" + t.TempDir(), "GOVAHI_LOG=" + data{dir: n.dir}.logSocket()}
	if out, err := govahi(t, "", elsewhere, "log", "verify"); err != nil || !strings.Contains(out, "1 in 1 streams") || !strings.Contains(out, notSeen) {
		t.Errorf("of a log elsewhere: %v: %s", err, out)
	}
	n.append(t, "policy-test", 0, "policy.begun.v1", started)
	n.append(t, "gossip-test", event.NoStream, "gossip.heard.v1", `{}`)
	n.append(t, "policy-torn", event.NoStream, "policy.started.v1", `{"name":7}`)
	place := event.PlaceOf("enrollment-2", "enrollment.form-completed.v1")
	sealed, err := json.Marshal(map[string]any{"subject": "s", "place": place, "sealed": "AAAA"})
	must(t, err)
	n.append(t, "enrollment-1", event.NoStream, "enrollment.form-completed.v1", fmt.Sprintf(`{"form":%s,"applicant":%s}`, sealed, sealed))
	out, err := n.govahi(t, "", "log", "verify")
	if err == nil {
		t.Fatalf("it is content: %s", out)
	}
	for _, want := range []string{"policy-test@1 (position", "gossip-test@0", "policy-torn@0", "enrollment-1@0", "out of place", "faults in the log: 4"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not say %q: %v", want, err)
		}
	}
	if out, err := n.govahi(t, "", "log", "verify", "--faults", "1"); err == nil || !strings.Contains(err.Error(), "and 3 faults more") {
		t.Errorf("%v: %s", err, out)
	}
}

// A log at rest is verified, too; a corrupt one is named.
func TestLogVerifyAtRest(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	telling(t, i, "sown")
	before := len(i.lines(t))
	i.killEverything(t)
	out, err := i.govahi(t, "", "log", "verify")
	if err != nil || !strings.Contains(out, fmt.Sprint(before, " in ")) {
		t.Errorf("%d events: %v: %s", before, err, out)
	}
	logs, err := filepath.Glob(filepath.Join(i.dir, "log", "*.log"))
	must(t, err)
	newest := logs[len(logs)-1]
	text, err := os.ReadFile(newest)
	must(t, err)
	for at, b := range text {
		if b != 0 {
			text[at+3000] ^= 1 // somewhere in the midst of acknowledged events
			break
		}
	}
	must(t, os.WriteFile(newest, text, 0o600))
	for _, command := range []string{"log verify", "up"} {
		if _, err := i.govahi(t, "", strings.Fields(command)...); err == nil || !strings.Contains(err.Error(), newest) || !strings.Contains(err.Error(), "restore") {
			t.Errorf("govahi %s says %v", command, err)
		}
	}
}

// TestLogMoves exports a log and imports it into another one, killed again and
// again on either side: nothing is lost or doubled, and the order is the same.
func TestLogMoves(t *testing.T) {
	t.Parallel()
	source, target, piped := runNode(t), runNode(t), runNode(t)
	source.fill(t, 8000)
	file := filepath.Join(filepath.Dir(source.dir), "log.jsonl")
	exported := killedOften(t, source, "govahi log export --out "+file, func() int { return size(file) })
	imported := killedOften(t, target, "govahi log import --in "+file, func() int { return target.position(t) })
	both := killedOften(t, piped, "GOVAHI_DATA="+source.dir+" govahi log export | govahi log import", func() int { return piped.position(t) })
	t.Logf("killed: export %d times, import %d, both %d", exported, imported, both)
	if imported < 2 || both < 2 {
		t.Error("the import was hardly ever killed")
	}
	want := source.events(t)
	for name, n := range map[string]bareNode{"by a file": target, "by a pipe": piped} {
		if diff := cmp.Diff(want, n.events(t)); diff != "" {
			t.Errorf("moved %s (-was +is):\n%s", name, diff)
		}
	}
	out, err := target.govahi(t, "", "log", "import", "--in", file)
	if err != nil || !strings.Contains(out, fmt.Sprintf("0 events imported, %d were there already", len(want))) {
		t.Errorf("once more: %v: %s", err, out)
	}
}

// fill appends as a house does: many streams at once, some of several events.
func (n bareNode) fill(t *testing.T, events int) {
	t.Helper()
	var all sync.WaitGroup
	for k := range 16 {
		all.Go(func() {
			for i := range events / 16 / 4 {
				stream := event.NewStream("test", fmt.Sprint(k, "-", i/3))
				proposed := make([]event.Proposed, 4)
				for j := range proposed {
					proposed[j] = event.Proposed{
						ID: event.DeriveID("fill", fmt.Sprint(k, i, j)), Type: "test.happened.v1",
						Data: fmt.Appendf(nil, `{"text":"<سلام & %d>","more":%q}`, i, strings.Repeat("x", 200)), Meta: []byte(`{"commandId":"fill"}`),
					}
				}
				if _, err := n.log.Append(t.Context(), stream, event.Expected(i%3*4-1), proposed...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// events are what must not change when a log moves, in order.
func (n bareNode) events(t *testing.T) (events []string) {
	t.Helper()
	for r, err := range n.log.ReadAll(t.Context(), 0) {
		must(t, err)
		events = append(events, fmt.Sprint(r.Stream, "@", r.Revision, " ", r.ID, " ", r.Type, string(r.Data), string(r.Meta)))
	}
	return events
}

func (n bareNode) position(t *testing.T) int {
	t.Helper()
	head, err := n.log.Head(t.Context())
	must(t, err)
	return int(head)
}

func size(file string) int {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return int(info.Size())
}

// killedOften runs a command line again and again, killing it with all that
// belongs to it each time it has come further, until it ends well.
func killedOften(t *testing.T, n bareNode, command string, progress func() int) (killed int) {
	t.Helper()
	for {
		cmd := exec.Command("bash", "-o", "pipefail", "-c", command)
		cmd.Env = append(os.Environ(), "GOVAHI_DATA="+n.dir, "PATH="+programs+":"+os.Getenv("PATH"))
		said := &transcript{}
		cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = said, said, &syscall.SysProcAttr{Setpgid: true}
		began := progress()
		must(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		ctx, cancel := context.WithTimeout(t.Context(), within)
		moved := make(chan bool)
		go func() {
			for ctx.Err() == nil && (killed == 8 || progress() < began+20_000) {
				time.Sleep(time.Millisecond)
			}
			close(moved)
		}()
		var err error
		select {
		case err = <-ended:
		case <-moved:
			if syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) == nil {
				<-ended
				cancel()
				killed++
				continue
			}
			err = <-ended // by itself, meanwhile
		}
		cancel()
		<-moved
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, said)
		}
		return killed
	}
}

// An import does not mix two logs, and notices an export that ended early.
func TestLogImportRefuses(t *testing.T) {
	t.Parallel()
	source, other := runNode(t), runNode(t)
	source.fill(t, 640)
	out, err := source.govahi(t, "", "log", "export")
	must(t, err)
	half := out[:len(out)/2]
	other.append(t, "policy-test", event.NoStream, "policy.started.v1", `{}`)
	if _, err := other.govahi(t, out, "log", "import"); err == nil || !strings.Contains(err.Error(), "not of this export") {
		t.Errorf("into a log with another event: %v", err)
	}
	if n := len(other.events(t)); n != 1 {
		t.Errorf("and it holds %d events now", n)
	}
	mixed := runNode(t)
	if _, err := mixed.govahi(t, half, "log", "import"); err == nil || !strings.Contains(err.Error(), "in the midst of a line") {
		t.Errorf("half a line: %v", err)
	}
	whole := half[:strings.LastIndex(half, "\n")+1]
	if _, err := mixed.govahi(t, whole, "log", "import"); err == nil || !strings.Contains(err.Error(), "ended before the log did") {
		t.Errorf("half an export: %v", err)
	}
	mixed.append(t, "policy-test", event.NoStream, "policy.started.v1", `{}`)
	if _, err := mixed.govahi(t, out, "log", "import"); err == nil || !strings.Contains(err.Error(), "not of this export") {
		t.Errorf("into one that somebody else appended to meanwhile: %v", err)
	}
	if _, err := source.govahi(t, "", "log", "import", "--in", filepath.Join(programs, "govahi")); err == nil || !strings.Contains(err.Error(), "not of an export") {
		t.Errorf("of no export: %v", err)
	}
}
