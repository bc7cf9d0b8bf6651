package event

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"
)

// Feed is a fast but forgetful way to learn of new events, such as a JetStream
// consumer: it may repeat, reorder, lose, or be wiped. The log heals it.
type Feed interface {
	// Fetch waits a moment for at most max messages; none is a quiet feed.
	Fetch(ctx context.Context, max int) ([]Message, error)
}

// Message is an event as a feed brings it. Without data it is only word that
// the event exists, for one that is too large for the feed.
type Message struct {
	Recorded
	Previous Position // the event before it in the log, by which gaps show
	Ack      func()   // tells the feed that the effect is stored
}

// Batch is a stretch of the log: in order, whole, and never seen before.
type Batch struct {
	Events []Recorded
	Upto   Position // where the consumer stands once it stored the batch
	Ack    func()   // to be called once the batch is stored
}

// lookEvery bounds how often, and so how late, Follow looks into the log itself
// while its feed brings nothing.
const lookEvery = 250 * time.Millisecond

// Follow yields the log after a position, in batches of about max events, and
// goes on until the context ends. The feed makes it quick; the log alone decides
// what is yielded: no event is lost, repeated or out of order, whatever the feed
// does, and a dead feed only slows. A consumer must have stored a batch before
// it asks for the next one. An error of the log is yielded and ends it: the
// consumer begins anew from its checkpoint. Errors of the feed are not fatal;
// wrap the feed with Reporting to learn of them.
func Follow(ctx context.Context, log Log, feed Feed, after Position, max int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		f := follower{log: log, feed: feed, at: after, max: max, look: tick.C, yield: yield}
		for more := f.catchUp(ctx); more && ctx.Err() == nil; {
			more = f.round(ctx)
		}
	}
}

// ReadBatch reads at most max events after a position, in the log's order.
func ReadBatch(ctx context.Context, log Log, after Position, max int) ([]Recorded, error) {
	var events []Recorded
	for r, err := range log.ReadAll(ctx, after) {
		if err != nil {
			return nil, err
		}
		if ours(r) {
			events = append(events, r)
		}
		if len(events) == max {
			break
		}
	}
	return events, nil
}

// Reporting passes a feed's errors on to report as they happen.
func Reporting(feed Feed, report func(error)) Feed { return reporting{feed, report} }

type reporting struct {
	Feed
	report func(error)
}

// Fetch is the feed's own, with its error reported.
func (r reporting) Fetch(ctx context.Context, max int) ([]Message, error) {
	messages, err := r.Feed.Fetch(ctx, max)
	if err != nil && ctx.Err() == nil {
		r.report(err)
	}
	return messages, err
}

// follower is Follow's walk: at is the last event that was yielded.
type follower struct {
	log   Log
	feed  Feed
	at    Position
	max   int
	look  <-chan time.Time
	yield func(Batch, error) bool
}

// catchUp yields what the log holds, to its present end.
func (f *follower) catchUp(ctx context.Context) bool {
	for {
		events, err := ReadBatch(ctx, f.log, f.at, f.max)
		switch {
		case ctx.Err() != nil:
			return false
		case err != nil:
			f.yield(Batch{}, err)
			return false
		case !f.give(events, func() {}):
			return false
		case len(events) < f.max:
			return true
		}
	}
}

// round fetches once. A feed that brought nothing new, be it quiet, broken or
// repeating itself, is checked against the log.
func (f *follower) round(ctx context.Context) bool {
	before := f.at
	messages, err := f.feed.Fetch(ctx, f.max)
	if !f.take(ctx, messages) {
		return false
	}
	if f.at > before {
		return true
	}
	if err != nil || len(messages) == 0 {
		select {
		case <-f.look:
			return f.catchUp(ctx)
		case <-ctx.Done():
			return false
		}
	}
	select {
	case <-f.look:
		return f.catchUp(ctx)
	default:
		return true
	}
}

// take yields the messages that continue what was yielded, in one batch. At a
// gap the log takes over, which leaves the rest of the messages nothing to say.
func (f *follower) take(ctx context.Context, messages []Message) bool {
	slices.SortStableFunc(messages, func(a, b Message) int { return cmp.Compare(a.Position, b.Position) })
	var run []Message
	at := f.at
	for _, m := range messages {
		switch {
		case m.Position <= at || !ours(m.Recorded):
			m.Ack()
		case m.Previous > at || len(m.Data) == 0:
			if !f.giveMessages(run) || !f.catchUp(ctx) {
				return false
			}
			m.Ack()
			run, at = nil, f.at
		default:
			run, at = append(run, m), m.Position
		}
	}
	return f.giveMessages(run)
}

func (f *follower) giveMessages(run []Message) bool {
	if len(run) == 0 {
		return true
	}
	events := make([]Recorded, len(run))
	for i, m := range run {
		events[i] = m.Recorded
	}
	return f.give(events, func() {
		for _, m := range run {
			m.Ack()
		}
	})
}

func (f *follower) give(events []Recorded, ack func()) bool {
	if len(events) == 0 {
		return true
	}
	f.at = events[len(events)-1].Position
	return f.yield(Batch{Events: events, Upto: f.at, Ack: ack}, nil)
}

// ours tells our events from the log's own, whose type starts with a dollar.
func ours(r Recorded) bool { return !strings.HasPrefix(r.Type, "$") }
