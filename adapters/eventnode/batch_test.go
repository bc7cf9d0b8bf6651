package eventnode_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"govahi/adapters/eventnode"
)

// batch is an open BatchAppend call.
type batch struct {
	*testing.T
	streams.Streams_BatchAppendClient
}

func openBatch(t *testing.T, conn *grpc.ClientConn) batch {
	t.Helper()
	call, err := streams.NewStreamsClient(conn).BatchAppend(patiently(t))
	if err != nil {
		t.Fatal(err)
	}
	return batch{t, call}
}

// patiently is more than many megabytes take.
func patiently(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func (b batch) send(requests ...*streams.BatchAppendReq) {
	b.Helper()
	for _, r := range requests {
		if err := b.Send(r); err != nil {
			b.Fatal(err)
		}
	}
}

func (b batch) next() *streams.BatchAppendResp {
	b.Helper()
	response, err := b.Recv()
	if err != nil {
		b.Fatal(err)
	}
	return response
}

// end says that nothing more will come, and finds that nothing more is said.
func (b batch) end() {
	b.Helper()
	if err := b.CloseSend(); err != nil {
		b.Fatal(err)
	}
	if response, err := b.Recv(); !errors.Is(err, io.EOF) {
		b.Fatalf("at the end came %v, %v", response, err)
	}
}

// fails is the code and the detail of an append's refusal.
func fails(t *testing.T, r *streams.BatchAppendResp) (codes.Code, proto.Message) {
	t.Helper()
	if r.GetError() == nil || len(r.GetError().GetDetails()) != 1 {
		t.Fatalf("answered with %v", r)
	}
	detail, err := r.GetError().GetDetails()[0].UnmarshalNew()
	if err != nil {
		t.Fatal(err)
	}
	return codes.Code(r.GetError().GetCode()), detail
}

func to(stream string) *streams.BatchAppendReq_Options {
	return &streams.BatchAppendReq_Options{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)}}
}

func toNew(stream string) *streams.BatchAppendReq_Options {
	o := to(stream)
	o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_NoStream{NoStream: &emptypb.Empty{}}
	return o
}

func toAny(stream string) *streams.BatchAppendReq_Options {
	o := to(stream)
	o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_Any{Any: &emptypb.Empty{}}
	return o
}

func toExisting(stream string) *streams.BatchAppendReq_Options {
	o := to(stream)
	o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_StreamExists{StreamExists: &emptypb.Empty{}}
	return o
}

func toRevision(stream string, r uint64) *streams.BatchAppendReq_Options {
	o := to(stream)
	o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_StreamPosition{StreamPosition: r}
	return o
}

// heavy is a part of an append with one event of so many bytes.
func heavy(correlation string, options *streams.BatchAppendReq_Options, final bool, size int) *streams.BatchAppendReq {
	r := part(correlation, options, final, uuid.NewString())
	r.ProposedMessages[0].Data = make([]byte, size)
	return r
}

const idC, idD = "cccccccc-7654-4210-8fed-cba987654321", "dddddddd-7654-4210-8fed-cba987654321"

// stored counts the events of a stream.
func stored(t *testing.T, conn *grpc.ClientConn, stream string) (n uint64) {
	t.Helper()
	call, err := streams.NewStreamsClient(conn).Read(patiently(t), readOf(stream))
	if err != nil {
		t.Fatal(err)
	}
	for {
		response, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		if e := response.GetEvent().GetEvent(); e != nil {
			if e.GetStreamRevision() != n {
				t.Fatalf("revision %d in place %d", e.GetStreamRevision(), n)
			}
			n++
		}
	}
}

func readOf(stream string) *streams.ReadReq {
	return &streams.ReadReq{Options: &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
			RevisionOption:   &streams.ReadReq_Options_StreamOptions_Start{},
		}},
		CountOption: &streams.ReadReq_Options_Count{Count: math.MaxUint64},
		UuidOption:  &streams.ReadReq_Options_UUIDOption{},
	}}
}

func TestBatchAppend(t *testing.T) {
	conn := dial(t)
	b := openBatch(t, conn)
	b.send( // two appends in parts, one among them whole
		part(idA, toNew("a"), false, idA), part(idB, toNew("b"), false, idB),
		part(idA, nil, false, idB), part(idC, toNew("c"), true, idA, idB),
		part(idB, nil, true), part(idA, nil, true, idC),
	)
	want := map[string]struct {
		stream   string
		revision uint64
	}{idA: {"a", 2}, idB: {"b", 0}, idC: {"c", 1}}
	for range len(want) {
		r := b.next()
		w := want[r.GetCorrelationId().GetString_()]
		if r.GetSuccess() == nil || r.GetSuccess().GetCurrentRevision() != w.revision || string(r.GetStreamIdentifier().GetStreamName()) != w.stream ||
			r.GetNoStream() == nil || r.GetSuccess().GetPosition().GetCommitPosition() == 0 ||
			r.GetSuccess().GetPosition().GetCommitPosition() != r.GetSuccess().GetPosition().GetPreparePosition() {
			t.Errorf("answered with %v, expected was %+v", r, w)
		}
		delete(want, r.GetCorrelationId().GetString_())
	}
	b.send(part(idD, toRevision("a", 2), true)) // nothing
	if r := b.next(); r.GetSuccess().GetCurrentRevision() != 2 || r.GetSuccess().GetNoPosition() == nil || r.GetStreamPosition() != 2 {
		t.Errorf("an empty append: %v", r)
	}
	b.send(part(idD, toAny("none"), true))
	if r := b.next(); r.GetSuccess().GetNoStream() == nil || r.GetAny() == nil {
		t.Errorf("an empty append to no stream: %v", r)
	}
	b.send(part(idD, toAny("a"), false, idD)) // never finished
	b.end()
	if a, c := stored(t, conn, "a"), stored(t, conn, "c"); a != 3 || c != 2 {
		t.Fatalf("%d and %d events", a, c)
	}
}

func TestBatchedWrongExpectations(t *testing.T) {
	b := openBatch(t, dial(t))
	b.send(part(idA, toNew("a"), true, idA, idB))
	b.next()
	for name, test := range map[string]struct {
		options *streams.BatchAppendReq_Options
		want    *shared.WrongExpectedVersion
	}{
		"no stream": {toNew("a"), &shared.WrongExpectedVersion{
			CurrentStreamRevisionOption:  &shared.WrongExpectedVersion_CurrentStreamRevision{CurrentStreamRevision: 1},
			ExpectedStreamPositionOption: &shared.WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &emptypb.Empty{}},
		}},
		"a stream": {toExisting("none"), &shared.WrongExpectedVersion{
			CurrentStreamRevisionOption:  &shared.WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &emptypb.Empty{}},
			ExpectedStreamPositionOption: &shared.WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &emptypb.Empty{}},
		}},
		"a revision": {toRevision("a", 7), &shared.WrongExpectedVersion{
			CurrentStreamRevisionOption:  &shared.WrongExpectedVersion_CurrentStreamRevision{CurrentStreamRevision: 1},
			ExpectedStreamPositionOption: &shared.WrongExpectedVersion_ExpectedStreamPosition{ExpectedStreamPosition: 7},
		}},
	} {
		b.send(part(idC, test.options, true, idC))
		if code, detail := fails(t, b.next()); code != codes.AlreadyExists || !proto.Equal(detail, test.want) {
			t.Errorf("%s: %v, %v", name, code, detail)
		}
	}
	b.end()
}

// A refusal is said once and at once; what else comes of that append is dropped,
// and the call goes on.
func TestBatchedRefusals(t *testing.T) {
	conn := dial(t)
	b := openBatch(t, conn)
	expired, ancient := toAny("a"), toAny("a")
	expired.DeadlineOption = &streams.BatchAppendReq_Options_Deadline{Deadline: durationpb.New(0)}
	ancient.DeadlineOption = &streams.BatchAppendReq_Options_Deadline_21_10_0{Deadline_21_10_0: timestamppb.New(time.Unix(1, 0))}
	untyped := part(idA, toAny("a"), true, idA)
	untyped.ProposedMessages[0].Metadata = nil
	for name, test := range map[string]struct {
		requests []*streams.BatchAppendReq
		code     codes.Code
		detail   proto.Message
	}{
		"no options":       {[]*streams.BatchAppendReq{part(idA, nil, false, idA), part(idA, toAny("a"), true, idB)}, codes.InvalidArgument, &shared.BadRequest{}},
		"no name":          {[]*streams.BatchAppendReq{part(idA, toAny(""), true, idA)}, codes.InvalidArgument, &shared.BadRequest{}},
		"no expectation":   {[]*streams.BatchAppendReq{part(idA, to("a"), true, idA)}, codes.InvalidArgument, &shared.BadRequest{}},
		"no revision":      {[]*streams.BatchAppendReq{part(idA, toRevision("a", 1<<63), true, idA)}, codes.InvalidArgument, &shared.BadRequest{}},
		"no event ID":      {[]*streams.BatchAppendReq{part(idA, toAny("a"), false, idA, ""), part(idA, nil, true, idB)}, codes.InvalidArgument, &shared.BadRequest{}},
		"no type":          {[]*streams.BatchAppendReq{untyped}, codes.InvalidArgument, &shared.BadRequest{}},
		"a system stream":  {[]*streams.BatchAppendReq{part(idA, toAny("$a"), true, idA)}, codes.PermissionDenied, &shared.AccessDenied{}},
		"stream metadata":  {[]*streams.BatchAppendReq{part(idA, toAny("$$a"), true, idA)}, codes.Unimplemented, &shared.BadRequest{}},
		"a deadline of 0":  {[]*streams.BatchAppendReq{part(idA, expired, true, idA)}, codes.DeadlineExceeded, &shared.Timeout{}},
		"an old deadline":  {[]*streams.BatchAppendReq{part(idA, ancient, false, idA), part(idA, nil, true, idB)}, codes.DeadlineExceeded, &shared.Timeout{}},
		"too much at once": {[]*streams.BatchAppendReq{heavy(idA, toAny("a"), true, 1<<20)}, codes.InvalidArgument, &shared.MaximumAppendSizeExceeded{MaxAppendSize: 1 << 20}},
		"too much in parts, the last with options again": {
			[]*streams.BatchAppendReq{heavy(idA, toAny("a"), false, 1<<19), heavy(idA, toAny("a"), false, 1<<19), heavy(idA, toAny("a"), true, 1)},
			codes.InvalidArgument, &shared.MaximumAppendSizeExceeded{MaxAppendSize: 1 << 20},
		},
	} {
		b.send(test.requests...)
		code, detail := fails(t, b.next())
		if bad, ok := detail.(*shared.BadRequest); ok && bad.Message != "" {
			bad.Message = ""
		}
		if code != test.code || !proto.Equal(detail, test.detail) {
			t.Errorf("%s: %v, %v", name, code, detail)
		}
	}
	b.send(part(idB, toNew("b"), true, idB))
	if r := b.next(); r.GetCorrelationId().GetString_() != idB || r.GetSuccess() == nil {
		t.Errorf("after the refusals came %v", r)
	}
	b.end()
	if n := stored(t, conn, "a"); n != 0 {
		t.Errorf("%d events of refused appends are stored", n)
	}
	if b = openBatch(t, conn); b.Send(part("", toAny("a"), true, idA)) == nil {
		if _, err := b.Recv(); status.Code(err) != codes.InvalidArgument {
			t.Errorf("without a correlation ID: %v", err)
		}
	}
}

// An append that is tried again succeeds as it did before, wherever it was to go
// and by whichever method it came.
func TestRepetitionsAtAnyRevision(t *testing.T) {
	conn := dial(t)
	b := openBatch(t, conn)
	b.send(part(idA, toAny("wire"), true, idA, idB), part(idA, toAny("wire"), true, idA, idB)) // perhaps in one group
	first, again := b.next(), b.next()
	if !proto.Equal(first, again) || first.GetSuccess().GetCurrentRevision() != 1 {
		t.Errorf("first %v, then %v", first, again)
	}
	b.send(part(idB, toExisting("wire"), true, idC))
	b.next()
	b.send(part(idA, toExisting("wire"), true, idA, idB))
	if again = b.next(); !proto.Equal(first.GetSuccess(), again.GetSuccess()) {
		t.Errorf("first %v, later %v", first, again)
	}
	b.send(part(idA, toAny("wire"), true, idC, idD))
	if code, _ := fails(t, b.next()); code != codes.AlreadyExists {
		t.Errorf("half a repetition: %v", code)
	}
	b.send(part(idA, toAny("other"), true, idA)) // elsewhere it is no repetition
	if r := b.next(); r.GetSuccess() == nil {
		t.Errorf("in another stream: %v", r)
	}
	b.end()
	response, _, err := send(t, conn, anyRevision(), message(idA, 1, typed()), message(idB, 1, typed()))
	if err != nil || response.GetSuccess().GetPosition().GetCommitPosition() != first.GetSuccess().GetPosition().GetCommitPosition() {
		t.Errorf("by the other method: %v, %v", response, err)
	}
	response, _, err = send(t, conn, anyRevision(), message(idC, 1, typed()), message(idD, 1, typed()))
	if wrong := response.GetWrongExpectedVersion(); err != nil || wrong.GetExpectedAny() == nil || wrong.GetAny_20_6_0() == nil {
		t.Errorf("half a repetition by the other method: %v, %v", response, err)
	}
	if n := stored(t, conn, "wire"); n != 3 {
		t.Errorf("%d events", n)
	}
}

// Whoever begins and never finishes is sent away.
func TestUnfinishedAppendsAreBounded(t *testing.T) {
	conn := dial(t)
	for name, begin := range map[string]func() *streams.BatchAppendReq{
		"many":    func() *streams.BatchAppendReq { return part(uuid.NewString(), toAny("a"), false, uuid.NewString()) },
		"heavy":   func() *streams.BatchAppendReq { return heavy(uuid.NewString(), toAny("a"), false, 1<<20-100) },
		"refused": func() *streams.BatchAppendReq { return part(uuid.NewString(), nil, false) },
	} {
		b := openBatch(t, conn)
		go func() {
			for b.Send(begin()) == nil {
			}
		}()
		var err error
		for err == nil {
			_, err = b.Recv()
		}
		if status.Code(err) != codes.ResourceExhausted {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := stored(t, conn, "a"); n != 0 {
		t.Errorf("%d events are stored", n)
	}
}

// A client that sends and does not read is made to wait, and loses nothing.
func TestFloodIsHeldBack(t *testing.T) {
	conn, name := dial(t), strings.Repeat("flood", 3<<10) // answers repeat it: few of them are on their way at once
	f := startFlood(t, conn, name, 1024, 64<<10)
	f.stalls()
	f.drain()
}

// So is a client that sends more than a slow disk takes.
func TestSlowDiskHoldsFloodBack(t *testing.T) {
	disk := &slowDisk{reached: make(chan struct{}, 1), released: make(chan struct{})}
	node := openNode(t, "data", eventnode.Options{FS: errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(disk.hold))})
	disk.armed.Store(true)
	f := startFlood(t, dialNode(t, node), "flood", 128, 512<<10)
	<-disk.reached
	f.stalls()
	close(disk.released)
	f.drain()
}

// flood is a client that sends appends of one event each, without a pause.
type flood struct {
	batch
	conn          *grpc.ClientConn
	name          string
	appends, size int
	sent          atomic.Int64
	ended         chan error
}

func startFlood(t *testing.T, conn *grpc.ClientConn, name string, appends, size int) *flood {
	t.Helper()
	f := &flood{batch: openBatch(t, conn), conn: conn, name: name, appends: appends, size: size, ended: make(chan error, 1)}
	go func() {
		for range appends {
			if err := f.Send(heavy(uuid.NewString(), toAny(name), true, size)); err != nil {
				f.ended <- err
				return
			}
			f.sent.Add(1)
		}
		f.ended <- f.CloseSend()
	}()
	return f
}

// stalls waits until nothing more is taken, and finds that it was not all.
func (f *flood) stalls() {
	f.Helper()
	for before := int64(-1); before != f.sent.Load(); time.Sleep(300 * time.Millisecond) { // an early look finds less
		before = f.sent.Load()
	}
	if f.sent.Load() == int64(f.appends) {
		f.Errorf("%d appends of %d KiB were taken", f.appends, f.size>>10)
	}
}

// drain reads every answer.
func (f *flood) drain() {
	f.Helper()
	for range f.appends {
		if r := f.next(); r.GetSuccess() == nil {
			f.Fatal(r)
		}
	}
	if err := <-f.ended; err != nil {
		f.Fatal(err)
	}
	if n := stored(f.T, f.conn, f.name); n != uint64(f.appends) {
		f.Fatalf("%d events", n)
	}
}

// A deadline that passes on the way is told; the append may be stored all the
// same, and a repetition finds it.
func TestDeadlineOnTheWay(t *testing.T) {
	disk := &slowDisk{reached: make(chan struct{}, 1), released: make(chan struct{})}
	node := openNode(t, "data", eventnode.Options{FS: errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(disk.hold))})
	conn := dialNode(t, node)
	b := openBatch(t, conn)
	disk.armed.Store(true)
	o := toNew("a")
	o.DeadlineOption = &streams.BatchAppendReq_Options_Deadline{Deadline: durationpb.New(50 * time.Millisecond)}
	b.send(part(idA, o, true, idA))
	<-disk.reached
	if code, detail := fails(t, b.next()); code != codes.DeadlineExceeded || !proto.Equal(detail, &shared.Timeout{}) {
		t.Errorf("%v, %v", code, detail)
	}
	close(disk.released)
	b.send(part(idA, toNew("a"), true, idA))
	if r := b.next(); r.GetSuccess() == nil {
		t.Error(r)
	}
	b.end()
	if n := stored(t, conn, "a"); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestStopEndsBatches(t *testing.T) {
	node := openNode(t, t.TempDir(), eventnode.Options{})
	b := openBatch(t, dialNode(t, node))
	b.send(part(idA, toNew("a"), true, idA))
	b.next()
	stopsSoon(t, node)
	if _, err := b.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("ended with %v", err)
	}
}

// stopsSoon stops a node whose patience would last longer.
func stopsSoon(t *testing.T, node *eventnode.Node) {
	t.Helper()
	began := time.Now()
	if err := node.Stop(patiently(t)); err != nil || time.Since(began) > 8*time.Second {
		t.Errorf("stopped after %v with %v", time.Since(began), err)
	}
}

// A full disk refuses appends of a batch, and takes them when there is space.
func TestBatchOnAFullDisk(t *testing.T) {
	d := mountSmallDisk(t, 48)
	conn := dialNode(t, openNode(t, d.log(), eventnode.Options{}))
	b := openBatch(t, conn)
	b.send(part(idA, toNew("a"), true, idA))
	b.next()
	d.fill()
	for i := 0; ; i++ { // what was looked at just before may still be believed
		b.send(part(idB, toAny("a"), true, fmt.Sprintf("11111111-2222-4333-8444-%012d", i)))
		if r := b.next(); r.GetError() != nil {
			if code, detail := fails(t, r); code != codes.ResourceExhausted || !proto.Equal(detail, &shared.Unknown{}) {
				t.Fatalf("%v, %v", code, detail)
			}
			break
		}
	}
	before := stored(t, conn, "a")
	d.free()
	for refused := true; refused; {
		b.send(part(idC, toAny("a"), true, idC))
		refused = b.next().GetError() != nil
	}
	b.end()
	if n := stored(t, conn, "a"); n < before+1 {
		t.Errorf("%d events, %d before", n, before)
	}
}

// BenchmarkBatchAppend appends one event of 500 bytes to a new stream each time,
// all in one call, as a client does that does not wait for answers.
func BenchmarkBatchAppend(b *testing.B) {
	call, err := streams.NewStreamsClient(dial(b)).BatchAppend(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for i := range b.N {
			if call.Send(heavy(uuid.NewString(), toNew(fmt.Sprint(i)), true, 500)) != nil {
				return // the answers say why
			}
		}
	}()
	for range b.N {
		if r, err := call.Recv(); err != nil || r.GetSuccess() == nil {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
}
