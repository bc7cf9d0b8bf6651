package eventnode_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// Of 500 power cuts under load, each with another part of what was not synced
// surviving, none loses an acknowledged append or leaves half of one.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	const lives, cuts = 50, 10
	c := newCutting(t, func(disk vfs.FS) vfs.FS { return disk })
	held := 0
	for range lives {
		c.begin()
		for range cuts {
			if err := c.live(time.Duration(c.dice.IntN(10)) * time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		held += len(c.held)
	}
	t.Logf("%d cuts; %d events held", lives*cuts, held)
}

// A disk that only says that it has synced is found out: the test can fail. The
// node would notice, too, so its own knowledge is taken away.
func TestPowerCutsOnALyingDisk(t *testing.T) {
	t.Parallel()
	c := newCutting(t, func(disk vfs.FS) vfs.FS { return lying{disk} })
	c.lost = true // Pebble notices what is lost only in part
	c.begin()
	for range 20 {
		err := c.live(20 * time.Millisecond)
		if err != nil && strings.Contains(err.Error(), "acknowledged and lost") {
			return
		}
		if err != nil { // Pebble noticed
			c.begin()
			continue
		}
		if err := c.disk.Remove("data/synced"); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("twenty power cuts on a disk that does not sync the log, and nothing was missed")
}

// lying syncs everything but what was appended.
type lying struct{ vfs.FS }

func (l lying) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.Create(name, category)
	if err != nil || filepath.Ext(name) != ".log" {
		return f, err
	}
	return lyingFile{f}, nil
}

type lyingFile struct{ vfs.File }

func (lyingFile) Sync() error     { return nil }
func (lyingFile) SyncData() error { return nil }

// cutting is a log that writers fill, and whose power is cut again and again.
type cutting struct {
	*testing.T
	dice *rand.Rand
	over func(vfs.FS) vfs.FS
	disk *vfs.MemFS
	lost bool // a cut takes all that was not synced, not some of it

	mu       sync.Mutex
	cut      bool
	n        int
	attempts map[event.ID]*attempt // by each of its events
	streams  map[event.Stream]event.Expected
	acked    []*attempt
	open     map[*attempt]bool // not yet answered
	held     []event.Recorded  // what the latest reopening found
}

// attempt is an append that somebody tried.
type attempt struct {
	stream   event.Stream
	expected event.Expected
	events   []event.Proposed
	receipt  event.Receipt // once it is acknowledged
}

func newCutting(t *testing.T, over func(vfs.FS) vfs.FS) *cutting {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return &cutting{T: t, dice: rand.New(rand.NewPCG(seed, 0)), over: over}
}

// begin takes a new disk.
func (c *cutting) begin() {
	c.disk = vfs.NewCrashableMem()
	c.attempts, c.streams = map[event.ID]*attempt{}, map[event.Stream]event.Expected{}
	c.acked, c.held, c.open = nil, nil, nil
}

// live opens the log, looks at it, lets it be filled for a while, and cuts the
// power.
func (c *cutting) live(during time.Duration) error {
	node, err := eventnode.Open(c.Context(), "data", eventnode.Options{FS: c.over(c.disk)})
	if err != nil {
		return err
	}
	stopped := make(chan error, 1)
	path := c.socket()
	l, err := eventnode.ListenUnix(path)
	if err != nil {
		return err
	}
	go func() { stopped <- node.Serve(l) }()
	log, err := eventstore.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(log.Close(), node.Close(), <-stopped) }() // of a disk without power
	if err := c.audit(log); err != nil {
		return err
	}
	conn, err := grpc.NewClient("unix://"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	c.fill(log, conn, during)
	return nil
}

func (c *cutting) socket() string {
	c.n++
	return fmt.Sprintf("%s/%d.sock", c.TempDir(), c.n)
}

// appender stores an append, by one call or another.
type appender func(context.Context, event.Stream, event.Expected, ...event.Proposed) (event.Receipt, error)

// batched appends by BatchAppend, as other official clients do.
func batched(conn *grpc.ClientConn) appender {
	return func(ctx context.Context, stream event.Stream, expected event.Expected, events ...event.Proposed) (event.Receipt, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		request := &streams.BatchAppendReq{CorrelationId: &shared.UUID{Value: &shared.UUID_String_{String_: idA}}, Options: toNew(string(stream)), IsFinal: true}
		if expected >= 0 {
			request.Options = toRevision(string(stream), uint64(expected))
		}
		for _, e := range events {
			request.ProposedMessages = append(request.ProposedMessages, &streams.BatchAppendReq_ProposedMessage{
				Id:       &shared.UUID{Value: &shared.UUID_String_{String_: uuid.UUID(e.ID).String()}},
				Metadata: map[string]string{"type": e.Type, "content-type": "application/json"}, Data: e.Data, CustomMetadata: e.Meta,
			})
		}
		call, err := streams.NewStreamsClient(conn).BatchAppend(ctx)
		if err == nil {
			err = call.Send(request)
		}
		if err != nil {
			return event.Receipt{}, err
		}
		response, err := call.Recv()
		switch {
		case err != nil:
			return event.Receipt{}, err
		case codes.Code(response.GetError().GetCode()) == codes.AlreadyExists:
			return event.Receipt{}, event.ErrWrongExpectedRevision
		case response.GetError() != nil:
			return event.Receipt{}, fmt.Errorf("answered with %v", response.GetError())
		}
		success := response.GetSuccess()
		return event.Receipt{Stream: stream, Revision: success.GetCurrentRevision(), Position: event.Position(success.GetPosition().GetCommitPosition())}, nil
	}
}

// fill writes until the power is cut in the midst of it.
func (c *cutting) fill(log *eventstore.Log, conn *grpc.ClientConn, during time.Duration) {
	c.cut, c.open = false, map[*attempt]bool{}
	ctx, cancel := context.WithCancel(c.Context())
	var all sync.WaitGroup
	for i := range 16 {
		dice := rand.New(rand.NewPCG(c.dice.Uint64(), 0))
		own := event.NewStream("own", fmt.Sprint(i))
		by := appender(log.Append)
		if i%4 == 0 {
			by = batched(conn)
		}
		all.Go(func() {
			for c.write(ctx, by, dice, own) {
			}
		})
	}
	time.Sleep(during) // the moment is the matter here; nothing waits for it
	c.mu.Lock()
	c.cut = true
	survives := c.dice.IntN(101)
	if c.lost {
		survives = 0
	}
	c.disk = c.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: survives, RNG: c.dice})
	c.mu.Unlock()
	cancel()
	all.Wait()
}

// write appends once: to a stream of its own, or to one that others write to,
// too; one event or several; now and then what was acknowledged before.
func (c *cutting) write(ctx context.Context, by appender, dice *rand.Rand, own event.Stream) bool {
	a := c.choose(dice, own)
	if a == nil {
		return false
	}
	receipt, err := by(ctx, a.stream, a.expected, a.events...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return false
	}
	delete(c.open, a)
	switch {
	case errors.Is(err, event.ErrWrongExpectedRevision) && a.stream != own && a.receipt.Stream == "":
	case err != nil:
		c.Errorf("refused with %v", err)
		return false
	case a.receipt.Stream != "" && receipt != a.receipt:
		c.Errorf("%v is now %v", a.receipt, receipt)
	case a.receipt.Stream == "":
		a.receipt = receipt
		c.acked = append(c.acked, a)
		c.streams[a.stream] = max(c.streams[a.stream], event.Expected(receipt.Revision)+1)
	}
	return true
}

func (c *cutting) choose(dice *rand.Rand, own event.Stream) *attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return nil
	}
	if len(c.acked) > 0 && dice.IntN(10) == 0 {
		return c.acked[dice.IntN(len(c.acked))]
	}
	stream := own
	if dice.IntN(4) == 0 {
		stream = event.NewStream("shared", fmt.Sprint(dice.IntN(3)))
	}
	c.n++
	a := &attempt{stream: stream, expected: c.streams[stream] - 1, events: proposed(fmt.Sprint("cut ", c.n), 1+dice.IntN(4))}
	for i := range a.events {
		a.events[i].Data = noise(dice.IntN(sizes[dice.IntN(len(sizes))]))
		c.attempts[a.events[i].ID] = a
	}
	c.open[a] = true
	return a
}

// sizes are the largest of an event's data: most are small, and some span
// several of the disk's and of Pebble's blocks.
var sizes = []int{50, 50, 500, 500, 500, 5000, 5000, 40_000}

// audit compares what the log holds after a cut with what was tried.
func (c *cutting) audit(log *eventstore.Log) error {
	var err error
	if c.held, err = c.read(log); err != nil {
		return err
	}
	if err := c.whole(); err != nil {
		return err
	}
	for _, a := range c.acked {
		if err := c.there(a); err != nil {
			return err
		}
	}
	return c.again(log)
}

// read reads everything in order.
func (c *cutting) read(log *eventstore.Log) (all []event.Recorded, err error) {
	for r, err := range log.ReadAll(c.Context(), 0) {
		if err != nil {
			return nil, err
		}
		if len(all) > 0 && r.Position <= all[len(all)-1].Position {
			return nil, fmt.Errorf("position %d after %d", r.Position, all[len(all)-1].Position)
		}
		all = append(all, r)
	}
	return all, nil
}

// alone reads each stream by itself: its index must agree with its events.
func (c *cutting) alone(log *eventstore.Log) error {
	for stream, want := range c.byStream() {
		n := 0
		for r, err := range log.Read(c.Context(), stream, 0) {
			if err != nil {
				return err
			}
			if n == len(want) || r.ID != want[n].ID || r.Revision != uint64(n) || r.Position != want[n].Position {
				return fmt.Errorf("%s@%d differs from event %d read among all", stream, r.Revision, n)
			}
			n++
		}
		if n != len(want) {
			return fmt.Errorf("%s has %d events, read alone %d", stream, len(want), n)
		}
	}
	return nil
}

func (c *cutting) byStream() map[event.Stream][]event.Recorded {
	streams := map[event.Stream][]event.Recorded{}
	for _, r := range c.held {
		streams[r.Stream] = append(streams[r.Stream], r)
	}
	return streams
}

// whole looks for half an append, and for what nobody wrote, or twice.
func (c *cutting) whole() error {
	seen := map[*attempt]bool{}
	for stream, rest := range c.byStream() {
		for len(rest) > 0 {
			a := c.attempts[rest[0].ID]
			if a == nil || a.stream != stream || seen[a] || len(a.events) > len(rest) {
				return fmt.Errorf("%s@%d: not of an append of ours, or half of one", stream, rest[0].Revision)
			}
			seen[a] = true
			for i, e := range a.events {
				if r := rest[i]; r.ID != e.ID || string(r.Data) != string(e.Data) || r.Type != e.Type {
					return fmt.Errorf("%s@%d is not what was written", stream, r.Revision)
				}
			}
			rest = rest[len(a.events):]
		}
	}
	return nil
}

func (c *cutting) there(a *attempt) error {
	last := a.events[len(a.events)-1].ID
	i, found := slices.BinarySearchFunc(c.held, a.receipt.Position, func(r event.Recorded, p event.Position) int {
		return int(int64(r.Position) - int64(p))
	})
	if !found || c.held[i].ID != last || c.held[i].Stream != a.stream || c.held[i].Revision != a.receipt.Revision {
		return fmt.Errorf("acknowledged and lost: %+v", a.receipt)
	}
	return nil
}

// again repeats what the cut left unanswered: those whose stream is their own
// must succeed, and whoever succeeds is there once. What comes now stands behind
// all that was acknowledged.
func (c *cutting) again(log *eventstore.Log) error {
	for a := range c.open {
		receipt, err := log.Append(c.Context(), a.stream, a.expected, a.events...)
		lost := errors.Is(err, event.ErrWrongExpectedRevision) && a.stream.Category() == "shared"
		if err != nil && !lost {
			return fmt.Errorf("%s, repeated after the cut at %d: %w", a.stream, a.expected, err)
		}
		if err == nil {
			a.receipt = receipt
			c.acked = append(c.acked, a)
		}
	}
	c.open = nil
	var head event.Position
	for _, a := range c.acked {
		head = max(head, a.receipt.Position)
	}
	next := &attempt{stream: event.NewStream("after", fmt.Sprint(c.n)), expected: event.NoStream, events: proposed(fmt.Sprint("after ", c.n), 1)}
	receipt, err := log.Append(c.Context(), next.stream, next.expected, next.events...)
	if err == nil && receipt.Position <= head {
		err = fmt.Errorf("position %d, although %d was acknowledged", receipt.Position, head)
	}
	if err != nil {
		return err
	}
	next.receipt = receipt
	c.attempts[next.events[0].ID] = next
	c.acked = append(c.acked, next)
	if c.held, err = c.read(log); err != nil {
		return err
	}
	for _, r := range c.held {
		c.streams[r.Stream] = event.Expected(r.Revision) + 1
	}
	return errors.Join(c.whole(), c.alone(log))
}
