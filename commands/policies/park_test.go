package policies

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/projection"
)

// order is what a witness saw of a stream, as revisions.
func (w *witness) order(s event.Stream) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var seen []string
	for _, one := range w.seen {
		if stream, revision, _ := strings.Cut(one, "@"); stream == string(s) {
			seen = append(seen, revision)
		}
	}
	return strings.Join(seen, " ")
}

func (k *kept) alter(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
}

// panicking panics at one revision until it is mended.
type panicking struct {
	at     uint64
	mended atomic.Bool
}

func (p *panicking) do(r event.Recorded) error {
	if r.Stream == "person-p1" && r.Revision == p.at && !p.mended.Load() {
		panic("broken")
	}
	return nil
}

// TestWhatIsParkedIsNotLostWithTheViews: they may be dropped at any time, also
// under a runner that has gone further.
func TestWhatIsParkedIsNotLostWithTheViews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, k, broken := newHouse(t), memory(), &panicking{at: 1}
		w := &witness{do: broken.do}
		r, stop := h.running(k, w.policy())
		defer stop()
		synctest.Wait()
		for range 3 {
			h.happens("p1")
		}
		passes(time.Minute)
		if r.Parked() != 1 {
			t.Errorf("%d streams are parked", r.Parked())
		}
		k.alter(func() { clear(k.at); k.parked = nil })
		h.happens("p2")
		passes(time.Minute)
		if parked, _ := k.count(); parked != 2 || w.saw("person-p2@0") == 0 {
			t.Fatalf("%d events are parked, and %q were seen", parked, w.seen)
		}
		broken.mended.Store(true)
		k.asks("person-p1")
		passes(time.Minute)
		if w.saw("person-p1@1") != 1 || w.saw("person-p1@2") != 1 {
			t.Errorf("%q were seen", w.seen)
		}
	})
}

// slow reads what is parked, and tells of it late.
type slow struct {
	*kept
	on                 atomic.Bool
	once               sync.Once
	read, tell, parked chan struct{}
}

func (s *slow) Parked(ctx context.Context, name string) (parked, asked map[event.Stream]bool, err error) {
	parked, asked, err = s.kept.Parked(ctx, name)
	if s.on.Load() {
		s.once.Do(func() {
			close(s.read)
			<-s.tell
		})
	}
	return parked, asked, err
}

func (s *slow) Park(ctx context.Context, name string, r event.Recorded, cause error) error {
	defer close(s.parked)
	return s.kept.Park(ctx, name, r, cause)
}

// TestWhoLearnsLateWhatIsParkedForgetsNothing that was parked meanwhile: the next
// event of the stream would be taken before it.
func TestWhoLearnsLateWhatIsParkedForgetsNothing(t *testing.T) {
	h, met := newHouse(t), make(chan struct{}, 1)
	s := &slow{kept: memory(), read: make(chan struct{}), tell: make(chan struct{}), parked: make(chan struct{})}
	w := &witness{do: func(r event.Recorded) error {
		if r.Revision == 0 {
			met <- struct{}{}
			panic("broken")
		}
		return nil
	}}
	_, stop := h.running(s, w.policy())
	defer stop()
	for known := false; !known; pause(t.Context(), time.Millisecond) {
		s.kept.alter(func() { _, known = s.at["test"] })
	}
	s.on.Store(true)
	<-s.read
	h.happens("p1")
	<-met
	select {
	case <-s.parked: // before what is older is told
	case <-time.After(50 * time.Millisecond):
	}
	close(s.tell)
	<-s.parked
	h.happens("p1")
	for parked := 0; parked < 2 && w.order("person-p1") == ""; parked, _ = s.count() {
		pause(t.Context(), time.Millisecond)
	}
	if seen := w.order("person-p1"); seen != "" {
		t.Errorf("taken before what is parked: %s", seen)
	}
}

// TestWhatHappensDuringARetryComesAfterIt, and is not left behind.
func TestWhatHappensDuringARetryComesAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, k, broken := newHouse(t), memory(), &panicking{at: 0}
		w := &witness{do: func(r event.Recorded) error {
			time.Sleep(5 * time.Second)
			return broken.do(r)
		}}
		_, stop := h.running(k, w.policy())
		defer stop()
		synctest.Wait()
		h.happens("p1")
		h.happens("p1")
		passes(time.Minute)
		broken.mended.Store(true)
		k.asks("person-p1")
		time.Sleep(3 * time.Second) // it is at it
		h.happens("p1")
		h.happens("p1")
		passes(time.Minute)
		if parked, _ := k.count(); parked != 0 || w.order("person-p1") != "0 1 2 3" {
			t.Errorf("%d events are parked, and %q were seen", parked, w.seen)
		}
	})
}

// TestASkippedEventIsLeftOutForGood, also when the views are lost and the policy
// could take it by now, and when it was skipped before it was met.
func TestASkippedEventIsLeftOutForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, k, broken := newHouse(t), memory(), &panicking{at: 1}
		w := &witness{do: broken.do}
		_, stop := h.running(k, w.policy())
		synctest.Wait()
		for range 3 {
			h.happens("p1")
		}
		passes(time.Minute)
		h.skips("person-p1", 1)
		h.skips("person-p2", 0)
		k.asks("person-p1")
		passes(time.Minute)
		h.happens("p2")
		h.happens("p2")
		passes(time.Minute)
		if w.order("person-p1") != "0 2" || w.order("person-p2") != "1" {
			t.Errorf("%q were seen", w.seen)
		}
		stop()
		broken.mended.Store(true)
		w = &witness{do: broken.do}
		_, stop = h.running(memory(), w.policy())
		defer stop()
		passes(time.Minute)
		if w.order("person-p1") != "0 2" || w.order("person-p2") != "1" {
			t.Errorf("with the views lost, %q were seen", w.seen)
		}
	})
}

// skips is an operator who leaves an event out.
func (h *house) skips(s event.Stream, revision uint64) {
	h.Helper()
	if err := h.SkipEvent(h.Context(), "policy:test", s, revision, "a test", "operator"); err != nil {
		h.Fatal(err)
	}
}

// TestWhatNobodyCanReadInAnotherStreamHoldsNothingUp: the policy must read that
// one too, and will never be able to.
func TestWhatNobodyCanReadInAnotherStreamHoldsNothingUp(t *testing.T) {
	for name, err := range map[string]error{
		"unlisted":    fmt.Errorf("read: %w", event.ErrUnlisted),
		"undecodable": fmt.Errorf("read: %w", event.ErrUndecodable),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, k := newHouse(t), memory()
				w := &witness{do: func(r event.Recorded) error {
					if r.Stream == "person-p1" {
						return err
					}
					return nil
				}}
				r, stop := h.running(k, w.policy())
				defer stop()
				synctest.Wait()
				h.happens("p1")
				h.happens("p2")
				passes(time.Minute)
				h.happens("p2")
				passes(time.Minute)
				if parked, _ := k.count(); parked != 1 || w.order("person-p2") != "0 1" {
					t.Errorf("%d events are parked, and %q were seen", parked, w.seen)
				}
				if at, err := r.Status(); at != h.head() || err != nil {
					t.Errorf("the runner stands at %d of %d, %v", at, h.head(), err)
				}
			})
		})
	}
}

// TestAPanicIsNamed to the operator, without what was said in it.
func TestAPanicIsNamed(t *testing.T) {
	p := Policy{"panics", projection.Kind.Catalog, func(context.Context, Happened) error { panic("0912") }}
	err := p.handle(t.Context(), nil, happening{})
	if f, ok := fault.Of(err); !ok || f.Error() != "policy-panicked" {
		t.Error(err)
	}
	if strings.Contains(err.Error(), "0912") {
		t.Error(err)
	}
}
