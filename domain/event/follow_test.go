package event_test

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"govahi/domain/event"
)

// tape is a log that can only be read to its end; positions have holes in them.
type tape struct {
	event.Log
	events []event.Recorded
	fails  int // so many reads break after their first event
	reads  int
}

func (t *tape) append(kind string) event.Message {
	n := len(t.events)
	r := event.Recorded{
		Stream: "thing-1", Revision: uint64(n), Position: event.Position(10*n + 7),
		ID: event.DeriveID(strconv.Itoa(n)), Type: kind, Data: []byte(`{}`),
	}
	t.events = append(t.events, r)
	return event.Message{Recorded: r, Previous: t.previous(n), Ack: func() {}}
}

func (t *tape) previous(n int) event.Position {
	for i := n - 1; i >= 0; i-- {
		if t.events[i].Type[0] != '$' {
			return t.events[i].Position
		}
	}
	return 0
}

func (t *tape) ReadAll(_ context.Context, after event.Position, _ ...string) iter.Seq2[event.Recorded, error] {
	t.reads++
	return func(yield func(event.Recorded, error) bool) {
		for _, r := range t.events {
			if r.Position <= after {
				continue
			}
			if !yield(r, nil) {
				return
			}
			if t.fails > 0 {
				t.fails--
				yield(event.Recorded{}, errBroken)
				return
			}
		}
	}
}

var errBroken = errors.New("broken")

// ours is what Follow must yield: everything but the log's own events.
func (t *tape) ours(after event.Position) []event.Recorded {
	var all []event.Recorded
	for _, r := range t.events {
		if r.Position > after && r.Type[0] != '$' {
			all = append(all, r)
		}
	}
	return all
}

// feed answers each Fetch by the next function, and is quiet when none is left.
type feed struct {
	answers []func() ([]event.Message, error)
}

func (f *feed) Fetch(ctx context.Context, _ int) ([]event.Message, error) {
	if len(f.answers) == 0 {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		return nil, ctx.Err()
	}
	next := f.answers[0]
	f.answers = f.answers[1:]
	return next()
}

// collect follows until it has seen the log's last event, or for an hour.
func collect(log *tape, f event.Feed, after event.Position, max int) []event.Recorded {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	var seen []event.Recorded
	for ctx.Err() == nil {
		for batch, err := range event.Follow(ctx, log, f, after, max) {
			if err != nil {
				break
			}
			seen = append(seen, batch.Events...)
			after = batch.Upto
			batch.Ack()
			if q, ok := f.(*feed); ok && len(q.answers) == 0 && after >= last(log) {
				return seen
			}
		}
	}
	return seen
}

func last(log *tape) event.Position {
	ours := log.ours(0)
	if len(ours) == 0 {
		return 0
	}
	return ours[len(ours)-1].Position
}

func TestFollowYieldsTheLogWhateverTheFeedDoes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		log := &tape{fails: rapid.IntRange(0, 3).Draw(r, "broken reads")}
		all := log.fill(r, rapid.IntRange(0, 20).Draw(r, "before"))
		f := &feed{}
		for range rapid.IntRange(0, 12).Draw(r, "fetches") {
			f.answers = append(f.answers, hostile(r, log, &all))
		}
		f.answers = append(f.answers, func() ([]event.Message, error) { log.append("thing.happened.v1"); return nil, nil })
		start := event.Position(rapid.IntRange(0, 250).Draw(r, "after"))
		max := rapid.IntRange(1, 7).Draw(r, "max")
		var got []event.Recorded
		synctest.Test(t, func(*testing.T) { got = collect(log, f, start, max) })
		if diff := cmp.Diff(log.ours(start), got); diff != "" {
			r.Fatalf("followed another story than the log's (-log +followed):\n%s", diff)
		}
	})
}

func (t *tape) fill(r *rapid.T, n int) []event.Message {
	var all []event.Message
	for range n {
		kind := rapid.SampledFrom([]string{"thing.happened.v1", "thing.happened.v1", "$metadata"}).Draw(r, "type")
		all = append(all, t.append(kind))
	}
	return all
}

// hostile is a fetch during which the log grows, and which brings any messages
// of the past in any order, some without data, or fails.
func hostile(t *rapid.T, log *tape, all *[]event.Message) func() ([]event.Message, error) {
	grows := rapid.IntRange(0, 6).Draw(t, "grows")
	picks := rapid.SliceOfN(rapid.IntRange(0, 1000), 0, 8).Draw(t, "picks")
	bare := rapid.IntRange(0, 10).Draw(t, "bare")
	fails := rapid.IntRange(0, 4).Draw(t, "fails") == 0
	return func() ([]event.Message, error) {
		for range grows {
			*all = append(*all, log.append("thing.happened.v1"))
		}
		var messages []event.Message
		for i, pick := range picks {
			if len(*all) == 0 {
				continue
			}
			m := (*all)[len(*all)-1-pick%len(*all)]
			if i == bare {
				m.Data = nil
			}
			messages = append(messages, m)
		}
		if fails {
			return messages, errBroken
		}
		return messages, nil
	}
}

func TestFollowTakesAnUnbrokenFeedWithoutReadingTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, f := &tape{}, &feed{}
		for range 10 {
			f.answers = append(f.answers, func() ([]event.Message, error) {
				return []event.Message{log.append("thing.happened.v1"), log.append("thing.happened.v1")}, nil
			})
		}
		log.append("thing.happened.v1")
		got := collect(log, f, 0, 100)
		if diff := cmp.Diff(log.ours(0), got); diff != "" {
			t.Fatal(diff)
		}
		if log.reads != 1 {
			t.Errorf("the log was read %d times, not only to catch up", log.reads)
		}
	})
}

func TestFollowWithADeadFeedOnlySlows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, reported, begun, appended := &tape{}, 0, time.Now(), time.Time{}
		dead := event.Reporting(deadFeed(func() {
			if appended.IsZero() && time.Since(begun) > time.Minute {
				log.append("thing.happened.v1")
				appended = time.Now()
			}
		}), func(error) { reported++ })
		for range event.Follow(t.Context(), log, dead, 0, 10) {
			break
		}
		if late := time.Since(appended); late > time.Second || len(log.events) != 1 {
			t.Errorf("a dead feed delayed an event by %s", late)
		}
		if reported < 10 || log.reads > 60*5 {
			t.Errorf("%d errors reported, %d reads in a minute", reported, log.reads)
		}
	})
}

// deadFeed only fails; meanwhile something else may happen.
type deadFeed func()

func (f deadFeed) Fetch(context.Context, int) ([]event.Message, error) {
	f()
	return nil, errBroken
}

func TestFollowAcknowledgesWhatIsStoredAndWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, f, acked := &tape{}, &feed{}, []event.Position{}
		note := func(m event.Message) event.Message {
			m.Ack = func() { acked = append(acked, m.Position) }
			return m
		}
		old := note(log.append("thing.happened.v1"))
		f.answers = append(f.answers, func() ([]event.Message, error) {
			taken := note(log.append("thing.happened.v1"))
			log.append("thing.happened.v1") // never fed
			return []event.Message{note(log.append("thing.happened.v1")), taken, old}, nil
		})
		f.answers = append(f.answers, func() ([]event.Message, error) { log.append("thing.happened.v1"); return nil, nil })
		collect(log, f, 0, 10)
		if diff := cmp.Diff([]event.Position{7, 17, 37}, acked); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFollowYieldsTheLogsErrorAndEnds(t *testing.T) {
	log := &tape{fails: 1}
	log.append("thing.happened.v1")
	var errs []error
	for _, err := range event.Follow(t.Context(), log, &feed{}, 0, 10) {
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], errBroken) {
		t.Errorf("yielded %v", errs)
	}
}
