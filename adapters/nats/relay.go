package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"govahi/domain/event"
)

// Relay copies the log to the stream, one message an event, in the log's order.
//
// The stream itself fences it: each publication expects the sequence of the
// message before it to be the stream's last, so that of any number of relays none
// can skip, repeat or reorder. What refuses or fails ends the run; the next one
// resumes from what the stream then holds (event-log §3.1). It is the sequence and
// not the message's ID that is expected, because a cluster looks at the sequence
// before it stores and at the ID while it stores: there a refusal halts the
// stream on every server for good (NATS 2.15).
type Relay struct {
	bus      *Bus
	log      event.Log
	report   *slog.Logger
	position atomic.Uint64

	mu      sync.Mutex
	trouble error     // since when nothing could be confirmed
	told    time.Time // when trouble was last reported
}

// NewRelay makes a relay; Run starts it.
func NewRelay(bus *Bus, log event.Log, report *slog.Logger) *Relay {
	return &Relay{bus: bus, log: log, report: report}
}

const (
	resumeAfter = 200 * time.Millisecond // how long the relay rests when a run ended
	// A stream that could once not be written, as on a full disk, may take nothing
	// any more and say nothing (NATS 2.15). After so many runs in a row that found
	// it broken it is made anew.
	givenUp = 2

	tellEvery = 10 * time.Second // how often trouble is reported at most
)

// Run relays until the context ends, which is the only way to end it.
func (r *Relay) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; {
		before := r.Position()
		err := r.run(ctx)
		if ctx.Err() != nil {
			break
		}
		r.fails(err)
		if r.Position() > before || !broken(err) {
			failures = 0
		} else if failures++; failures%givenUp == 0 {
			_ = r.bus.Wipe(ctx) // if this fails too, the next time may do
		}
		select {
		case <-ctx.Done():
		case <-time.After(resumeAfter):
		}
	}
	return ctx.Err()
}

// broken says that the stream did not answer publications, or that the server
// itself fails at it: one that is asked for the stream while it deletes it may
// keep a stream whose files are gone (NATS 2.15).
func broken(err error) bool {
	var refused *jetstream.APIError
	return errors.Is(err, jetstream.ErrAsyncPublishTimeout) || errors.Is(err, jetstream.ErrTooManyStalledMsgs) ||
		errors.As(err, &refused) && refused.Code == http.StatusInternalServerError
}

// Status is the last event known to stand in the stream, and why no other
// follows, for health.
func (r *Relay) Status() (event.Position, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Position(), r.trouble
}

// fails notes a trouble; it may come again and again.
func (r *Relay) fails(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.told) > tellEvery {
		r.report.Warn("relay resumes", "position", r.Position(), "error", err)
		r.told = time.Now()
	}
	r.trouble = err
}

// stands notes that the stream holds the log up to here.
func (r *Relay) stands(at event.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = nil
	r.position.Store(uint64(at))
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
	rest, err := event.ReadBatch(ctx, r.log, from.position, 1)
	if err != nil {
		return err
	}
	if r.position.Store(uint64(from.position)); len(rest) == 0 {
		r.stands(from.position)
	}
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

// outgoing is an event's message, ready to be published.
type outgoing struct {
	position event.Position
	message  *natsgo.Msg
}

// readAhead is how many messages are made before they can be published.
const readAhead = 256

// publish sends each event after the end, fenced by the one before it. The log is
// read, and messages are made, beside it.
func (r *Relay) publish(ctx context.Context, last end, way chan<- sent) error {
	ctx, stop := context.WithCancel(ctx)
	made, failed := make(chan outgoing, readAhead), make(chan error, 1)
	go func() {
		defer close(made)
		failed <- r.read(ctx, last.position, made)
	}()
	err := r.send(ctx, last.sequence, made, way)
	stop()
	for range made { // until the reading has ended, too
	}
	return cmp.Or(err, <-failed)
}

func (r *Relay) read(ctx context.Context, last event.Position, made chan<- outgoing) error {
	most := r.bus.conn.MaxPayload() // once: it waits for who publishes
	live := false
	for delivery, err := range r.log.Subscribe(ctx, last) {
		if err != nil {
			return err
		}
		e := delivery.Event
		live = live || delivery.CaughtUp
		if e == nil || e.Position <= last || strings.HasPrefix(e.Type, "$") {
			continue
		}
		if live { // who is behind reads the log
			r.bus.tap.offer(*e, last)
		}
		select {
		case made <- outgoing{e.Position, encode(*e, last, most)}:
		case <-ctx.Done():
			return ctx.Err()
		}
		last = e.Position
	}
	return errors.New("nats: the log's subscription ended")
}

func (r *Relay) send(ctx context.Context, sequence uint64, made <-chan outgoing, way chan<- sent) error {
	for o := range made {
		ack, err := r.bus.js.PublishMsgAsync(o.message, jetstream.WithExpectLastSequence(sequence), jetstream.WithStallWait(stallWait))
		if err != nil {
			return err
		}
		select {
		case way <- sent{o.position, ack}:
		case <-ctx.Done():
			return ctx.Err()
		}
		sequence++
	}
	return nil
}

// confirm waits for the answers in the order of publication and returns the
// first refusal: by the fence, all that follow are refused too.
func (r *Relay) confirm(ctx context.Context, way <-chan sent) error {
	for s := range way {
		select {
		case <-s.ack.Ok():
			r.stands(s.position)
		case err := <-s.ack.Err():
			return fmt.Errorf("nats: publication of event at %d: %w", s.position, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// end is where the stream ends: the position of its last event, and its last
// sequence, which the next publication expects.
type end struct {
	position event.Position
	sequence uint64
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

// fromHead begins where there is no last message. A purged stream keeps its last
// sequence.
func (r *Relay) fromHead(ctx context.Context, sequence uint64) (end, error) {
	head, err := r.log.Head(ctx)
	return end{head, sequence}, err
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
		return end{m.Position, last.Sequence}, nil
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
