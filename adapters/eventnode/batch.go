package eventnode

import (
	"errors"
	"io"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// One call may hold so much: appends begun and not finished, appends on their
// way to the disk, and bytes of each kind. With more begun the call ends; with
// more on its way the node stops reading, and gRPC stops the client.
const (
	batchBegun    = 256
	batchUnderWay = 1024
	batchHeld     = 32 << 20
)

var (
	errTooManyBegun = status.Error(codes.ResourceExhausted, "too many appends were begun and not finished")
	errNotBegun     = status.Error(codes.InvalidArgument, "the first message of an append must bear its options")
	errTimeout      = &refusal{code: codes.DeadlineExceeded, text: "the append's deadline has passed", detail: &shared.Timeout{}}
)

// BatchAppend stores many appends, each whole or not at all, and answers each
// once, in the order in which they were finished; a refusal comes at once.
func (s *streamsServer) BatchAppend(call streams.Streams_BatchAppendServer) error {
	done := make(chan struct{})
	defer close(done)
	b := &batchCall{node: s.node, call: call, begun: map[eventID]*batched{}, alarm: time.NewTimer(time.Hour)}
	defer b.alarm.Stop()
	return b.run(listen(call, done))
}

// heardRequest is what a client sent, or how it ended.
type heardRequest struct {
	*streams.BatchAppendReq
	err error
}

// listen reads a call while its handler does other things. It touches nothing
// of the node: the last message may arrive when the handler is gone.
func listen(call streams.Streams_BatchAppendServer, done <-chan struct{}) <-chan heardRequest {
	requests := make(chan heardRequest)
	go func() {
		for {
			r, err := call.Recv()
			select {
			case requests <- heardRequest{r, err}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return requests
}

// batchCall is one BatchAppend call. All of it happens in one goroutine.
type batchCall struct {
	node     *Node
	call     streams.Streams_BatchAppendServer
	begun    map[eventID]*batched // by correlation ID
	held     int                  // bytes of those
	underWay []*batched           // in the writer's hands, which answers in this order
	flying   int                  // bytes of those
	alarm    *time.Timer          // rings at the deadline of the first under way
}

// batched is one append of many.
type batched struct {
	*proposal   // nil once it is refused: what still arrives of it is dropped
	correlation *shared.UUID
	options     *streams.BatchAppendReq_Options
	deadline    time.Time       // zero is none
	walled      <-chan struct{} // closed when the disk is full
}

// bytes is about what an append takes in memory.
func (a *batched) bytes() int {
	if a.proposal == nil {
		return 0
	}
	return a.size + a.encoded
}

// run answers what the client sends until it has sent everything, the node
// stops, or either breaks off.
func (b *batchCall) run(requests <-chan heardRequest) error {
	var ended error
	stopping := b.node.stopping
	for requests != nil || len(b.underWay) > 0 {
		var err error
		first := b.first()
		select {
		case r := <-b.ifReady(requests):
			switch {
			case errors.Is(r.err, io.EOF):
				requests = nil
			case r.err != nil:
				return r.err
			default:
				err = b.take(r.BatchAppendReq)
			}
		case result := <-first.answer:
			err = b.land(result)
		case <-first.walled:
			err = b.land(answer{err: errFull})
		case <-first.late:
			err = b.land(answer{err: errTimeout})
		case <-stopping:
			requests, stopping, ended = nil, nil, errStopping
		case <-b.call.Context().Done():
			err = status.FromContextError(b.call.Context().Err()).Err()
		}
		if err != nil {
			return err
		}
	}
	return ended
}

// ifReady is where requests come from, unless too much is under way.
func (b *batchCall) ifReady(requests <-chan heardRequest) <-chan heardRequest {
	if len(b.underWay) >= batchUnderWay || b.flying > batchHeld {
		return nil
	}
	return requests
}

// awaited is what may happen to the first append under way; nothing if there
// is none.
type awaited struct {
	answer <-chan answer
	walled <-chan struct{}
	late   <-chan time.Time
}

func (b *batchCall) first() (w awaited) {
	if len(b.underWay) > 0 {
		a := b.underWay[0]
		w.answer, w.walled = a.answer, a.walled
		if !a.deadline.IsZero() {
			w.late = b.alarm.C
		}
	}
	return w
}

// take adds a part of an append to what was there, and hands the whole on.
func (b *batchCall) take(r *streams.BatchAppendReq) error {
	key, err := parseID(r.GetCorrelationId())
	if err != nil {
		return status.Error(codes.InvalidArgument, "the request has no correlation ID")
	}
	a, known := b.begun[key]
	if !known {
		if a, err = b.begin(r); err != nil {
			return err
		}
		b.begun[key] = a
	}
	if err := b.add(a, r.GetProposedMessages()); err != nil {
		return err
	}
	if len(b.begun) > batchBegun || b.held > batchHeld {
		return errTooManyBegun
	}
	if !r.GetIsFinal() {
		return nil
	}
	delete(b.begun, key)
	b.held -= a.bytes()
	return b.submit(a)
}

// begin reads the options of an append. It fails only if the client is gone.
func (b *batchCall) begin(r *streams.BatchAppendReq) (*batched, error) {
	a := &batched{correlation: r.GetCorrelationId(), options: r.GetOptions()}
	switch d := r.GetOptions().GetDeadlineOption().(type) {
	case *streams.BatchAppendReq_Options_Deadline_21_10_0:
		a.deadline = d.Deadline_21_10_0.AsTime()
	case *streams.BatchAppendReq_Options_Deadline:
		a.deadline = time.Now().Add(d.Deadline.AsDuration())
	}
	p, err := beginBatched(a.options)
	if err != nil {
		return a, b.refuse(a, err)
	}
	a.proposal = p
	return a, nil
}

func beginBatched(options *streams.BatchAppendReq_Options) (*proposal, error) {
	if options == nil {
		return nil, errNotBegun
	}
	switch expected := options.GetExpectedStreamPosition().(type) {
	case *streams.BatchAppendReq_Options_StreamPosition:
		return proposeAt(options.GetStreamIdentifier(), expected.StreamPosition)
	case *streams.BatchAppendReq_Options_NoStream:
		return propose(options.GetStreamIdentifier(), noStream)
	case *streams.BatchAppendReq_Options_StreamExists:
		return propose(options.GetStreamIdentifier(), streamExists)
	case *streams.BatchAppendReq_Options_Any:
		return propose(options.GetStreamIdentifier(), anyRevision)
	}
	return nil, errExpectsNothing
}

// add takes the events of an append, or refuses all of it.
func (b *batchCall) add(a *batched, events []*streams.BatchAppendReq_ProposedMessage) error {
	b.held -= a.bytes()
	for _, m := range events {
		if a.proposal == nil {
			return nil
		}
		if err := a.add(m); err != nil {
			return b.refuse(a, err)
		}
	}
	b.held += a.bytes()
	return nil
}

// submit hands a whole append to the writer, unless it was refused or is late.
func (b *batchCall) submit(a *batched) (err error) {
	switch {
	case a.proposal == nil:
		return nil
	case !a.deadline.IsZero() && !time.Now().Before(a.deadline):
		return b.refuse(a, errTimeout)
	}
	if a.walled, err = b.node.submit(b.call.Context(), a.appending); err != nil {
		return b.refuse(a, err)
	}
	b.underWay, b.flying = append(b.underWay, a), b.flying+a.bytes()
	if len(b.underWay) == 1 {
		b.setAlarm()
	}
	return nil
}

func (b *batchCall) setAlarm() {
	if len(b.underWay) > 0 && !b.underWay[0].deadline.IsZero() {
		b.alarm.Reset(time.Until(b.underWay[0].deadline))
	}
}

// land answers the first append under way.
func (b *batchCall) land(result answer) error {
	a := b.underWay[0]
	b.underWay[0] = nil
	b.underWay, b.flying = b.underWay[1:], b.flying-a.bytes()
	b.setAlarm()
	return b.call.Send(reply(a, result))
}

func (b *batchCall) refuse(a *batched, err error) error {
	a.proposal = nil
	return b.call.Send(reply(a, answer{err: err}))
}
