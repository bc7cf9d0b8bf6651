// Package eventstore is the event log of EventStoreDB, over the official
// client: of a cluster, by a connection string, or of the embedded node, by the
// path of its Unix socket.
package eventstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"govahi/domain/event"
)

// maxAppendSize is EventStoreDB's default limit before 25.1, in bytes: the
// data, the metadata and twice the type of all events of an append. We check it
// ourselves, since the client loses the server's reason if it is still sending.
const maxAppendSize = 1 << 20

// Log is an EventStoreDB.
type Log struct{ pool *pool }

var _ event.Log = (*Log)(nil)

// Open prepares a log; it connects at the first call. The target is a
// connection string (esdb://… or esdb+discover://…) or a Unix socket's path.
func Open(target string) (*Log, error) {
	config, err := configure(target)
	if err != nil {
		return nil, fmt.Errorf("eventstore: %w", err)
	}
	config.Logger = esdb.NoopLogging() // what matters comes back as an error
	if !strings.Contains(target, "gossipTimeout=") {
		config.GossipTimeout = int(answerWithin / time.Second) // of each try to find the node
	}
	return &Log{&pool{config: config}}, nil
}

func configure(target string) (*esdb.Configuration, error) {
	if strings.HasPrefix(target, "esdb://") || strings.HasPrefix(target, "esdb+discover://") {
		config, err := esdb.ParseConnectionString(target)
		return config, withoutPassword(target, err)
	}
	path, err := filepath.Abs(target)
	if err != nil {
		return nil, err
	}
	// A configuration that was not parsed lacks the defaults, and hangs.
	config, err := esdb.ParseConnectionString("esdb://localhost?tls=false")
	if err != nil {
		return nil, err
	}
	config.Address = "unix://" + path
	return config, nil
}

// withoutPassword hides what the parser repeats of a string with credentials;
// but which file could not be read may be told.
func withoutPassword(target string, err error) error {
	var file *fs.PathError
	if err == nil || !strings.Contains(target, "@") || errors.As(err, &file) {
		return err
	}
	return errors.New("the connection string cannot be read: it is esdb://NAME:PASSWORD@HOST:PORT?settings, with a password's special characters percent-encoded")
}

// Close closes the connection, as soon as reads under way have ended.
func (l *Log) Close() error {
	l.pool.shut()
	return nil
}

// opened is what a call brought, to be left with the connection that brought it.
type opened[T any] struct {
	value      T
	connection *connection
	ctx        context.Context // of the call; it ends when the log falls silent
	*patience
}

// leave gives the connection back, with the error that its use ended in.
func (o opened[T]) leave(l *Log, err error) {
	err = silence(o.ctx, err)
	o.patience.leave()
	l.pool.release(o.connection, err)
}

// attempt calls the log, and once more if the connection was lost before it
// answered: every call of ours may be repeated.
func attempt[T any](ctx context.Context, l *Log, call func(context.Context, *esdb.Client) (T, error)) (opened[T], error) {
	for again := true; ; again = false {
		c, err := l.pool.take(ctx)
		if err != nil {
			return opened[T]{}, err
		}
		calling, p := due(ctx)
		value, err := guarded(calling, c.client, call)
		p.answered()
		if err == nil {
			return opened[T]{value, c, calling, p}, nil
		}
		err = silence(calling, err)
		p.leave()
		l.pool.release(c, err)
		if !lost(err) || !again || ctx.Err() != nil {
			return opened[T]{}, translate(ctx, err)
		}
	}
}

func guarded[T any](ctx context.Context, client *esdb.Client, call func(context.Context, *esdb.Client) (T, error)) (value T, err error) {
	defer guard(&err)
	return call(ctx, client)
}

// translate says an error in the words of the port.
func translate(ctx context.Context, err error) error {
	var e *esdb.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("eventstore: %w", ctx.Err())
	case errors.As(err, &e) && e.Code() == esdb.ErrorCodeWrongExpectedVersion:
		return fmt.Errorf("%w: %w", event.ErrWrongExpectedRevision, err)
	case status.Code(err) == codes.InvalidArgument && strings.Contains(err.Error(), "Maximum Append Size"):
		return fmt.Errorf("%w: %w", event.ErrTooLarge, err)
	case lost(err), status.Code(err) == codes.ResourceExhausted: // the embedded node's disk is full
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("eventstore: %w", err)
}

// Append stores all events or none; see event.Log.
func (l *Log) Append(ctx context.Context, stream event.Stream, expected event.Expected, events ...event.Proposed) (event.Receipt, error) {
	proposed, err := propose(events)
	if err != nil {
		return event.Receipt{}, err
	}
	revision, err := expect(expected)
	if err != nil {
		return event.Receipt{}, err
	}
	done, err := attempt(ctx, l, func(ctx context.Context, client *esdb.Client) (*esdb.WriteResult, error) {
		return client.AppendToStream(ctx, string(stream), esdb.AppendToStreamOptions{ExpectedRevision: revision}, proposed...)
	})
	if err != nil {
		return event.Receipt{}, err
	}
	done.leave(l, nil)
	return event.Receipt{
		Stream:   stream,
		Revision: done.value.NextExpectedVersion,
		Position: event.Position(done.value.CommitPosition),
	}, nil
}

// propose refuses what the client would silently change: it gives an event
// without an ID a random one, which no repetition would match.
func propose(events []event.Proposed) ([]esdb.EventData, error) {
	if len(events) == 0 {
		return nil, errors.New("eventstore: nothing to append")
	}
	size := 0
	proposed := make([]esdb.EventData, len(events))
	for i, e := range events {
		if e.ID == (event.ID{}) || e.Type == "" {
			return nil, errors.New("eventstore: an event needs an ID and a type")
		}
		size += len(e.Data) + len(e.Meta) + 2*len(e.Type)
		proposed[i] = esdb.EventData{
			EventID: uuid.UUID(e.ID), EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: e.Data, Metadata: e.Meta,
		}
	}
	if size > maxAppendSize {
		return nil, event.ErrTooLarge
	}
	return proposed, nil
}

// expect never leaves the expectation out: the client takes that for "any".
func expect(expected event.Expected) (esdb.ExpectedRevision, error) {
	switch {
	case expected == event.NoStream:
		return esdb.NoStream{}, nil
	case expected >= 0:
		return esdb.Revision(uint64(expected)), nil
	}
	return nil, fmt.Errorf("eventstore: no revision %d can be expected", expected)
}

// Read yields the stream from a revision on; see event.Log.
func (l *Log) Read(ctx context.Context, stream event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	options := esdb.ReadStreamOptions{Direction: esdb.Forwards, From: esdb.Revision(from)}
	return l.read(ctx, func(ctx context.Context, client *esdb.Client) (*esdb.ReadStream, error) {
		return client.ReadStream(ctx, string(stream), options, everything)
	})
}

// ReadBack yields the stream from its end to its beginning; see event.Log. Most
// readers leave early: it is asked for in pages.
func (l *Log) ReadBack(ctx context.Context, stream event.Stream) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		const page = 64
		from := esdb.StreamPosition(esdb.End{})
		for seen := page; seen == page; {
			seen = 0
			for r, err := range l.read(ctx, func(ctx context.Context, client *esdb.Client) (*esdb.ReadStream, error) {
				return client.ReadStream(ctx, string(stream), esdb.ReadStreamOptions{Direction: esdb.Backwards, From: from}, page)
			}) {
				if !yield(r, err) || err != nil || r.Revision == 0 {
					return
				}
				seen, from = seen+1, esdb.Revision(r.Revision-1)
			}
		}
	}
}

// Head is the position of the last event of ours; see event.Log.
func (l *Log) Head(ctx context.Context) (event.Position, error) {
	last, err := l.Last(ctx)
	return last.Position, err
}

// Last is the last event of ours, or the zero event of an empty log. Most often
// it is the log's very last event; behind system events it looks further back.
func (l *Log) Last(ctx context.Context) (event.Recorded, error) {
	for count := uint64(1); ; count *= 16 {
		seen := uint64(0)
		for r, err := range l.backwards(ctx, count) {
			if err != nil {
				return event.Recorded{}, err
			}
			if !strings.HasPrefix(r.Type, "$") {
				return r, nil
			}
			seen++
		}
		if seen < count {
			return event.Recorded{}, nil
		}
	}
}

func (l *Log) backwards(ctx context.Context, count uint64) iter.Seq2[event.Recorded, error] {
	options := esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}
	return l.read(ctx, func(ctx context.Context, client *esdb.Client) (*esdb.ReadStream, error) {
		return client.ReadAll(ctx, options, count)
	})
}
