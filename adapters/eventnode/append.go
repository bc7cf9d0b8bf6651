package eventnode

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// maxAppendSize is the limit of one append in bytes, EventStoreDB's default
// before 25.1: the data, the metadata and twice the type of all its events.
const maxAppendSize = 1 << 20

// maxEncoded is the limit of what an append takes in memory, in bytes. The other
// limit knows nothing of the stream's name, which is kept with each event.
const maxEncoded = 16 * maxAppendSize

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
	if n.store.disk.full() {
		return answer{err: errFull}
	}
	walled := n.store.disk.walled()
	select {
	case n.writer.queue <- a:
	case <-walled:
		return answer{err: errFull}
	case <-ctx.Done():
		return answer{err: status.FromContextError(ctx.Err()).Err()}
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

// receive reads an append to its end, even after it grew too large: the
// official client hears our reason only once it has sent everything.
func receive(call streams.Streams_AppendServer) (*appending, error) {
	first, err := call.Recv()
	if err != nil && !errors.Is(err, io.EOF) { // nothing at all has no options either
		return nil, err
	}
	a, err := begin(first.GetOptions())
	if err != nil {
		return nil, err
	}
	size, encoded := 0, 0
	for {
		request, err := call.Recv()
		switch {
		case errors.Is(err, io.EOF) && (size > maxAppendSize || encoded > maxEncoded):
			return nil, tooLarge(call)
		case errors.Is(err, io.EOF):
			return a, nil
		case err != nil:
			return nil, err
		}
		message := request.GetProposedMessage()
		size += sizeOf(message)
		encoded += len(a.stream) + atStream
		if size > maxAppendSize || encoded > maxEncoded {
			continue
		}
		if err := a.add(call, message); err != nil {
			return nil, err
		}
	}
}

func begin(options *streams.AppendReq_Options) (*appending, error) {
	if options == nil {
		return nil, status.Error(codes.InvalidArgument, "the first message must be the options")
	}
	stream := string(options.GetStreamIdentifier().GetStreamName())
	if stream == "" {
		return nil, status.Error(codes.InvalidArgument, "the stream has no name")
	}
	a := &appending{stream: stream, answer: make(chan answer, 1)}
	switch expected := options.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		if expected.Revision > math.MaxInt64 {
			return nil, status.Error(codes.InvalidArgument, "the expected revision is out of range")
		}
		a.expected = int64(expected.Revision)
	case *streams.AppendReq_Options_NoStream:
		a.expected = noStream
	case *streams.AppendReq_Options_StreamExists:
		a.expected = streamExists
	case *streams.AppendReq_Options_Any:
		a.expected = anyRevision
	default:
		return nil, status.Error(codes.InvalidArgument, "no revision is expected")
	}
	return a, nil
}

func sizeOf(m *streams.AppendReq_ProposedMessage) int {
	return len(m.GetData()) + len(m.GetCustomMetadata()) + 2*len(m.GetMetadata()["type"])
}

func tooLarge(call streams.Streams_AppendServer) error {
	call.SetTrailer(metadata.Pairs(
		"exception", "maximum-append-size-exceeded",
		"maximum-append-size", fmt.Sprint(maxAppendSize),
	))
	return status.Errorf(codes.InvalidArgument, "Maximum Append Size of %d Exceeded.", maxAppendSize)
}

// add checks a proposed event and encodes it, here rather than in the writer.
func (a *appending) add(call streams.Streams_AppendServer, m *streams.AppendReq_ProposedMessage) error {
	id, err := parseID(m.GetId())
	if err != nil {
		return err
	}
	kind, content := m.GetMetadata()["type"], m.GetMetadata()["content-type"]
	if kind == "" || content == "" {
		call.SetTrailer(metadata.Pairs(
			"exception", "missing-required-metadata-property",
			"required-metadata-properties", "type,content-type",
		))
		return status.Error(codes.InvalidArgument, "Required Metadata Property is missing")
	}
	a.ids = append(a.ids, id)
	a.records = append(a.records, record{
		id: id, json: content == "application/json", stream: a.stream, kind: kind,
		meta: m.GetCustomMetadata(), data: m.GetData(),
	}.encode())
	return nil
}

// parseID reads both forms of a UUID; the empty one identifies nothing.
func parseID(id *shared.UUID) (eventID, error) {
	var parsed eventID
	if s := id.GetStructured(); s != nil {
		binary.BigEndian.PutUint64(parsed[:], uint64(s.MostSignificantBits))
		binary.BigEndian.PutUint64(parsed[8:], uint64(s.LeastSignificantBits))
	} else if u, err := uuid.Parse(id.GetString_()); err == nil {
		parsed = eventID(u)
	}
	if parsed == (eventID{}) {
		return parsed, status.Error(codes.InvalidArgument, "an event has no ID")
	}
	return parsed, nil
}

func structuredID(id eventID) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits:  int64(binary.BigEndian.Uint64(id[:])),
		LeastSignificantBits: int64(binary.BigEndian.Uint64(id[8:])),
	}}}
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
	default:
		wrong.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: uint64(expected)}
		wrong.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(expected)}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: wrong}}
}
