package eventnode_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.uber.org/goleak"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// TestMain begins anew in a name space where the tests may mount file systems:
// these end with the process, however it ends.
func TestMain(m *testing.M) {
	if os.Getenv("GOVAHI_TEST_MOUNTS") == "" {
		fmt.Fprintln(os.Stderr, "the tests need unshare(1) and name spaces:", unshare())
		os.Exit(1)
	}
	// What is mounted here stays here. In a chroot "/" is no mount and cannot be
	// told so; there the tests' own unmounting has to do.
	_ = syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	goleak.VerifyTestMain(m, forgotten...)
}

// forgotten are the goroutines of a connection that the official client may
// forget when its node goes away (adapters/eventstore, connection). No server
// has such.
var forgotten = []goleak.Option{
	goleak.IgnoreTopFunction("google.golang.org/grpc/internal/grpcsync.(*CallbackSerializer).run"),
	goleak.IgnoreAnyFunction("google.golang.org/grpc.(*addrConn).resetTransportAndUnlock"),
}

func unshare() error {
	path, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	options := []string{path, "--mount", "--propagation", "unchanged"}
	if os.Geteuid() != 0 {
		options = append(options, "--user", "--map-root-user")
	}
	return syscall.Exec(path, slices.Concat(options, []string{"--"}, os.Args), append(os.Environ(), "GOVAHI_TEST_MOUNTS=yes"))
}

// serve lets a node answer on a Unix socket until the test ends.
func serve(t testing.TB, node *eventnode.Node) (path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "node")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "node.sock") // short enough for a Unix socket
	serveAt(t, node, path)
	return path
}

func serveAt(t testing.TB, node *eventnode.Node, path string) {
	t.Helper()
	l, err := eventnode.ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- node.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(node.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
}

func openNode(t testing.TB, dir string, opts eventnode.Options) *eventnode.Node {
	t.Helper()
	node, err := eventnode.Open(t.Context(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	return node
}

func openLog(t *testing.T, path string) *eventstore.Log {
	t.Helper()
	log, err := eventstore.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func proposed(cause string, n int) []event.Proposed {
	events := make([]event.Proposed, n)
	for i := range events {
		events[i] = event.Proposed{
			ID: event.DeriveID(cause, fmt.Sprint(i)), Type: "test.happened.v1",
			Data: fmt.Appendf(nil, `{"cause":%q}`, cause), Meta: []byte(`{}`),
		}
	}
	return events
}

func readAll(t *testing.T, log *eventstore.Log) []event.Recorded {
	t.Helper()
	var events []event.Recorded
	for r, err := range log.ReadAll(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, r)
	}
	return events
}

func TestReopenedLogHoldsEverything(t *testing.T) {
	dir := t.TempDir()
	node := openNode(t, dir, eventnode.Options{})
	log := openLog(t, serve(t, node))
	for i := range 50 {
		name := fmt.Sprint(i)
		if _, err := log.Append(t.Context(), event.NewStream("test", name), event.NoStream, proposed(name, 1+i%3)...); err != nil {
			t.Fatal(err)
		}
	}
	before := readAll(t, log)
	if err := node.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	log = openLog(t, serve(t, openNode(t, dir, eventnode.Options{})))
	after := readAll(t, log)
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Fatalf("%d events before, %d after, or changed", len(before), len(after))
	}
	last := before[len(before)-1]
	r, err := log.Append(t.Context(), last.Stream, event.Expected(last.Revision), proposed("more", 1)...)
	if err != nil || r.Revision != last.Revision+1 || r.Position <= last.Position {
		t.Fatalf("appended %+v, %v after %+v", r, err, last)
	}
}

// The power fails in the midst of many appends: on what was synced, and on any
// part of what was not, every acknowledged append is there.
func TestAcknowledgedAppendsSurviveACrash(t *testing.T) {
	const writers, each = 16, 30
	fs := vfs.NewCrashableMem()
	node := openNode(t, "data", eventnode.Options{FS: fs})
	log := openLog(t, serve(t, node))
	var (
		mu    sync.Mutex
		acked []event.Receipt
		group sync.WaitGroup
	)
	crashes := make(chan crash, 4)
	for w := range writers {
		group.Go(func() {
			expected := event.NoStream
			for i := range each {
				events := proposed(fmt.Sprint(w, "-", i), 2)
				r, err := log.Append(t.Context(), event.NewStream("test", fmt.Sprint(w)), expected, events...)
				if err != nil {
					t.Error(err)
					return
				}
				expected = event.Expected(r.Revision)
				mu.Lock()
				if acked = append(acked, r); len(acked)%(writers*each/4) == writers {
					crashes <- crash{acked[:len(acked):len(acked)], cut(fs, len(acked))}
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	close(crashes)
	for c := range crashes {
		c.check(t)
	}
}

// crash is what was acknowledged before the power failed, and what the disk
// holds after.
type crash struct {
	acked []event.Receipt
	fs    *vfs.MemFS
}

func cut(fs *vfs.MemFS, seed int) *vfs.MemFS {
	return fs.CrashClone(vfs.CrashCloneCfg{
		UnsyncedDataPercent: seed % 3 * 50,
		RNG:                 rand.New(rand.NewPCG(uint64(seed), 0)),
	})
}

func (c crash) check(t *testing.T) {
	t.Helper()
	log := openLog(t, serve(t, openNode(t, "data", eventnode.Options{FS: c.fs})))
	found := map[event.Receipt]bool{}
	for _, r := range readAll(t, log) {
		found[event.Receipt{Stream: r.Stream, Revision: r.Revision, Position: r.Position}] = true
	}
	for _, r := range c.acked {
		if !found[r] {
			t.Fatalf("%+v was acknowledged and is lost; %d events are there", r, len(found))
		}
	}
}

// While the disk has not yet said that an event is safe, nobody sees it: a view
// must not hold what a crash may still take from the log.
func TestNobodySeesWhatIsNotDurable(t *testing.T) {
	disk := &slowDisk{reached: make(chan struct{}, 1), released: make(chan struct{})}
	node := openNode(t, "data", eventnode.Options{FS: errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(disk.hold))})
	log := openLog(t, serve(t, node))
	if _, err := log.Append(t.Context(), "test-a", event.NoStream, proposed("first", 1)...); err != nil {
		t.Fatal(err)
	}
	disk.armed.Store(true)
	answered := make(chan error, 1)
	go func() {
		_, err := log.Append(t.Context(), "test-a", 0, proposed("second", 1)...)
		answered <- err
	}()
	<-disk.reached
	for range 50 { // Pebble shows the event by now, or in a moment
		if n := len(readAll(t, log)); n != 1 {
			t.Errorf("%d events are seen, 1 is durable", n)
			break
		}
	}
	select {
	case err := <-answered:
		t.Errorf("acknowledged before it was durable: %v", err)
	default:
	}
	close(disk.released)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if n := len(readAll(t, log)); n != 2 {
		t.Fatalf("%d events are seen, 2 are durable", n)
	}
}

// slowDisk holds the sync of Pebble's log until it is released.
type slowDisk struct {
	armed    atomic.Bool
	reached  chan struct{}
	released chan struct{}
}

func (d *slowDisk) hold(op errorfs.Op) error {
	syncs := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
	if syncs && strings.HasSuffix(op.Path, ".log") && d.armed.CompareAndSwap(true, false) {
		d.reached <- struct{}{}
		<-d.released
	}
	return nil
}

func TestOneNodeHoldsTheDirectory(t *testing.T) {
	dir := t.TempDir()
	openNode(t, dir, eventnode.Options{})
	if _, err := eventnode.Open(t.Context(), dir, eventnode.Options{}); !errors.Is(err, eventnode.ErrInUse) {
		t.Fatalf("a second node: %v", err)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := openNode(t, dir, eventnode.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := pebble.Open(dir, &pebble.Options{Logger: quiet{t}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Set([]byte{'f'}, []byte{99}, pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := eventnode.Open(t.Context(), dir, eventnode.Options{}); !errors.Is(err, eventnode.ErrNewerFormat) {
		t.Fatalf("a newer directory: %v", err)
	}
}

// quiet hands Pebble's chatter to the test's own log.
type quiet struct{ *testing.T }

func (q quiet) Infof(format string, args ...any) { q.Logf(format, args...) }

// Stop ends subscriptions but waits for no client to go away.
func TestStop(t *testing.T) {
	node := openNode(t, t.TempDir(), eventnode.Options{})
	log := openLog(t, serve(t, node))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for d, err := range log.Subscribe(t.Context(), 0) {
		if d.CaughtUp {
			go node.Stop(ctx)
			continue
		}
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Fatalf("the subscription brought %+v, %v", d, err)
		}
	}
	if err := node.Stop(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("stopped with %v, %v", err, ctx.Err())
	}
}

func TestListenUnix(t *testing.T) {
	dir, err := os.MkdirTemp("", "node")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	first, err := eventnode.ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if _, err := eventnode.ListenUnix(path); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Fatalf("a second listener: %v", err)
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false) // as if the process had been killed
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := eventnode.ListenUnix(path)
	if err != nil {
		t.Fatalf("over a stale socket: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := eventnode.ListenUnix(path); err == nil {
		t.Fatal("a file was taken for a stale socket")
	}
}

// The official client by itself, with what our own adapter does not use.
func TestOfficialClient(t *testing.T) {
	path := serve(t, openNode(t, t.TempDir(), eventnode.Options{}))
	log := openLog(t, path)
	for i := range 4 {
		name := fmt.Sprint(i)
		if _, err := log.Append(t.Context(), event.NewStream("test", name), event.NoStream, proposed(name, 300)...); err != nil {
			t.Fatal(err)
		}
	}
	config, err := esdb.ParseConnectionString("esdb://localhost?tls=false")
	if err != nil {
		t.Fatal(err)
	}
	config.Address, config.Logger = "unix://"+path, nil
	client, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	t.Run("a stream backwards", func(t *testing.T) { streamBackwards(t, client) })
	t.Run("all backwards", func(t *testing.T) { allBackwards(t, client) })
	t.Run("all from a position, included", func(t *testing.T) { allIncluded(t, client) })
	t.Run("a stream's subscription", func(t *testing.T) { streamSubscription(t, client) })
	t.Run("a subscription by stream name", func(t *testing.T) { byStreamName(t, client) })
	t.Run("any revision and an existing stream", func(t *testing.T) { looseExpectations(t, client) })
	t.Run("what is not served", func(t *testing.T) { notServed(t, client) })
}

func drain(t *testing.T, stream *esdb.ReadStream, err error) []*esdb.RecordedEvent {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var events []*esdb.RecordedEvent
	for {
		e, err := stream.Recv()
		if err != nil {
			return events
		}
		events = append(events, e.Event)
	}
}

func streamBackwards(t *testing.T, client *esdb.Client) {
	options := esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}
	stream, err := client.ReadStream(t.Context(), "test-1", options, 1000)
	events := drain(t, stream, err)
	for i, e := range events {
		if e.EventNumber != uint64(299-i) || e.StreamID != "test-1" {
			t.Fatalf("event %d is %s@%d", i, e.StreamID, e.EventNumber)
		}
	}
	if len(events) != 300 {
		t.Fatalf("%d events", len(events))
	}
	options.From = esdb.Revision(5)
	stream, err = client.ReadStream(t.Context(), "test-1", options, 2)
	if events = drain(t, stream, err); len(events) != 2 || events[0].EventNumber != 5 {
		t.Fatalf("from 5: %v", events)
	}
}

func allBackwards(t *testing.T, client *esdb.Client) {
	options := esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}
	stream, err := client.ReadAll(t.Context(), options, 2000)
	events := drain(t, stream, err)
	for i := 1; i < len(events); i++ {
		if events[i].Position.Commit >= events[i-1].Position.Commit {
			t.Fatalf("position %v before %v", events[i].Position, events[i-1].Position)
		}
	}
	if len(events) != 1200 {
		t.Fatalf("%d events", len(events))
	}
	options.From = events[700].Position
	stream, err = client.ReadAll(t.Context(), options, 1)
	if again := drain(t, stream, err); len(again) != 1 || again[0].EventID != events[700].EventID {
		t.Fatal("a position is not included backwards")
	}
}

func allIncluded(t *testing.T, client *esdb.Client) {
	options := esdb.ReadAllOptions{Direction: esdb.Forwards, From: esdb.Start{}}
	stream, err := client.ReadAll(t.Context(), options, 700)
	events := drain(t, stream, err)
	if len(events) != 700 {
		t.Fatalf("%d events", len(events))
	}
	last := events[699]
	if last.Position.Commit != last.Position.Prepare || last.Position.Commit == 0 {
		t.Fatalf("position %+v", last.Position)
	}
	options.From = last.Position
	stream, err = client.ReadAll(t.Context(), options, 1)
	if again := drain(t, stream, err); len(again) != 1 || again[0].EventID != last.EventID {
		t.Fatal("a position is not included")
	}
	options.From = esdb.End{}
	stream, err = client.ReadAll(t.Context(), options, 1)
	if none := drain(t, stream, err); len(none) != 0 {
		t.Fatal("there is an event behind the end")
	}
}

func streamSubscription(t *testing.T, client *esdb.Client) {
	s, err := client.SubscribeToStream(t.Context(), "test-2", esdb.SubscribeToStreamOptions{From: esdb.Revision(297)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var numbers []uint64
	for {
		e := s.Recv()
		if e.SubscriptionDropped != nil {
			t.Fatal(e.SubscriptionDropped.Error)
		}
		if e.EventAppeared != nil {
			numbers = append(numbers, e.EventAppeared.Event.EventNumber)
		}
		if e.CaughtUp != nil {
			one := esdb.EventData{EventType: "test.happened.v1", ContentType: esdb.ContentTypeJson}
			if _, err := client.AppendToStream(t.Context(), "test-2", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(299)}, one); err != nil {
				t.Fatal(err)
			}
		}
		if len(numbers) == 3 {
			break
		}
	}
	if fmt.Sprint(numbers) != "[298 299 300]" {
		t.Fatalf("revisions %v", numbers)
	}
}

// byStreamName also watches the checkpoints: one for each four events looked at.
func byStreamName(t *testing.T, client *esdb.Client) {
	s, err := client.SubscribeToAll(t.Context(), esdb.SubscribeToAllOptions{
		From: esdb.Start{}, MaxSearchWindow: 2, CheckpointInterval: 2,
		Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "-[13]$"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	counts, checkpoints := map[string]int{}, 0
	for e := s.Recv(); e.CaughtUp == nil; e = s.Recv() {
		switch {
		case e.SubscriptionDropped != nil:
			t.Fatal(e.SubscriptionDropped.Error)
		case e.EventAppeared != nil:
			counts[e.EventAppeared.Event.StreamID]++
		case e.CheckPointReached != nil:
			checkpoints++
		}
	}
	if counts["test-1"] != 300 || counts["test-3"] != 300 || len(counts) != 2 {
		t.Fatalf("events of %v", counts)
	}
	if checkpoints < 300 || checkpoints > 302 {
		t.Fatalf("%d checkpoints", checkpoints)
	}
}

func looseExpectations(t *testing.T, client *esdb.Client) {
	one := esdb.EventData{EventType: "test.happened.v1", ContentType: esdb.ContentTypeBinary, Data: []byte{0, 1, 2}}
	exists := esdb.AppendToStreamOptions{ExpectedRevision: esdb.StreamExists{}}
	if _, err := client.AppendToStream(t.Context(), "loose", exists, one); err == nil {
		t.Fatal("a missing stream exists")
	}
	whatever := esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}
	if r, err := client.AppendToStream(t.Context(), "loose", whatever, one); err != nil || r.NextExpectedVersion != 0 {
		t.Fatalf("any: %+v, %v", r, err)
	}
	r, err := client.AppendToStream(t.Context(), "loose", exists, one)
	if err != nil || r.NextExpectedVersion != 1 {
		t.Fatalf("exists: %+v, %v", r, err)
	}
	none, err := client.AppendToStream(t.Context(), "loose", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(1)})
	if err != nil || none.NextExpectedVersion != 1 {
		t.Fatalf("an empty append: %+v, %v", none, err)
	}
	stream, err := client.ReadStream(t.Context(), "loose", esdb.ReadStreamOptions{}, 10)
	events := drain(t, stream, err)
	if len(events) != 2 || events[0].ContentType != "application/octet-stream" || string(events[0].Data) != "\x00\x01\x02" {
		t.Fatalf("read %+v", events)
	}
}

func notServed(t *testing.T, client *esdb.Client) {
	_, err := client.DeleteStream(t.Context(), "test-1", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}})
	var e *esdb.Error
	if !errors.As(err, &e) || e.Code() != esdb.ErrorCodeUnsupportedFeature {
		t.Fatalf("delete: %v", err)
	}
	version, err := client.GetServerVersion()
	if err != nil || version.Major != 24 || version.Minor != 10 {
		t.Fatalf("version %+v, %v", version, err)
	}
}
