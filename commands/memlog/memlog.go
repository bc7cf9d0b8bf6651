// Package memlog is an event log in memory, with the promises of the real one,
// for tests of commands, policies and projections.
package memlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"govahi/domain/event"
)

// maxAppendSize is the limit of EventStoreDB before 25.1, in bytes.
const maxAppendSize = 1 << 20

// gap lies between two positions: positions of a real log are not gapless, and
// nobody shall come to rely on it.
const gap = 64

// Log is an event log in memory.
type Log struct {
	mu      sync.Mutex
	events  []event.Recorded
	streams map[event.Stream][]int // indexes into events
	grown   chan struct{}          // closed by the next append
}

var _ event.Log = (*Log)(nil)

// New makes an empty log.
func New() *Log {
	return &Log{streams: map[event.Stream][]int{}, grown: make(chan struct{})}
}

// Append stores all events or none; see event.Log.
func (l *Log) Append(ctx context.Context, stream event.Stream, expected event.Expected, events ...event.Proposed) (event.Receipt, error) {
	if err := errors.Join(ctx.Err(), check(events)); err != nil {
		return event.Receipt{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	current := event.Expected(len(l.streams[stream])) - 1
	switch {
	case expected == current:
		return l.store(stream, events), nil
	case event.NoStream <= expected && expected < current:
		return l.repeated(stream, expected, events)
	}
	return event.Receipt{}, wrong(stream, expected, current)
}

func check(events []event.Proposed) error {
	size := 0
	for _, e := range events {
		if e.ID == (event.ID{}) || e.Type == "" {
			return errors.New("memlog: an event needs an ID and a type")
		}
		size += len(e.Data) + len(e.Meta) + 2*len(e.Type)
	}
	if len(events) == 0 {
		return errors.New("memlog: nothing to append")
	}
	if size > maxAppendSize {
		return event.ErrTooLarge
	}
	return nil
}

func wrong(stream event.Stream, expected, current event.Expected) error {
	return fmt.Errorf("%w: %s expected at %d, is at %d", event.ErrWrongExpectedRevision, stream, expected, current)
}

// repeated answers an append that was stored before with its first receipt.
func (l *Log) repeated(stream event.Stream, expected event.Expected, events []event.Proposed) (event.Receipt, error) {
	stored := l.streams[stream][expected+1:]
	if len(events) > len(stored) {
		return event.Receipt{}, wrong(stream, expected, expected+event.Expected(len(stored)))
	}
	for i, e := range events {
		if l.events[stored[i]].ID != e.ID {
			return event.Receipt{}, wrong(stream, expected, expected+event.Expected(len(stored)))
		}
	}
	return receipt(l.events[stored[len(events)-1]]), nil
}

func (l *Log) store(stream event.Stream, events []event.Proposed) event.Receipt {
	now := time.Now().UTC()
	for _, e := range events {
		l.streams[stream] = append(l.streams[stream], len(l.events))
		l.events = append(l.events, event.Recorded{
			Stream:   stream,
			Revision: uint64(len(l.streams[stream]) - 1),
			Position: event.Position((len(l.events) + 1) * gap),
			ID:       e.ID,
			Type:     e.Type,
			Data:     slices.Clone(e.Data),
			Meta:     slices.Clone(e.Meta),
			Created:  now,
		})
	}
	close(l.grown)
	l.grown = make(chan struct{})
	return receipt(l.events[len(l.events)-1])
}

func receipt(r event.Recorded) event.Receipt {
	return event.Receipt{Stream: r.Stream, Revision: r.Revision, Position: r.Position}
}

// Read yields the stream from a revision on; see event.Log.
func (l *Log) Read(ctx context.Context, stream event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for _, r := range l.stream(stream, from) {
			if err := ctx.Err(); err != nil {
				yield(event.Recorded{}, err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(event.Recorded{}, err)
		}
	}
}

// ReadBack yields the stream from its end to its beginning; see event.Log.
func (l *Log) ReadBack(ctx context.Context, stream event.Stream) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		events := l.stream(stream, 0)
		for i := len(events) - 1; i >= 0 && ctx.Err() == nil; i-- {
			if !yield(events[i], nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(event.Recorded{}, err)
		}
	}
}

func (l *Log) stream(stream event.Stream, from uint64) []event.Recorded {
	l.mu.Lock()
	defer l.mu.Unlock()
	indexes := l.streams[stream]
	if from >= uint64(len(indexes)) {
		return nil
	}
	var events []event.Recorded
	for _, i := range indexes[from:] {
		events = append(events, l.events[i])
	}
	return events
}

// ReadAll yields events after a position, up to the present end; see event.Log.
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

// Subscribe is ReadAll that goes on until the context ends; see event.Log.
func (l *Log) Subscribe(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Delivery, error] {
	return func(yield func(event.Delivery, error) bool) {
		for live := false; ; live = true {
			events, grown := l.after(after)
			for _, r := range events {
				if ctx.Err() != nil {
					break
				}
				after = r.Position
				if begins(r.Type, prefixes) && !yield(event.Delivery{Event: &r, Checkpoint: after}, nil) {
					return
				}
			}
			if ctx.Err() == nil && (!live || len(events) > 0) {
				if !yield(event.Delivery{Checkpoint: after, CaughtUp: !live}, nil) {
					return
				}
			}
			select {
			case <-grown:
			case <-ctx.Done():
				yield(event.Delivery{}, ctx.Err())
				return
			}
		}
	}
}

// after returns the events after a position, and what tells of the next ones.
func (l *Log) after(p event.Position) ([]event.Recorded, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := sort.Search(len(l.events), func(i int) bool { return l.events[i].Position > p })
	return l.events[first:], l.grown
}

func begins(name string, prefixes []string) bool {
	return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// Head is the position of the last event; see event.Log.
func (l *Log) Head(ctx context.Context) (event.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.events) == 0 {
		return 0, ctx.Err()
	}
	return l.events[len(l.events)-1].Position, ctx.Err()
}
