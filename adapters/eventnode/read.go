package eventnode

import (
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Read sends events of a stream or of $all: up to a count, or for ever.
func (s *streamsServer) Read(request *streams.ReadReq, call streams.Streams_ReadServer) error {
	r := &reader{node: s.node, call: call, ahead: ahead{store: s.node.store}}
	defer r.await()
	if err := r.parse(request.GetOptions()); err != nil {
		return err
	}
	if r.subscribes {
		return r.subscribe()
	}
	return r.read()
}

// reader is one Read call.
type reader struct {
	want
	ahead
	node       *Node
	call       streams.Streams_ReadServer
	subscribes bool
	tellsEnd   bool // the client understands last_stream_position
}

func (r *reader) parse(o *streams.ReadReq_Options) error {
	if o.GetUuidOption() == nil {
		return status.Error(codes.InvalidArgument, "the request names no form for event IDs")
	}
	_, r.textIDs = o.GetUuidOption().GetContent().(*streams.ReadReq_Options_UUIDOption_String_)
	_, r.subscribes = o.GetCountOption().(*streams.ReadReq_Options_Subscription)
	if r.count = o.GetCount(); r.subscribes {
		r.count = math.MaxUint64
	}
	r.backwards = o.GetReadDirection() == streams.ReadReq_Options_Backwards
	r.tellsEnd = o.GetControlOption().GetCompatibility() >= 1
	if r.backwards && r.subscribes {
		return status.Error(codes.InvalidArgument, "a subscription cannot go backwards")
	}
	if o.GetAll() != nil {
		return r.parseAll(o)
	}
	return r.parseStream(o)
}

func (r *reader) parseAll(o *streams.ReadReq_Options) (err error) {
	if o.GetFilter() != nil {
		if r.filter, err = parseFilter(o.GetFilter(), r.subscribes); err != nil {
			return err
		}
	}
	last := r.node.Last()
	switch at := o.GetAll().GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		return r.startAtPosition(at.Position, last)
	case *streams.ReadReq_Options_AllOptions_Start:
	case *streams.ReadReq_Options_AllOptions_End:
		r.startAtEnd(head{exists: true}, last)
	default:
		return status.Error(codes.InvalidArgument, "the request names no position")
	}
	return nil
}

// startAtPosition refuses a subscriber who was further than this log is: it was
// restored from an older copy, say, and he would miss what comes next.
func (r *reader) startAtPosition(at *streams.ReadReq_Options_Position, last uint64) error {
	commit, prepare := at.GetCommitPosition(), at.GetPreparePosition()
	switch {
	case commit == math.MaxUint64 && prepare == math.MaxUint64: // clients' name for the end
		r.startAtEnd(head{exists: true}, last)
		return nil
	case prepare > commit || commit > math.MaxInt64 || r.subscribes && commit > last:
		return status.Errorf(codes.InvalidArgument, "there is no position C:%d/P:%d, the log ends at %d", commit, prepare, last)
	}
	r.startAt(commit)
	return nil
}

func (r *reader) parseStream(o *streams.ReadReq_Options) error {
	r.stream = string(o.GetStream().GetStreamIdentifier().GetStreamName())
	if r.stream == "" {
		return status.Error(codes.InvalidArgument, "the stream has no name")
	}
	if o.GetFilter() != nil {
		return status.Error(codes.InvalidArgument, "only $all can be filtered")
	}
	switch at := o.GetStream().GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		return r.startAtRevision(at.Revision)
	case *streams.ReadReq_Options_StreamOptions_Start:
	case *streams.ReadReq_Options_StreamOptions_End:
		return r.startAtStreamEnd()
	default:
		return status.Error(codes.InvalidArgument, "the request names no revision")
	}
	return nil
}

func (r *reader) startAtRevision(at uint64) error {
	switch {
	case at == math.MaxUint64: // clients' name for the end
		return r.startAtStreamEnd()
	case at > math.MaxInt64:
		return status.Error(codes.InvalidArgument, "the revision is out of range")
	}
	r.startAt(at)
	return nil
}

func (r *reader) startAtStreamEnd() error {
	h, err := r.node.store.head(r.stream)
	if err != nil {
		return internal(err)
	}
	r.startAtEnd(h, h.revision)
	return nil
}

// startAt includes the event there in a read, but not in a subscription, where
// it is the last one that the subscriber has dealt with.
func (r *reader) startAt(at uint64) {
	if r.from = at; r.subscribes {
		r.from++
	}
}

func (r *reader) startAtEnd(h head, last uint64) {
	r.from = last
	if h.exists && !r.backwards {
		r.from++
	}
}

// read sends what was durable when it began. Whether there is such a stream is
// looked up only where none of its events was found: most that are read are there.
func (r *reader) read() error {
	if r.count == 0 {
		_, err := r.known()
		return err
	}
	r.limit, _ = r.store.tail.now()
	for found := false; r.count > 0; found = true {
		if err := r.call.Context().Err(); err != nil { // nothing may pass the filter for long
			return status.FromContextError(err).Err()
		}
		p := r.take(r.want)
		if p.err != nil {
			return internal(p.err)
		}
		if !found && len(p.looked) == 0 {
			if known, err := r.known(); err != nil || !known {
				return err
			}
		}
		for _, f := range p.found {
			if err := r.call.SendMsg(f.written); err != nil {
				return err
			}
		}
		next, more := p.next()
		if r.want = next; next.count > 0 && (!p.full || !more) {
			return r.sayEnd(r.limit)
		}
	}
	return nil
}

// sayEnd tells where the stream ends, to clients that know how to read that; the
// others would break (event-log §1.11). No stream here ever loses its first
// events, so first_stream_position has nothing to say.
func (r *reader) sayEnd(limit uint64) error {
	if !r.tellsEnd || r.stream == "" || r.backwards {
		return nil
	}
	last, known, err := r.node.store.lastRevision(r.stream, limit)
	switch {
	case err != nil:
		return internal(err)
	case !known:
		return nil
	}
	return r.call.Send(&streams.ReadResp{Content: &streams.ReadResp_LastStreamPosition{LastStreamPosition: last}})
}

// known tells the client if there is no such stream.
func (r *reader) known() (bool, error) {
	if r.stream == "" {
		return true, nil
	}
	h, err := r.node.store.head(r.stream)
	if err != nil {
		return false, internal(err)
	}
	if h.exists {
		return true, nil
	}
	return false, r.call.Send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
		StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(r.stream)}},
	}})
}
