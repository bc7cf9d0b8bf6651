package eventnode

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// maxAppendSize is the limit of one append in bytes, EventStoreDB's default
// before 25.1: the data, the metadata and twice the type of all its events.
const maxAppendSize = 1 << 20

// maxEncoded is the limit of what an append takes in memory, in bytes. The other
// limit knows nothing of the stream's name, which is kept with each event.
const maxEncoded = 16 * maxAppendSize

// linkType is the type of events that point to others. Nobody would follow them
// here.
const linkType = "$>"

var (
	errTooLarge = &refusal{
		code: codes.InvalidArgument, text: fmt.Sprintf("Maximum Append Size of %d Exceeded.", maxAppendSize),
		exception: []string{"exception", "maximum-append-size-exceeded", "maximum-append-size", fmt.Sprint(maxAppendSize)},
		detail:    &shared.MaximumAppendSizeExceeded{MaxAppendSize: maxAppendSize},
	}
	errUntyped = &refusal{
		code: codes.InvalidArgument, text: "Required Metadata Property is missing",
		exception: []string{"exception", "missing-required-metadata-property", "required-metadata-properties", "type,content-type"},
	}
	errExpectsNothing = status.Error(codes.InvalidArgument, "no revision is expected")
	errNoMetadata     = status.Error(codes.Unimplemented, "this log keeps no stream metadata")
	errNoLinks        = status.Error(codes.Unimplemented, "this log keeps no links")
)

// proposal is an append whose events still arrive.
type proposal struct {
	*appending
	size, encoded int // bytes, as the two limits count
}

// proposed is an event in either form of append.
type proposed interface {
	GetId() *shared.UUID
	GetMetadata() map[string]string
	GetCustomMetadata() []byte
	GetData() []byte
}

// propose begins an append. Names with a dollar are the system's, and there is
// none that could write there.
func propose(to *shared.StreamIdentifier, expected int64) (*proposal, error) {
	stream := string(to.GetStreamName())
	switch {
	case stream == "":
		return nil, status.Error(codes.InvalidArgument, "the stream has no name")
	case strings.HasPrefix(stream, "$$"):
		return nil, errNoMetadata
	case strings.HasPrefix(stream, "$"):
		return nil, errAccessDenied
	}
	return &proposal{appending: &appending{stream: stream, expected: expected, answer: make(chan answer, 1)}}, nil
}

func proposeAt(to *shared.StreamIdentifier, revision uint64) (*proposal, error) {
	if revision > math.MaxInt64 {
		return nil, status.Error(codes.InvalidArgument, "the expected revision is out of range")
	}
	return propose(to, int64(revision))
}

func (p *proposal) tooLarge() bool { return p.size > maxAppendSize || p.encoded > maxEncoded }

// add checks a proposed event and encodes it, here rather than in the writer.
func (p *proposal) add(m proposed) error {
	kind, content := m.GetMetadata()["type"], m.GetMetadata()["content-type"]
	p.size += len(m.GetData()) + len(m.GetCustomMetadata()) + 2*len(kind)
	p.encoded += len(p.stream) + atStream
	if p.tooLarge() {
		p.ids, p.records = nil, nil
		return errTooLarge
	}
	id, err := parseID(m.GetId())
	if err != nil {
		return err
	}
	switch {
	case kind == "" || content == "":
		return errUntyped
	case kind == linkType:
		return errNoLinks
	}
	p.ids = append(p.ids, id)
	p.records = append(p.records, record{
		id: id, json: content == "application/json", stream: []byte(p.stream), kind: []byte(kind),
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
