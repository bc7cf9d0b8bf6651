package eventnode_test

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"govahi/adapters/eventnode"
	"govahi/domain/event"
)

// What a checksum lets pass, because it was written so, is found all the same:
// events that are gone, and an index or a head that does not agree with them.
func TestVerifyFindsWhatChecksumsDoNot(t *testing.T) {
	t.Parallel()
	disk, events := oldLog(t)
	third := events[102]
	at := binary.BigEndian.AppendUint64([]byte{'e'}, uint64(third.Position))
	stream := string(third.Stream)
	line := binary.BigEndian.AppendUint64(append(append([]byte{'s'}, byte(len(stream))), stream...), third.Revision)
	head := append([]byte{'h'}, stream...)
	for name, test := range map[string]struct {
		harm func(*pebble.Batch) error
		want []string
	}{
		"event gone":  {func(b *pebble.Batch) error { return b.Delete(at, nil) }, []string{"events are missing", "1500 lines for 1499 events"}},
		"event torn":  {func(b *pebble.Batch) error { return b.Set(at, []byte("nonsense"), nil) }, []string{"cannot be read"}},
		"line gone":   {func(b *pebble.Batch) error { return b.Delete(line, nil) }, []string{"the index does not lead to it", "was expected"}},
		"line astray": {func(b *pebble.Batch) error { return b.Set(line, make([]byte, 24), nil) }, []string{"leads to another event"}},
		"head behind": {func(b *pebble.Batch) error { return b.Set(head, make([]byte, 16), nil) }, []string{"the head says revision 0 at 0"}},
		"head gone":   {func(b *pebble.Batch) error { return b.Delete(head, nil) }, []string{"the head says"}},
	} {
		t.Run(name, func(t *testing.T) {
			harmed := copyOf(disk)
			harm(t, harmed, test.harm)
			err := faultsOf(t, serve(t, openNode(t, "data", eventnode.Options{FS: harmed, ReadOnly: true})))
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("it does not say %q: %v", want, err)
				}
			}
		})
	}
}

func harm(t *testing.T, disk *vfs.MemFS, with func(*pebble.Batch) error) {
	t.Helper()
	if err := disk.Remove("data/synced"); err != nil { // it is about a log that this one no longer is
		t.Fatal(err)
	}
	db, err := pebble.Open("data", &pebble.Options{FS: disk, FormatMajorVersion: pebble.FormatTableFormatV6, Logger: quiet{t}})
	if err != nil {
		t.Fatal(err)
	}
	b := db.NewBatch()
	if err := errors.Join(with(b), b.Commit(pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// A log in use is verified as well, and a checkpoint of it opens and holds
// everything that was acknowledged before; it goes when its user hangs up.
func TestVerifyAndCheckpointUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/log"
	socket := serve(t, openNode(t, dir, eventnode.Options{}))
	log := openLog(t, socket)
	w, stop := startWriters(t, log, 12, 4<<10)
	enough := func(more int) {
		before, _ := w.counts()
		w.await(20*time.Second, "acknowledged", func() bool { return w.acked > before+more })
	}
	enough(500)
	m, err := eventnode.Maintain(socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	for range 3 {
		if err := faultsOf(t, socket); err != nil {
			t.Fatalf("of a whole log in use: %v", err)
		}
		want := readAll(t, log)
		c, release, err := m.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := m.Checkpoint(t.Context()); status.Code(err) != codes.FailedPrecondition {
			t.Errorf("a second checkpoint at once: %v", err)
		}
		enough(100)
		t.Run("copy", func(t *testing.T) {
			copied := readAll(t, openLog(t, serve(t, openNode(t, c.Dir, eventnode.Options{ReadOnly: true}))))
			if len(copied) < len(want) || !slices.EqualFunc(want, copied[:len(want)], same) || c.Head < uint64(want[len(want)-1].Position) {
				t.Errorf("%d events in the checkpoint up to %d, %d before it", len(copied), c.Head, len(want))
			}
		})
		release()
		w.await(20*time.Second, "removal of the checkpoint", func() bool { _, err := vfs.Default.Stat(c.Dir); return err != nil })
	}
	stop()
	w.audit(readAll(t, log))
}

// Only the node's own socket serves maintenance.
func TestMaintenanceIsLocal(t *testing.T) {
	t.Parallel()
	node := openNode(t, t.TempDir(), eventnode.Options{})
	serve(t, node)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- node.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, method := range []string{"Verify", "Checkpoint"} {
		call, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/govahi.node.Maintenance/"+method)
		if err == nil {
			err = errors.Join(call.SendMsg(&emptypb.Empty{}), call.CloseSend())
		}
		if err == nil {
			err = call.RecvMsg(&emptypb.Empty{})
		}
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s over TCP: %v", method, err)
		}
	}
	if err := errors.Join(node.Close(), <-served); err != nil {
		t.Error(err)
	}
}

// A node that only reads changes nothing, and appends nothing.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	disk, events := oldLog(t)
	before := disk.String()
	node := openNode(t, "data", eventnode.Options{FS: disk, ReadOnly: true})
	log := openLog(t, serve(t, node))
	if got := readAll(t, log); !slices.EqualFunc(got, events, same) {
		t.Errorf("%d events, of %d", len(got), len(events))
	}
	if _, err := log.Append(t.Context(), "test-new", -1, proposed("new", 1)...); err == nil {
		t.Error("it took an event")
	}
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	if after := disk.String(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if _, err := eventnode.Open(t.Context(), "nothing", eventnode.Options{FS: vfs.NewMem(), ReadOnly: true}); err == nil {
		t.Error("it opened a log that is not there")
	}
}

// An append that is larger than what Pebble takes into its memory at once (the
// stream's name stands with each event, and in each line of the index) is seen
// like any other, and what comes next stands behind it.
func TestAnAppendBeyondPebblesMemory(t *testing.T) {
	t.Parallel()
	socket := serve(t, openNode(t, t.TempDir(), eventnode.Options{}))
	log := openLog(t, socket)
	large, err := log.Append(t.Context(), event.NewStream("test", strings.Repeat("x", 100_000)), event.NoStream, proposed("large", 100)...)
	if err != nil {
		t.Fatal(err)
	}
	next, err := log.Append(t.Context(), "test-next", event.NoStream, proposed("next", 1)...)
	if err != nil || next.Position <= large.Position {
		t.Errorf("%v: position %d after %d", err, next.Position, large.Position)
	}
	if all := readAll(t, log); len(all) != 101 {
		t.Errorf("%d events are seen", len(all))
	}
	if err := faultsOf(t, socket); err != nil {
		t.Error(err)
	}
}
