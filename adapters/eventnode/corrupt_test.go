package eventnode_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// oldLog is a log with files of every kind, as a killed node leaves them: tables
// of several lives, a write-ahead log that nobody closed, all acknowledged.
func oldLog(t *testing.T) (disk *vfs.MemFS, events []event.Recorded) {
	t.Helper()
	disk = vfs.NewCrashableMem()
	for life := range 3 {
		node := openNode(t, "data", eventnode.Options{FS: disk})
		log := openLog(t, serve(t, node))
		for i := range 100 {
			stream := event.NewStream("test", fmt.Sprint(life, "-", i))
			more := proposed(string(stream), 5)
			for j := range more {
				more[j].Data = noise(rand.IntN(300))
			}
			if _, err := log.Append(t.Context(), stream, event.NoStream, more...); err != nil {
				t.Fatal(err)
			}
		}
		events = readAll(t, log)
		if life < 2 {
			if err := node.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return copyOf(disk), events
}

func copyOf(disk *vfs.MemFS) *vfs.MemFS {
	return disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(0, 0))})
}

// content reads a file, and overwrite replaces it.
func content(t *testing.T, disk *vfs.MemFS, name string) []byte {
	t.Helper()
	f, err := disk.Open(path.Join("data", name))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return text
}

func overwrite(t *testing.T, disk *vfs.MemFS, name string, text []byte) {
	t.Helper()
	f, err := disk.Create(path.Join("data", name), vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// filesOf lists the files by their kind: those that hold events, and others.
func filesOf(t *testing.T, disk *vfs.MemFS) (vital, others []string) {
	t.Helper()
	names, err := disk.List("data")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	manifest := ""
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, "marker.manifest."); ok {
			_, manifest, _ = strings.Cut(rest, ".")
		}
	}
	for _, name := range names {
		kind := filepath.Ext(name)
		if name == manifest || kind == ".sst" || kind == ".log" {
			vital = append(vital, name)
		} else {
			others = append(others, name)
		}
	}
	return vital, others
}

// verdict opens and reads a log in every way, and verifies it: nil if all is
// there, else the first that was said. Anything else than all or an error fails.
func verdict(t *testing.T, disk *vfs.MemFS, want []event.Recorded) error {
	t.Helper()
	// At rest first: a log in use writes its tables anew, without what it need
	// not read of the old ones.
	node, err := open(t, disk, true)
	if err != nil {
		return err
	}
	faults := faultsOf(t, serve(t, node))
	if err := node.Close(); err != nil {
		t.Error(err)
	}
	if node, err = open(t, disk, false); err != nil {
		return err
	}
	defer node.Close()
	socket := serve(t, node)
	log := openLog(t, socket)
	all, err := tryAll(t, log, want)
	alone := tryStreams(t, log, want)
	if err == nil && all < len(want) {
		t.Errorf("%d of %d events, and nobody said that any were missing", all, len(want))
	}
	for _, err := range []error{err, alone} {
		if err != nil && status.Code(err) != codes.DataLoss {
			t.Errorf("it is not DataLoss: %v", err)
		}
		if err != nil && !errors.Is(node.Corrupt(), eventnode.ErrCorrupt) {
			t.Errorf("health does not know that the log is corrupt")
		}
	}
	return errors.Join(err, alone, faults, faultsOf(t, socket))
}

func open(t *testing.T, disk *vfs.MemFS, readOnly bool) (*eventnode.Node, error) {
	t.Helper()
	node, err := eventnode.Open(t.Context(), "data", eventnode.Options{FS: disk, ReadOnly: readOnly})
	if err != nil && !errors.Is(err, eventnode.ErrCorrupt) {
		t.Errorf("it does not say that the log is corrupt: %v", err)
	}
	return node, err
}

// tryAll counts the events that are read; each must be what it was.
func tryAll(t *testing.T, log *eventstore.Log, want []event.Recorded) (n int, err error) {
	for r, err := range log.ReadAll(t.Context(), 0) {
		if err != nil {
			return n, err
		}
		if n >= len(want) || !same(r, want[n]) {
			t.Errorf("event %d is another one", n)
		}
		n++
	}
	return n, nil
}

func tryStreams(t *testing.T, log *eventstore.Log, want []event.Recorded) error {
	for i := 0; i < len(want); i += 5 {
		n := i
		for r, err := range log.Read(t.Context(), want[i].Stream, 0) {
			if err != nil {
				return err
			}
			if !same(r, want[n]) {
				t.Errorf("%s@%d is another one", r.Stream, r.Revision)
			}
			n++
		}
		if n != i+5 {
			t.Errorf("%s has %d events", want[i].Stream, n-i)
		}
	}
	return nil
}

func same(a, b event.Recorded) bool {
	return a.ID == b.ID && a.Position == b.Position && a.Stream == b.Stream && a.Revision == b.Revision &&
		a.Type == b.Type && string(a.Data) == string(b.Data) && a.Created.Equal(b.Created)
}

func faultsOf(t *testing.T, socket string) (found error) {
	t.Helper()
	m, err := eventnode.Maintain(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	err = m.Verify(t.Context(), func(c eventnode.Checked) error {
		if c.Fault != nil {
			found = errors.Join(found, errors.New(c.Fault.Text))
		}
		return nil
	})
	return errors.Join(found, err)
}

// Whatever byte of whatever file is changed, or cut off, or if the file is gone:
// who opens, reads or verifies the log is told of it by the file's name, and no
// acknowledged event is left out in silence.
func TestACorruptFileIsNamed(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	disk, want := oldLog(t)
	if err := verdict(t, copyOf(disk), want); err != nil {
		t.Fatalf("of a whole log: %v", err)
	}
	vital, others := filesOf(t, disk)
	harmful := 0
	for _, name := range vital {
		t.Run(name, func(t *testing.T) {
			text := content(t, disk, name)
			if obsolete(t, disk, name, want) {
				return
			}
			for _, at := range places(dice, events(name, text)) {
				harmed := copyOf(disk)
				changed := slices.Clone(text)
				changed[at] ^= 1 << dice.IntN(8)
				overwrite(t, harmed, name, changed)
				wantNamed(t, verdict(t, harmed, want), name, fmt.Sprintf("changed at %d of %d", at, len(text)))
			}
			harmed := copyOf(disk)
			overwrite(t, harmed, name, text[:dice.IntN(len(text))])
			wantNamed(t, verdict(t, harmed, want), name, "cut off")
			harmful++
		})
	}
	if harmful < 3 {
		t.Errorf("only %d files were harmed", harmful)
	}
	for _, name := range others {
		t.Run(name, func(t *testing.T) { // all is there, or somebody complains
			text := content(t, disk, name)
			for _, at := range places(dice, text)[:min(4, len(text))] {
				harmed := copyOf(disk)
				changed := slices.Clone(text)
				changed[at] ^= byte(1 + dice.IntN(255))
				overwrite(t, harmed, name, changed)
				if err := verdict(t, harmed, want); err != nil {
					wantNamed(t, err, name, fmt.Sprintf("changed at %d of %d", at, len(text)))
				}
			}
			harmed := copyOf(disk)
			if err := harmed.Remove(path.Join("data", name)); err != nil {
				t.Fatal(err)
			}
			if err := verdict(t, harmed, want); err != nil {
				kind, _, _ := strings.Cut(name, ".0")
				wantNamed(t, err, kind, "removed")
			}
		})
	}
}

// obsolete tells a file that the log does without: a table that was merged into
// another one. Without any other one it must not open, and say which it was.
func obsolete(t *testing.T, disk *vfs.MemFS, name string, want []event.Recorded) bool {
	harmed := copyOf(disk)
	if err := harmed.Remove(path.Join("data", name)); err != nil {
		t.Fatal(err)
	}
	err := verdict(t, harmed, want)
	if err != nil {
		wantNamed(t, err, name, "removed")
	}
	return err == nil
}

// events is a file without its end, if that may be the mark of an fsync and of the
// log's end, which hold none.
func events(name string, text []byte) []byte {
	if path.Ext(name) == ".log" {
		return text[:max(0, len(text)-64)]
	}
	return text
}

// places are where a file is changed: its first and last bytes, and some between.
func places(dice *rand.Rand, text []byte) []int {
	if len(text) == 0 {
		return nil
	}
	at := []int{0, len(text) / 2, len(text) - 1}
	for range 20 {
		at = append(at, dice.IntN(len(text)))
	}
	return at
}

func wantNamed(t *testing.T, err error, name, what string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("%s %s: %v", name, what, err)
	}
}

// A directory that a node has open is refused to any other process.
func TestASecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	if held := os.Getenv("GOVAHI_TEST_HELD"); held != "" { // the second process
		node, err := eventnode.Open(t.Context(), held, eventnode.Options{})
		fmt.Println("opened with", err)
		if err == nil {
			t.Cleanup(func() { node.Close() })
		}
		return
	}
	node := openNode(t, dir, eventnode.Options{})
	second := func() string {
		cmd := exec.Command(os.Args[0], "-test.run=^TestASecondProcessIsRefused$")
		cmd.Env = append(os.Environ(), "GOVAHI_TEST_HELD="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	if said := second(); !strings.Contains(said, eventnode.ErrInUse.Error()) || !strings.Contains(said, dir) {
		t.Errorf("while the node has it open: %s", said)
	}
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	if said := second(); !strings.Contains(said, "opened with <nil>") {
		t.Errorf("once it is closed: %s", said)
	}
}
