package kept_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"govahi/commands/kept"
	"govahi/commands/memlog"
	"govahi/domain/event"
)

// moved is the one event that changes anything here, noted the one that does not.
type (
	moved struct{ To int }
	noted struct{ What string }
)

var places = event.Kind[int]{
	Category: "place",
	Catalog:  event.NewCatalog(event.Of[moved]("place.moved.v1"), event.Of[noted]("place.noted.v1")),
	Evolve: func(s int, e event.Event) int {
		if m, ok := e.(moved); ok {
			return m.To
		}
		return s
	},
}

// counted is a log that counts how often streams are read, and may fail.
type counted struct {
	event.Log
	reads  atomic.Int64
	looks  atomic.Int64 // how often it was asked for what was written
	fails  atomic.Bool
	slow   atomic.Bool // what was written is never found
	paused atomic.Pointer[pause]
}

// pause is where a read waits with all that it has brought.
type pause struct{ reached, over chan struct{} }

var errAway = errors.New("the log is away")

func (l *counted) Read(ctx context.Context, stream event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	l.reads.Add(1)
	return func(yield func(event.Recorded, error) bool) {
		for r, err := range l.Log.Read(ctx, stream, from) {
			if !yield(r, err) {
				return
			}
		}
		if p := l.paused.Load(); p != nil {
			close(p.reached)
			<-p.over
		}
	}
}

func (l *counted) ReadAll(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Recorded, error] {
	l.looks.Add(1)
	if !l.slow.Load() {
		return l.Log.ReadAll(ctx, after, prefixes...)
	}
	return func(yield func(event.Recorded, error) bool) {
		<-ctx.Done()
		yield(event.Recorded{}, ctx.Err())
	}
}

func (l *counted) Head(ctx context.Context) (event.Position, error) {
	if l.fails.Load() {
		return 0, errAway
	}
	return l.Log.Head(ctx)
}

func write(t *testing.T, log event.Log, stream event.Stream, revision int, e event.Event) {
	t.Helper()
	meta := event.Meta{CommandID: fmt.Sprintf("%s/%d", stream, revision), Actor: "test", At: time.Now()}
	proposed, err := places.Encode(t.Context(), nil, stream, meta, []event.Event{e})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), stream, event.Expected(revision)-1, proposed...); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, s *kept.Streams, stream event.Stream, state int) {
	t.Helper()
	if err := s.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := kept.Of(t.Context(), s, places, stream); err != nil || got != state {
		t.Fatalf("%s is at %d, %v; it should be at %d", stream, got, err, state)
	}
}

// held is a stream whose state is known.
func held(t *testing.T) (*counted, *kept.Streams, event.Stream) {
	t.Helper()
	log := &counted{Log: memlog.New()}
	s, here := kept.New(log, "place."), places.Stream("here")
	write(t, log, here, 0, moved{1})
	want(t, s, here, 1)
	return log, s, here
}

func TestAStateIsReadAgainOnlyAfterItChanged(t *testing.T) {
	log := &counted{Log: memlog.New()}
	s := kept.New(log, "place.moved.")
	here, there := places.Stream("here"), places.Stream("there")
	write(t, log, here, 0, moved{1})
	write(t, log, there, 0, moved{7})
	for range 5 {
		want(t, s, here, 1)
		want(t, s, there, 7)
	}
	if n := log.reads.Load(); n != 2 {
		t.Errorf("two streams were read %d times", n)
	}
	write(t, log, here, 1, moved{2})
	write(t, log, there, 1, noted{"nothing that counts"})
	for range 5 {
		want(t, s, here, 2)
		want(t, s, there, 7)
	}
	if n := log.reads.Load(); n != 3 {
		t.Errorf("after one change the streams were read %d times in all", n)
	}
}

func TestOfAStreamThatIsNotThereYet(t *testing.T) {
	log := &counted{Log: memlog.New()}
	s := kept.New(log, "place.")
	want(t, s, places.Stream("here"), 0)
	write(t, log, places.Stream("here"), 0, moved{3})
	want(t, s, places.Stream("here"), 3)
}

// A read that began before a change and ended after the look that saw it holds
// what was before: it must not be kept.
func TestAReadThatAChangeOvertakesIsNotKept(t *testing.T) {
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprintf("before the first look %v", first), func(t *testing.T) {
			log := &counted{Log: memlog.New()}
			s := kept.New(log, "place.")
			here := places.Stream("here")
			write(t, log, here, 0, moved{1})
			if !first {
				want(t, s, places.Stream("elsewhere"), 0)
			}
			p, done := &pause{make(chan struct{}), make(chan struct{})}, make(chan int)
			log.paused.Store(p)
			go func() {
				state, _ := kept.Of(context.Background(), s, places, here)
				done <- state
			}()
			<-p.reached
			log.paused.Store(nil)
			write(t, log, here, 1, moved{2})
			if err := s.Fresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			close(p.over)
			if got := <-done; got != 1 {
				t.Fatalf("the read brought %d: the test shows nothing", got)
			}
			want(t, s, here, 2)
		})
	}
}

func TestALookThatFailsSaysSoAndLosesNothing(t *testing.T) {
	log, s, here := held(t)
	log.fails.Store(true)
	write(t, log, here, 1, moved{2})
	if err := s.Fresh(t.Context()); !errors.Is(err, errAway) {
		t.Fatalf("a look at a log that is away: %v", err)
	}
	log.fails.Store(false)
	want(t, s, here, 2)
}

// TestAfterAWhileNothingIsCaughtUpWith: the log may have grown by millions of
// events since, and a few streams are read anew sooner.
func TestAfterAWhileNothingIsCaughtUpWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, s, here := held(t)
		time.Sleep(59 * time.Second)
		want(t, s, here, 1)
		if looks, reads := log.looks.Load(), log.reads.Load(); looks != 1 || reads != 1 {
			t.Fatalf("within a minute: %d looks at what was written, %d streams read", looks, reads)
		}
		time.Sleep(61 * time.Second)
		write(t, log, here, 1, moved{2})
		want(t, s, here, 2)
		if looks, reads := log.looks.Load(), log.reads.Load(); looks != 1 || reads != 2 {
			t.Errorf("after more than a minute: %d looks at what was written, %d streams read", looks, reads)
		}
	})
}

// TestALookThatTakesTooLongIsNotTakenAgain: it would take too long for ever.
func TestALookThatTakesTooLongIsNotTakenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, s, here := held(t)
		log.slow.Store(true)
		if err := s.Fresh(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a look that does not end: %v", err)
		}
		want(t, s, here, 1)
		if looks := log.looks.Load(); looks != 1 {
			t.Errorf("%d looks at what was written", looks)
		}
	})
}

func TestWhoWaitsForALookMayLeave(t *testing.T) {
	s := kept.New(memlog.New())
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := s.Fresh(gone); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := s.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What was acknowledged before Fresh was called is seen after it, whoever writes,
// reads and looks meanwhile.
func TestWhatWasWrittenBeforeIsSeen(t *testing.T) {
	const streams, writes, readers = 5, 150, 8
	log := memlog.New()
	s := kept.New(log, "place.moved.")
	var written [streams]atomic.Int64
	var writing, reading sync.WaitGroup
	for k := range streams {
		writing.Go(func() {
			for n := range writes {
				write(t, log, places.Stream(strconv.Itoa(k)), n, moved{n + 1})
				written[k].Store(int64(n + 1))
				time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
			}
		})
	}
	over := make(chan struct{})
	for range readers {
		reading.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				k := rand.IntN(streams)
				known := written[k].Load()
				if err := s.Fresh(t.Context()); err != nil {
					t.Error(err)
					return
				}
				if got, err := kept.Of(t.Context(), s, places, places.Stream(strconv.Itoa(k))); err != nil || int64(got) < known {
					t.Errorf("stream %d: %d, %v; %d was acknowledged before", k, got, err, known)
					return
				}
			}
		})
	}
	writing.Wait()
	close(over)
	reading.Wait()
}
