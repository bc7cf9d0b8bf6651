package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"govahi/domain/event"
)

// Relay copies the log to the stream, one message an event, in the log's order.
//
// The stream itself fences it: each publication expects the message before it to
// be the stream's last, so that of any number of relays none can skip, repeat or
// reorder. What refuses or fails ends the run; the next one resumes from what
// the stream then holds (event-log §3.1).
type Relay struct {
	bus      *Bus
	log      event.Log
	report   *slog.Logger
	position atomic.Uint64
}

// NewRelay makes a relay; Run starts it.
func NewRelay(bus *Bus, log event.Log, report *slog.Logger) *Relay {
	return &Relay{bus: bus, log: log, report: report}
}

// resumeAfter is how long the relay rests when a run ended.
const resumeAfter = 200 * time.Millisecond

// Run relays until the context ends, which is the only way to end it.
func (r *Relay) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := r.run(ctx)
		if ctx.Err() != nil {
			break
		}
		r.report.Warn("relay resumes", "position", r.Position(), "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(resumeAfter):
		}
	}
	return ctx.Err()
}

// Position is the last event known to stand in the stream, for health.
func (r *Relay) Position() event.Position { return event.Position(r.position.Load()) }

// sent is a publication on its way.
type sent struct {
	position event.Position
	ack      jetstream.PubAckFuture
}

// run publishes and confirms side by side, until either fails.
func (r *Relay) run(ctx context.Context) error {
	from, err := r.resume(ctx)
	if err != nil {
		return err
	}
	r.position.Store(uint64(from.position))
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	way, done := make(chan sent, maxPending), make(chan struct{})
	go func() {
		defer close(done)
		if err := r.confirm(running, way); err != nil {
			stop(err)
		}
	}()
	err = r.publish(running, from, way)
	close(way)
	<-done
	if cause := context.Cause(running); cause != nil {
		return cause
	}
	return err
}

// publish sends each event after the end, fenced by the one before it.
func (r *Relay) publish(ctx context.Context, last end, way chan<- sent) error {
	for delivery, err := range r.log.Subscribe(ctx, last.position) {
		if err != nil {
			return err
		}
		e := delivery.Event
		if e == nil || e.Position <= last.position || strings.HasPrefix(e.Type, "$") {
			continue
		}
		m := encode(*e, last.position, r.bus.conn.MaxPayload())
		ack, err := r.bus.js.PublishMsgAsync(m, last.fence, jetstream.WithStallWait(stallWait))
		if err != nil {
			return err
		}
		select {
		case way <- sent{e.Position, ack}:
		case <-ctx.Done():
			return ctx.Err()
		}
		last = end{e.Position, jetstream.WithExpectLastMsgID(e.ID.String())}
	}
	return errors.New("nats: the log's subscription ended")
}

// confirm waits for the answers in the order of publication and returns the
// first refusal: by the fence, all that follow are refused too.
func (r *Relay) confirm(ctx context.Context, way <-chan sent) error {
	for s := range way {
		select {
		case <-s.ack.Ok():
			r.position.Store(uint64(s.position))
		case err := <-s.ack.Err():
			return fmt.Errorf("nats: publication of event at %d: %w", s.position, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// end is where the stream ends: the position of its last event, and what the
// next publication must expect.
type end struct {
	position event.Position
	fence    jetstream.PublishOpt
}

// resume finds the stream's end. An empty stream begins at the log's head:
// whoever needs older events reads them from the log.
func (r *Relay) resume(ctx context.Context) (end, error) {
	stream, err := r.bus.stream(ctx)
	if err != nil {
		return end{}, err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return end{}, err
	}
	if info.State.Msgs == 0 {
		return r.fromHead(ctx, info.State.LastSeq)
	}
	last, err := stream.GetMsg(ctx, info.State.LastSeq)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound): // deleted by hand
		return r.fromHead(ctx, info.State.LastSeq)
	case err != nil:
		return end{}, err
	}
	return r.after(ctx, last)
}

// fromHead expects a sequence: where there is no last message, an expected ID
// fences nothing. A purged stream keeps its last sequence.
func (r *Relay) fromHead(ctx context.Context, sequence uint64) (end, error) {
	head, err := r.log.Head(ctx)
	return end{head, jetstream.WithExpectLastSequence(sequence)}, err
}

// after resumes behind a message, if it is an event of this log. A stream that
// ends otherwise was filled from another log, or by a stranger: away with it.
func (r *Relay) after(ctx context.Context, last *jetstream.RawStreamMsg) (end, error) {
	m, err := decode(last.Header, last.Data)
	known := err == nil
	if known {
		known, err = r.recorded(ctx, m.Recorded)
		if err != nil {
			return end{}, err
		}
	}
	if known {
		return end{m.Position, jetstream.WithExpectLastMsgID(m.ID.String())}, nil
	}
	r.report.Warn("relay replaces a stream of another log")
	if err := r.bus.Wipe(ctx); err != nil {
		return end{}, err
	}
	return r.resume(ctx)
}

// recorded says whether the log holds this event at this place.
func (r *Relay) recorded(ctx context.Context, want event.Recorded) (bool, error) {
	for got, err := range r.log.Read(ctx, want.Stream, want.Revision) {
		return err == nil && got.ID == want.ID && got.Position == want.Position, err
	}
	return false, nil
}
