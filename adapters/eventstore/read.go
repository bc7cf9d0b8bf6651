package eventstore

import (
	"context"
	"errors"
	"io"
	"iter"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"govahi/domain/event"
)

// everything is a count without a limit; the server streams.
const everything = math.MaxInt64

// reading is a read with its first event, or nil at the end: a read is open
// once that is known, because only then has the server answered.
type reading struct {
	stream *esdb.ReadStream
	next   *esdb.ResolvedEvent
}

func (r *reading) advance() (err error) {
	defer guard(&err)
	r.next, err = r.stream.Recv()
	if errors.Is(err, io.EOF) || missing(err) {
		r.next, err = nil, nil
	}
	return err
}

// missing tells a stream that does not exist from a call that was answered with
// gRPC's NotFound, as a follower does: the official client has one code for both.
func missing(err error) bool {
	var e *esdb.Error
	return errors.As(err, &e) && e.Code() == esdb.ErrorCodeResourceNotFound && status.Code(err) == codes.Unknown
}

// read yields what an opened read brings.
func (l *Log) read(ctx context.Context, open func(context.Context, *esdb.Client) (*esdb.ReadStream, error)) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		r, err := attempt(ctx, l, func(ctx context.Context, client *esdb.Client) (*reading, error) {
			stream, err := open(ctx, client)
			if err != nil {
				return nil, err
			}
			r := &reading{stream: stream}
			return r, r.advance()
		})
		if err != nil {
			yield(event.Recorded{}, err)
			return
		}
		defer func() { r.leave(l, err) }() // else a read left early stays open
		for r.value.next != nil {
			if !yield(record(r.value.next), nil) {
				return
			}
			r.due()
			if err = silence(r.ctx, r.value.advance()); err != nil {
				yield(event.Recorded{}, translate(ctx, err))
				return
			}
			r.answered()
		}
	}
}

func record(e *esdb.ResolvedEvent) event.Recorded {
	r := e.OriginalEvent()
	return event.Recorded{
		Stream:   event.Stream(r.StreamID),
		Revision: r.EventNumber,
		Position: event.Position(r.Position.Commit),
		ID:       event.ID(r.EventID),
		Type:     r.EventType,
		Data:     r.Data,
		Meta:     r.UserMetadata,
		Created:  r.CreatedDate,
	}
}

// ReadAll yields events after a position, up to the present end; see event.Log.
// It is a subscription that is left at the end: the official client filters
// subscriptions on the server, but not reads.
func (l *Log) ReadAll(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for d, err := range l.Subscribe(ctx, after, prefixes...) {
			switch {
			case err != nil:
				yield(event.Recorded{}, err)
				return
			case d.CaughtUp:
				return
			case d.Event != nil && !yield(*d.Event, nil):
				return
			}
		}
	}
}

// Subscribe yields events after a position until the context ends; see
// event.Log. The client's own deadline is left out: it would end it.
func (l *Log) Subscribe(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Delivery, error] {
	return func(yield func(event.Delivery, error) bool) {
		options := esdb.SubscribeToAllOptions{From: start(after), Filter: filter(prefixes)}
		s, err := attempt(ctx, l, func(ctx context.Context, client *esdb.Client) (*esdb.Subscription, error) {
			return client.SubscribeToAll(ctx, options)
		})
		if err != nil {
			yield(event.Delivery{}, err)
			return
		}
		defer func() { s.leave(l, err) }()
		var next *esdb.SubscriptionEvent
		for live := false; ; {
			if !live { // then nothing is due until something happens
				s.due()
			}
			if next, err = receive(s.value); err != nil {
				err = silence(s.ctx, err)
				yield(event.Delivery{}, translate(ctx, err))
				return
			}
			s.answered()
			d := deliver(next, after)
			after, live = d.Checkpoint, live || d.CaughtUp
			if (d.Event != nil || d.CaughtUp || next.CheckPointReached != nil) && !yield(d, nil) {
				return
			}
		}
	}
}

// start never leaves the position out: the client takes that for the end.
func start(after event.Position) esdb.AllPosition {
	if after == 0 {
		return esdb.Start{}
	}
	return esdb.Position{Commit: uint64(after), Prepare: uint64(after)}
}

func filter(prefixes []string) *esdb.SubscriptionFilter {
	if len(prefixes) == 0 {
		return esdb.ExcludeSystemEventsFilter()
	}
	return &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: prefixes}
}

func receive(s *esdb.Subscription) (e *esdb.SubscriptionEvent, err error) {
	defer guard(&err)
	e = s.Recv()
	if e.SubscriptionDropped != nil {
		return nil, e.SubscriptionDropped.Error
	}
	return e, nil
}

func deliver(e *esdb.SubscriptionEvent, after event.Position) event.Delivery {
	d := event.Delivery{Checkpoint: after, CaughtUp: e.CaughtUp != nil}
	switch {
	case e.EventAppeared != nil:
		r := record(e.EventAppeared)
		d.Event, d.Checkpoint = &r, r.Position
	case e.CheckPointReached != nil:
		d.Checkpoint = event.Position(e.CheckPointReached.Commit)
	}
	return d
}
