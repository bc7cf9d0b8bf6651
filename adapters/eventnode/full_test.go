package eventnode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"golang.org/x/sys/unix"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// smallDisk is a real file system of so many MiB. TestMain made it
// possible to mount one.
type smallDisk struct {
	*testing.T
	dir string
}

func mountSmallDisk(t *testing.T, mib int) smallDisk {
	t.Helper()
	d := smallDisk{t, t.TempDir()}
	if err := unix.Mount("govahi-test", d.dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", mib)); err != nil {
		t.Fatalf("mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(d.dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return d
}

// fill leaves no space at all, whoever else is writing.
func (d smallDisk) fill() {
	d.Helper()
	f, err := os.Create(filepath.Join(d.dir, "ballast"))
	if err != nil {
		d.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	for len(block) > 0 {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			d.Fatal(err)
		}
	}
}

func (d smallDisk) free() {
	d.Helper()
	if err := os.Remove(filepath.Join(d.dir, "ballast")); err != nil {
		d.Fatal(err)
	}
}

func (d smallDisk) log() string { return filepath.Join(d.dir, "log") }

// writers append to streams of their own, and remember what they were told.
type writers struct {
	*testing.T
	log   *eventstore.Log
	size  int
	group sync.WaitGroup

	mu      sync.Mutex
	told    *sync.Cond
	streams map[event.Stream]*written
	acked   int
	bytes   int
	refused int
}

// written is what a stream must hold: all that was acknowledged, and perhaps
// one event more that was refused and never tried again.
type written struct {
	acked []event.ID
	maybe event.ID
}

func startWriters(t *testing.T, log *eventstore.Log, n, size int) (w *writers, stop func()) {
	w = &writers{T: t, log: log, size: size, streams: map[event.Stream]*written{}}
	w.told = sync.NewCond(&w.mu)
	ctx, cancel := context.WithCancel(t.Context())
	for i := range n {
		w.group.Go(func() { w.write(ctx, i) })
	}
	stop = sync.OnceFunc(func() {
		cancel()
		w.group.Wait()
	})
	t.Cleanup(stop)
	return w, stop
}

// write goes on with another stream when it leaves a refused event alone.
func (w *writers) write(ctx context.Context, number int) {
	for generation := 0; ctx.Err() == nil; generation++ {
		stream := event.NewStream("test", fmt.Sprint(number, "-", generation))
		w.mu.Lock()
		is := &written{}
		w.streams[stream] = is
		w.mu.Unlock()
		for ctx.Err() == nil && w.one(ctx, stream, is) {
		}
	}
}

// one appends an event, trying again a few times if it is refused.
func (w *writers) one(ctx context.Context, stream event.Stream, is *written) bool {
	expected := event.Expected(len(is.acked)) - 1
	e := proposed(fmt.Sprint(stream, len(is.acked)), 1)[0]
	e.Data = noise(rand.IntN(w.size))
	is.maybe = e.ID
	for range 1 + rand.IntN(8) {
		began := time.Now()
		limited, cancel := context.WithTimeout(ctx, 20*time.Second)
		receipt, err := w.log.Append(limited, stream, expected, e)
		cancel()
		switch {
		case err == nil && receipt.Revision != uint64(expected+1):
			w.Errorf("%s: revision %d after %d", stream, receipt.Revision, expected)
			return false
		case err == nil:
			is.acked, is.maybe = append(is.acked, e.ID), event.ID{}
			w.count(1, len(e.Data), 0)
			return true
		case ctx.Err() != nil:
			return false
		case !errors.Is(err, eventstore.ErrUnavailable):
			w.Errorf("refused with %v", err)
		case time.Since(began) > 5*time.Second:
			w.Errorf("refused only after %v", time.Since(began))
		}
		w.count(0, 0, 1)
	}
	return false
}

// noise is JSON that does not compress: no quote, no backslash.
func noise(n int) []byte {
	all := noiseOnce()
	from := rand.IntN(len(all) - n)
	return slices.Concat([]byte{'"'}, all[from:from+n], []byte{'"'})
}

var noiseOnce = sync.OnceValue(func() []byte {
	text := make([]byte, 2<<20)
	for i := range text {
		text[i] = '#' + byte(rand.IntN('Z'-'#'))
	}
	return text
})

func (w *writers) count(acked, bytes, refused int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acked += acked
	w.bytes += bytes
	w.refused += refused
	w.told.Broadcast()
}

// await waits until the counts satisfy a condition.
func (w *writers) await(within time.Duration, what string, satisfied func() bool) {
	w.Helper()
	deadline := time.Now().Add(within)
	timer := time.AfterFunc(within, w.told.Broadcast)
	defer timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !satisfied() {
		if time.Now().After(deadline) {
			w.Fatalf("%s: not within %v; %d acknowledged, %d refused", what, within, w.acked, w.refused)
		}
		w.told.Wait()
	}
}

func (w *writers) counts() (acked, refused int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.acked, w.refused
}

// audit compares all that a log holds with what the writers were told.
func (w *writers) audit(events []event.Recorded) {
	w.Helper()
	held := map[event.Stream][]event.ID{}
	for _, r := range events {
		if r.Revision != uint64(len(held[r.Stream])) {
			w.Errorf("%s: revision %d after %d events", r.Stream, r.Revision, len(held[r.Stream]))
		}
		held[r.Stream] = append(held[r.Stream], r.ID)
	}
	for stream, is := range w.streams {
		if got := held[stream]; !slices.Equal(got, is.acked) && !slices.Equal(got, append(slices.Clone(is.acked), is.maybe)) {
			w.Errorf("%s holds %d events, %d were acknowledged, or others", stream, len(got), len(is.acked))
		}
		delete(held, stream)
	}
	if len(held) > 0 {
		w.Errorf("%d streams that nobody wrote", len(held))
	}
}

// follower is a live subscription that must never end by itself.
type follower struct {
	stop   func()
	mu     sync.Mutex
	events []event.Recorded
}

func follow(t *testing.T, log *eventstore.Log) *follower {
	f := &follower{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for d, err := range log.Subscribe(ctx, 0) {
			if err != nil && ctx.Err() == nil {
				t.Errorf("the subscription ended: %v", err)
			}
			if d.Event != nil {
				f.mu.Lock()
				f.events = append(f.events, *d.Event)
				f.mu.Unlock()
			}
		}
	}()
	f.stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(f.stop)
	return f
}

// upTo waits until the subscription brought the event at a position.
func (f *follower) upTo(t *testing.T, head event.Position) []event.Recorded {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		f.mu.Lock()
		events := slices.Clone(f.events)
		f.mu.Unlock()
		if len(events) > 0 && events[len(events)-1].Position >= head {
			return events
		}
	}
	t.Fatalf("the subscription stays behind %d", head)
	return nil
}

// The disk fills up several times while many write: they are refused at once,
// reading goes on, and writing again as soon as there is space.
func TestDiskFillsUp(t *testing.T) {
	t.Parallel()
	disk := mountSmallDisk(t, 64)
	node := openNode(t, disk.log(), eventnode.Options{})
	log := openLog(t, serve(t, node))
	follower := follow(t, log)
	w, stop := startWriters(t, log, 12, 4<<10)
	for range 5 {
		before, _ := w.counts()
		enough := before + 50 + rand.IntN(100)
		w.await(20*time.Second, "acknowledged", func() bool { return w.acked > enough })
		disk.fill()
		_, refused := w.counts()
		w.await(5*time.Second, "refused", func() bool { return w.refused > refused+50 })
		checkReading(t, node, log, follower)
		disk.free()
		before, _ = w.counts()
		w.await(5*time.Second, "acknowledged again", func() bool { return w.acked > before+20 })
	}
	stop()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.audit(follower.upTo(t, head))
	follower.stop()
	if err := node.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.audit(readAll(t, openLog(t, serve(t, openNode(t, disk.log(), eventnode.Options{})))))
}

// checkReading reads while the disk is full.
func checkReading(t *testing.T, node *eventnode.Node, log *eventstore.Log, f *follower) {
	t.Helper()
	if err := node.Full(); !errors.Is(err, eventnode.ErrDiskFull) {
		t.Fatalf("on a full disk: %v", err)
	}
	events := readAll(t, log)
	f.upTo(t, events[len(events)-1].Position)
	count := 0
	for _, err := range log.Read(t.Context(), events[0].Stream, 0) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if head, err := log.Head(t.Context()); err != nil || head < events[len(events)-1].Position || count == 0 {
		t.Fatalf("head %d, %v; %d events in %s", head, err, count, events[0].Stream)
	}
}

// A node that is told to stop on a full disk does so soon, whether Pebble was
// writing its log or a table just then; what it had acknowledged is there.
func TestStopOnAFullDisk(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ mib, bytes, each int }{
		"log":   {64, 1 << 20, 4 << 10},
		"table": {128, 36 << 20, 256 << 10}, // more than Pebble holds in memory
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := mountSmallDisk(t, test.mib)
			node := openNode(t, disk.log(), eventnode.Options{})
			path := serve(t, node)
			log := openLog(t, path)
			w, stop := startWriters(t, log, 12, test.each)
			w.await(30*time.Second, "acknowledged", func() bool { return w.bytes > test.bytes })
			disk.fill()
			w.await(10*time.Second, "refused", func() bool { return w.refused > 0 })
			began := time.Now()
			if err := node.Close(); err != nil || time.Since(began) > 20*time.Second {
				t.Fatalf("closed after %v with %v", time.Since(began), err)
			}
			disk.free()
			serveAt(t, openNode(t, disk.log(), eventnode.Options{}), path)
			before, _ := w.counts()
			w.await(5*time.Second, "acknowledged again", func() bool { return w.acked > before })
			stop()
			w.audit(readAll(t, log))
		})
	}
}

// A quota shows in no figure of free space: only a write meets it. Whichever of
// Pebble's files it is, that write waits until there is space, and so does
// everyone who appends; or until the node is closed, and then it never was.
func TestQuota(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{".log", ".sst", "MANIFEST"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			raw := vfs.NewMem()
			q := &quota{kind: kind, met: make(chan struct{}, 1)}
			node := openNode(t, "data", eventnode.Options{FS: errorfs.Wrap(raw, errorfs.InjectorFunc(q.check))})
			path := serve(t, node)
			log := openLog(t, path)
			w, stop := startWriters(t, log, 12, 900<<10)
			w.await(20*time.Second, "acknowledged", func() bool { return w.acked > 0 })
			q.spent.Store(true)
			<-q.met
			_, refused := w.counts()
			w.await(10*time.Second, "refused", func() bool { return w.refused > refused+10 })
			q.spent.Store(false)
			before, _ := w.counts()
			w.await(5*time.Second, "acknowledged again", func() bool { return w.acked > before })
			for len(q.met) > 0 {
				<-q.met
			}
			q.spent.Store(true)
			<-q.met
			began := time.Now()
			if err := node.Close(); err != nil || time.Since(began) > 20*time.Second {
				t.Fatalf("closed after %v with %v", time.Since(began), err)
			}
			serveAt(t, openNode(t, "data", eventnode.Options{FS: raw}), path)
			before, _ = w.counts()
			w.await(5*time.Second, "acknowledged after all", func() bool { return w.acked > before })
			stop()
			w.audit(readAll(t, log))
		})
	}
}

// quota lets no write to some files pass while it is spent.
type quota struct {
	kind  string
	spent atomic.Bool
	met   chan struct{}
}

func (q *quota) check(op errorfs.Op) error {
	if op.Kind != errorfs.OpFileWrite || !strings.Contains(filepath.Base(op.Path), q.kind) || !q.spent.Load() {
		return nil
	}
	select {
	case q.met <- struct{}{}:
	default:
	}
	return syscall.EDQUOT
}

// A node that is opened on a full disk says so, waits for space, and can be told
// to give up, whether it is new or holds a log already.
func TestOpenOnAFullDisk(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"new", "old"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := mountSmallDisk(t, 80)
			held := 0
			if name == "old" {
				held = 20
				fillLog(t, disk, held)
			}
			disk.fill()
			said := &notes{heard: make(chan struct{})}
			ctx, giveUp := context.WithCancel(t.Context())
			go func() {
				<-said.heard
				giveUp()
			}()
			_, err := eventnode.Open(ctx, disk.log(), eventnode.Options{Logger: slog.New(slog.NewTextHandler(said, nil))})
			if !errors.Is(err, eventnode.ErrDiskFull) || !errors.Is(err, context.Canceled) {
				t.Fatalf("opened with %v", err)
			}
			said = &notes{heard: make(chan struct{})}
			go func() {
				<-said.heard
				disk.free()
			}()
			node := openNode(t, disk.log(), eventnode.Options{Logger: slog.New(slog.NewTextHandler(said, nil))})
			if n := len(readAll(t, openLog(t, serve(t, node)))); n != held {
				t.Fatalf("%d events, of %d", n, held)
			}
		})
	}
}

func fillLog(t *testing.T, disk smallDisk, n int) {
	t.Helper()
	node := openNode(t, disk.log(), eventnode.Options{})
	if _, err := openLog(t, serve(t, node)).Append(t.Context(), "test-a", event.NoStream, proposed("a", n)...); err != nil {
		t.Fatal(err)
	}
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
}

// notes closes heard once a line says that the disk is full.
type notes struct {
	once  sync.Once
	heard chan struct{}
}

func (n *notes) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("the disk is full")) {
		n.once.Do(func() { close(n.heard) })
	}
	return len(line), nil
}
