package eventnode

import (
	"context"
	"errors"
	"io"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// streamsServer is the log's own service.
type streamsServer struct {
	streams.UnimplementedStreamsServer
	node *Node
}

// Append stores all proposed events or none, and answers when they are durable.
func (s *streamsServer) Append(call streams.Streams_AppendServer) error {
	a, err := receive(call)
	if err != nil {
		return err
	}
	result := s.node.write(call.Context(), a)
	switch {
	case result.err != nil:
		return result.err
	case result.wrong:
		return call.SendAndClose(wrongExpectedVersion(a.expected, result.head))
	}
	return call.SendAndClose(success(a, result.head))
}

// errFull refuses an append. It is not Unavailable, at which clients look for
// another node. If it was on its way when the disk filled up it may be stored
// later: trying again with the same event IDs tells.
var errFull = status.Error(codes.ResourceExhausted, "The disk is full: try again later, with the same event IDs")

// write hands an append to the writer, and waits while it may be answered soon.
func (n *Node) write(ctx context.Context, a *appending) answer {
	walled, err := n.submit(ctx, a)
	if err != nil {
		return answer{err: err}
	}
	select {
	case result := <-a.answer:
		return result
	case <-walled:
		return answer{err: errFull}
	case <-ctx.Done():
		return answer{err: status.FromContextError(ctx.Err()).Err()}
	}
}

// submit hands an append to the writer, who answers soon, unless the disk is
// full: then walled is closed.
func (n *Node) submit(ctx context.Context, a *appending) (walled <-chan struct{}, err error) {
	if n.store.disk.full() {
		return nil, errFull
	}
	walled = n.store.disk.walled()
	if a.seen, err = n.writer.look(a.stream); err != nil {
		return nil, internal(err)
	}
	select {
	case n.writer.queue <- a:
		return walled, nil
	case <-walled:
		return nil, errFull
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

// receive reads an append to its end, even after it grew too large: the
// official client hears our reason only once it has sent everything.
func receive(call streams.Streams_AppendServer) (*appending, error) {
	first, err := call.Recv()
	if err != nil && !errors.Is(err, io.EOF) { // nothing at all has no options either
		return nil, err
	}
	p, err := begin(first.GetOptions())
	if err != nil {
		return nil, err
	}
	for {
		request, err := call.Recv()
		switch {
		case errors.Is(err, io.EOF) && p.tooLarge():
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return p.appending, nil
		case err != nil:
			return nil, err
		}
		if err := p.add(request.GetProposedMessage()); err != nil && !p.tooLarge() {
			return nil, err
		}
	}
}

func begin(options *streams.AppendReq_Options) (*proposal, error) {
	if options == nil {
		return nil, status.Error(codes.InvalidArgument, "the first message must be the options")
	}
	switch expected := options.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		return proposeAt(options.GetStreamIdentifier(), expected.Revision)
	case *streams.AppendReq_Options_NoStream:
		return propose(options.GetStreamIdentifier(), noStream)
	case *streams.AppendReq_Options_StreamExists:
		return propose(options.GetStreamIdentifier(), streamExists)
	case *streams.AppendReq_Options_Any:
		return propose(options.GetStreamIdentifier(), anyRevision)
	}
	return nil, errExpectsNothing
}

func success(a *appending, h head) *streams.AppendResp {
	ok := &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_NoStream{NoStream: &shared.Empty{}},
		PositionOption:        &streams.AppendResp_Success_NoPosition{NoPosition: &shared.Empty{}},
	}
	if h.exists {
		ok.CurrentRevisionOption = &streams.AppendResp_Success_CurrentRevision{CurrentRevision: h.revision}
	}
	if len(a.ids) > 0 {
		ok.PositionOption = &streams.AppendResp_Success_Position{
			Position: &streams.AppendResp_Position{CommitPosition: h.position, PreparePosition: h.position},
		}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: ok}}
}

// wrongExpectedVersion fills both generations of its fields, as the real server
// does: old clients read the first, new ones the second.
func wrongExpectedVersion(expected int64, h head) *streams.AppendResp {
	wrong := &streams.AppendResp_WrongExpectedVersion{
		CurrentRevisionOption_20_6_0: &streams.AppendResp_WrongExpectedVersion_NoStream_20_6_0{NoStream_20_6_0: &shared.Empty{}},
		CurrentRevisionOption:        &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}},
	}
	if h.exists {
		wrong.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0{CurrentRevision_20_6_0: h.revision}
		wrong.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: h.revision}
	}
	switch expected {
	case noStream:
		wrong.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: math.MaxUint64}
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	case streamExists:
		wrong.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_StreamExists_20_6_0{StreamExists_20_6_0: &shared.Empty{}}
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
	case anyRevision:
		wrong.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_Any_20_6_0{Any_20_6_0: &shared.Empty{}}
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
	default:
		wrong.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: uint64(expected)}
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(expected)}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: wrong}}
}
