package event

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"time"
)

// Position orders all events of one log. Zero is before the first event.
// Positions change when a log moves: facts cite (stream, revision) instead.
type Position uint64

// String is the decimal form, as in the Govahi-Position header.
func (p Position) String() string { return strconv.FormatUint(uint64(p), 10) }

// ParsePosition reads the decimal form.
func ParsePosition(text string) (Position, error) {
	p, err := strconv.ParseUint(text, 10, 64)
	return Position(p), err
}

// Expected is the revision at which a writer believes the stream to stand.
// There is no "any": who does not know must read first.
type Expected int64

// NoStream expects that nothing was ever appended to the stream.
const NoStream Expected = -1

// ErrWrongExpectedRevision reports that the stream moved on, or exists already.
var ErrWrongExpectedRevision = errors.New("event: wrong expected revision")

// ErrTooLarge reports an append above the log's limit (1 MiB).
var ErrTooLarge = errors.New("event: append too large")

// Proposed is an event on its way into the log.
type Proposed struct {
	ID   ID
	Type string // stored name
	Data []byte // JSON
	Meta []byte // JSON of Meta
}

// Recorded is an event as the log holds it.
type Recorded struct {
	Stream   Stream
	Revision uint64 // 0 is the stream's first event
	Position Position
	ID       ID
	Type     string
	Data     []byte
	Meta     []byte
	Created  time.Time // the log's clock, for operators; facts carry their own time
}

// Receipt says where an append ended: the last event's revision and position.
type Receipt struct {
	Stream   Stream
	Revision uint64
	Position Position
}

// Delivery is what a subscription brings: an event, or word of how far it is.
type Delivery struct {
	Event      *Recorded // nil for a checkpoint
	Checkpoint Position  // everything up to here was looked at
	CaughtUp   bool      // the subscription reached the end and is live
}

// Log is the only truth: durable, totally ordered streams with optimistic
// concurrency, as EventStoreDB offers them.
type Log interface {
	// Append stores all events or none, durably, if the stream stands at the
	// expected revision; else ErrWrongExpectedRevision. Appending the same
	// event IDs at the same expected revision again returns the first receipt.
	Append(ctx context.Context, stream Stream, expected Expected, events ...Proposed) (Receipt, error)

	// Read yields the stream from a revision on; nothing if it does not exist.
	// An error is yielded last: a broken read never looks like an end.
	Read(ctx context.Context, stream Stream, from uint64) iter.Seq2[Recorded, error]

	// ReadBack yields the stream from its last event to its first, else as Read.
	ReadBack(ctx context.Context, stream Stream) iter.Seq2[Recorded, error]

	// ReadAll yields events after a position whose type starts with one of the
	// prefixes (all of ours, if none is given), up to the present end.
	ReadAll(ctx context.Context, after Position, prefixes ...string) iter.Seq2[Recorded, error]

	// Subscribe is ReadAll that goes on until the context ends or an error is
	// yielded. The caller resumes from the last checkpoint.
	Subscribe(ctx context.Context, after Position, prefixes ...string) iter.Seq2[Delivery, error]

	// Head is the position of the last event of ours, zero in an empty log.
	Head(ctx context.Context) (Position, error)
}
