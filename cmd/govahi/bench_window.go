package main

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// window is a log that ends where it is told to, for measurements of its
// beginning; whoever waits at its end hears at once that it was moved.
type window struct {
	*eventstore.Log
	end   atomic.Uint64
	moved []chan struct{}
}

func newWindow(log *eventstore.Log, end event.Position) *window {
	w := &window{Log: log}
	w.end.Store(uint64(end))
	return w
}

// Head is the window's end.
func (w *window) Head(context.Context) (event.Position, error) {
	return event.Position(w.end.Load()), nil
}

// ReadAll is the log's, up to the end.
func (w *window) ReadAll(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for r, err := range w.Log.ReadAll(ctx, after, prefixes...) {
			if err == nil && uint64(r.Position) > w.end.Load() || !yield(r, err) {
				return
			}
		}
	}
}

// feed is one that knows nothing but that the end was moved.
func (w *window) feed(string) event.Feed {
	c := make(chan struct{}, 1)
	w.moved = append(w.moved, c)
	return windowFeed{w, c}
}

func (w *window) move(end event.Position) {
	w.end.Store(uint64(end))
	for _, c := range w.moved {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

type windowFeed struct {
	*window
	moved chan struct{}
}

// Fetch brings word of the last event, without it.
func (f windowFeed) Fetch(ctx context.Context, _ int) ([]event.Message, error) {
	select {
	case <-f.moved:
		end, _ := f.Head(ctx)
		return []event.Message{{Recorded: event.Recorded{Position: end}, Ack: func() {}}}, nil
	case <-time.After(time.Second):
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// endOf is the position of a log's n-th event, or of its last.
func endOf(ctx context.Context, log event.Log, n int) (end event.Position, count int, err error) {
	for r, err := range log.ReadAll(ctx, 0) {
		if err != nil {
			return 0, 0, err
		}
		end = r.Position
		if count++; count == n {
			break
		}
	}
	return end, count, nil
}
