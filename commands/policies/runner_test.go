package policies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/person"
)

// kept are checkpoints in memory, and what is parked, of one runner.
type kept struct {
	mu     sync.Mutex
	at     map[string]event.Position
	parked []event.Recorded
	asked  map[event.Position]bool
	failed int // tries that an operator asked for, and that failed again
}

func (k *kept) Load(_ context.Context, name string) (event.Position, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at[name] += 0
	return k.at[name], nil
}

func (k *kept) Save(_ context.Context, name string, last event.Recorded) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, known := k.at[name]; !known {
		return false, nil
	}
	k.at[name] = last.Position
	return true, nil
}

func (k *kept) Parked(context.Context, string) (parked, asked map[event.Stream]bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	parked, asked = map[event.Stream]bool{}, map[event.Stream]bool{}
	for _, r := range k.parked {
		parked[r.Stream] = true
		if k.asked[r.Position] {
			asked[r.Stream] = true
		}
	}
	return parked, asked, nil
}

func (k *kept) Park(_ context.Context, _ string, r event.Recorded, _ error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.parked = append(k.parked, r)
	return nil
}

func (k *kept) ParkBehind(_ context.Context, _ string, r event.Recorded) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	behind := slices.ContainsFunc(k.parked, func(p event.Recorded) bool { return p.Stream == r.Stream })
	if behind {
		k.parked = append(k.parked, r)
	}
	return behind, nil
}

func (k *kept) Waiting(_ context.Context, _ string, s event.Stream) (of []event.Recorded, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.parked {
		if r.Stream == s {
			of = append(of, r)
		}
	}
	return of, nil
}

func (k *kept) Taken(_ context.Context, _ string, r event.Recorded, failed error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if failed != nil {
		k.failed++
		clear(k.asked)
		return nil
	}
	k.parked = slices.DeleteFunc(k.parked, func(p event.Recorded) bool { return p.Position == r.Position })
	return nil
}

// asks is the operator's wish to try a stream again.
func (k *kept) asks(s event.Stream) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = map[event.Position]bool{}
	for _, r := range k.parked {
		k.asked[r.Position] = r.Stream == s
	}
}

func (k *kept) count() (parked, failed int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.parked), k.failed
}

// witness is a policy that remembers what it saw, and behaves as the test says.
type witness struct {
	mu   sync.Mutex
	seen []string // stream@revision, when done
	now  int      // under way
	most int
	do   func(r event.Recorded) error
}

func (w *witness) policy() Policy {
	return Policy{"witness-on-anything", person.Catalog, func(_ context.Context, h Happened) error {
		w.enter(1)
		defer w.enter(-1)
		if w.do != nil {
			if err := w.do(h.Recorded); err != nil {
				return err
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seen = append(w.seen, fmt.Sprintf("%s@%d", h.Stream, h.Revision))
		return nil
	}}
}

func (w *witness) enter(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now += n
	w.most = max(w.most, w.now)
}

func (w *witness) saw(s string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, seen := range w.seen {
		if seen == s {
			n++
		}
	}
	return n
}

// happens appends an event to a person's stream.
func (h *house) happens(id string) event.Recorded {
	return given(h, person.Kind, id, person.Erased{Subject: event.Subject(id), At: noon})
}

// running starts a runner; the returned function stops it.
func (h *house) running(c Checkpoints, list ...Policy) (*Runner, func()) {
	r := &Runner{Name: "test", App: h.App, Feed: silent{}, Checkpoints: c, Policies: list, Report: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = r.Run(ctx) }()
	return r, func() { cancel(); <-ended }
}

// passes lets time pass, and everything that is due then be done.
func passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func memory() *kept { return &kept{at: map[string]event.Position{}} }

func TestARunnerKeepsEachStreamsOrderAndLetsStreamsGoAbreast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		w := &witness{do: func(r event.Recorded) error { time.Sleep(time.Duration(7-r.Revision) * time.Millisecond); return nil }}
		_, stop := h.running(memory(), w.policy())
		defer stop()
		synctest.Wait()
		for range 5 {
			for s := range 20 {
				h.happens(fmt.Sprint("p", s))
			}
		}
		passes(time.Minute)
		next := map[string]int{}
		for _, seen := range w.seen {
			var s, revision int
			if _, err := fmt.Sscanf(seen, "person-p%d@%d", &s, &revision); err != nil {
				t.Fatal(err)
			}
			stream := fmt.Sprint(s)
			if next[stream] != revision {
				t.Errorf("%s came when %d was expected", seen, next[stream])
			}
			next[stream]++
		}
		if len(w.seen) != 100 || w.most < 2 || w.most > Parallel {
			t.Errorf("saw %d events, at most %d at once", len(w.seen), w.most)
		}
	})
}

func TestAPolicyDoesNotReactToHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, w := newHouse(t), &witness{}
		h.happens("old")
		_, stop := h.running(memory(), w.policy())
		passes(time.Second)
		h.happens("new")
		passes(time.Second)
		stop()
		if w.saw("person-old@0") != 0 || w.saw("person-new@0") != 1 {
			t.Errorf("saw %v", w.seen)
		}
		late := &witness{} // comes to the house with the second start
		p := late.policy()
		p.Name = "late-on-anything"
		h.happens("between")
		_, stop = h.running(memory(), w.policy(), p)
		defer stop()
		passes(time.Second)
		h.happens("newest")
		passes(time.Second)
		if late.saw("person-new@0")+late.saw("person-between@0") != 0 || late.saw("person-newest@0") != 1 {
			t.Errorf("the late one saw %v", late.seen)
		}
		if w.saw("person-old@0") != 0 || w.saw("person-between@0") != 1 {
			t.Errorf("the first saw %v", w.seen)
		}
	})
}

func TestACheckpointSparesRepetition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, w, c := newHouse(t), &witness{}, memory()
		_, stop := h.running(c, w.policy())
		passes(time.Second)
		h.happens("a")
		passes(time.Second)
		stop()
		h.happens("b")
		_, stop = h.running(c, w.policy())
		defer stop()
		passes(time.Second)
		if w.saw("person-a@0") != 1 || w.saw("person-b@0") != 1 {
			t.Errorf("saw %v", w.seen)
		}
	})
}

func TestALostCheckpointRepeatsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		_, stop := h.running(memory(), OfRecord()...)
		passes(time.Second)
		given(h, enrollment.Kind, code, formed()...)
		passes(time.Minute)
		stop()
		before := h.head()
		if got := h.since(0); got == "" || len(h.read(request)) != 3 {
			t.Fatalf("the log holds %s", got)
		}
		r, stop := h.running(memory(), OfRecord()...)
		defer stop()
		passes(time.Minute)
		if at, err := r.Status(); at != before || err != nil {
			t.Errorf("the runner stands at %d of %d, %v", at, before, err)
		}
		if h.head() != before {
			t.Errorf("there followed %q", h.since(before))
		}
	})
}

func TestARefusalForGoodBlocksNothing(t *testing.T) {
	for name, kind := range map[string]fault.Kind{
		"conflict": fault.Conflict, "not found": fault.NotFound, "invalid": fault.Invalid, "forbidden": fault.Forbidden, "erased": fault.Erased,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				asked := 0
				w := &witness{do: func(r event.Recorded) error {
					if r.Revision == 0 {
						asked++
						return fault.New(kind, "no", "", "")
					}
					return nil
				}}
				r, stop := h.running(memory(), w.policy())
				defer stop()
				passes(time.Second)
				h.happens("a")
				h.happens("a")
				passes(time.Minute)
				if asked != 1 || w.saw("person-a@1") != 1 {
					t.Errorf("asked %d times, saw %v", asked, w.seen)
				}
				if at, err := r.Status(); at != h.head() || err != nil {
					t.Errorf("the runner stands at %d of %d, %v", at, h.head(), err)
				}
			})
		})
	}
}

func TestTroubleIsWaitedFor(t *testing.T) {
	for name, trouble := range map[string]error{
		"unavailable": fault.New(fault.Unavailable, "down", "", ""), "internal": fault.New(fault.Internal, "broken", "", ""),
		"no fault at all": errors.New("cut"), "busy": commands.ErrBusy, "the log": errors.Join(commands.ErrLogUnavailable, errors.New("cut")),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				var tried []time.Time
				w := &witness{do: func(r event.Recorded) error {
					if r.Revision == 0 && r.Stream == "person-a" {
						if tried = append(tried, time.Now()); len(tried) < 12 {
							return trouble
						}
					}
					return nil
				}}
				r, stop := h.running(memory(), w.policy())
				defer stop()
				passes(time.Second)
				h.happens("a")
				h.happens("a")
				h.happens("b")
				passes(3 * time.Second)
				if _, err := r.Status(); err == nil {
					t.Error("the runner waits and looks well")
				}
				if w.saw("person-a@1") != 0 || w.saw("person-b@0") != 1 {
					t.Errorf("while it waits it saw %v", w.seen)
				}
				passes(time.Minute)
				if w.saw("person-a@0") != 1 || w.saw("person-a@1") != 1 || len(tried) != 12 {
					t.Errorf("after %d tries it saw %v", len(tried), w.seen)
				}
				if at, err := r.Status(); at != h.head() || err != nil {
					t.Errorf("the runner stands at %d of %d, %v", at, h.head(), err)
				}
				growing(t, tried)
			})
		})
	}
}

// growing expects pauses that grow, but to no more than 5 s.
func growing(t *testing.T, tried []time.Time) {
	t.Helper()
	var last time.Duration
	for i := 1; i < len(tried); i++ {
		pause := tried[i].Sub(tried[i-1])
		if pause < last || pause > 5*time.Second || pause == 0 {
			t.Errorf("after a pause of %v one of %v", last, pause)
		}
		last = pause
	}
}

func TestARunnerThatWaitsEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		w := &witness{do: func(event.Recorded) error { return errors.New("cut") }}
		c := memory()
		_, stop := h.running(c, w.policy())
		passes(time.Second)
		happened := h.happens("a")
		passes(time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %v", took)
		}
		if at := c.at["test"]; at >= happened.Position {
			t.Error("what was not done is behind the checkpoint")
		}
	})
}

func TestWorkIsDoneAbreastAndNothingHoldsTheRestUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		todo, under, most := map[string]bool{}, 0, 0
		for i := range 30 {
			todo[fmt.Sprint(i)] = true
		}
		asked := 0
		w := Worker{Name: "work", Clock: func() time.Time { return noon }, Report: slog.New(slog.DiscardHandler)}
		w.Due = func(_ context.Context, now time.Time, limit int) (ids []string, err error) {
			mu.Lock()
			defer mu.Unlock()
			if asked++; asked == 1 {
				return nil, errors.New("the views are down")
			}
			for id := range todo {
				if len(ids) < limit {
					ids = append(ids, id)
				}
			}
			return ids, nil
		}
		w.Do = func(_ context.Context, c commands.Caller, id string) error {
			mu.Lock()
			under++
			most = max(most, under)
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			under--
			if id == "7" || c.Policy != "work" {
				return errors.New("not now")
			}
			delete(todo, id)
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		passes(5 * time.Second)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		if len(todo) != 1 || !todo["7"] || most < 2 || most > abreast {
			t.Errorf("left are %v, at most %d at once", todo, most)
		}
	})
}

// broken appends an event that nobody can read.
func (h *house) broken(id string, revision event.Expected) {
	h.Helper()
	_, err := h.Log.Append(h.Context(), person.Kind.Stream(id), revision, event.Proposed{
		ID: event.DeriveID("broken", id), Type: "person.erased.v9", Data: []byte(`{}`), Meta: []byte(`{}`),
	})
	if err != nil {
		h.Fatal(err)
	}
}

func TestAnEventThatCannotBeReadHoldsUpItsStreamAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, w, k := newHouse(t), &witness{}, memory()
		_, stop := h.running(k, w.policy())
		defer func() { stop() }()
		synctest.Wait()
		h.happens("p1")
		h.broken("p1", 0)
		h.happens("p1")
		h.happens("p2")
		passes(time.Minute)
		if parked, _ := k.count(); parked != 2 || w.saw("person-p1@0") != 1 || w.saw("person-p1@2") != 0 || w.saw("person-p2@0") != 1 {
			t.Errorf("%d events are parked, and %q were seen", parked, w.seen)
		}
		stop()
		_, stop = h.running(k, w.policy()) // after a restart it is as it was
		h.happens("p1")
		passes(time.Minute)
		if parked, _ := k.count(); parked != 3 || w.saw("person-p1@3") != 0 {
			t.Errorf("after a restart %d events are parked", parked)
		}
		k.asks("person-p1")
		passes(time.Minute)
		if parked, failed := k.count(); parked != 3 || failed != 1 {
			t.Errorf("tried again %d times, and %d events are parked", failed, parked)
		}
		h.skips("person-p1", 1)
		k.asks("person-p1")
		passes(time.Minute)
		h.happens("p1")
		passes(time.Minute)
		if parked, _ := k.count(); parked != 0 || w.saw("person-p1@2") != 1 || w.saw("person-p1@3") != 1 || w.saw("person-p1@4") != 1 {
			t.Errorf("after it was skipped %d events are parked, and %q were seen", parked, w.seen)
		}
	})
}

func TestAPolicyThatPanicsHoldsUpItsStreamAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mended := false
		h, k := newHouse(t), memory()
		w := &witness{do: func(r event.Recorded) error {
			if !mended && r.Stream == "person-p1" {
				panic("broken")
			}
			return nil
		}}
		_, stop := h.running(k, w.policy())
		defer stop()
		synctest.Wait()
		h.happens("p1")
		h.happens("p1")
		h.happens("p2")
		passes(time.Minute)
		if parked, _ := k.count(); parked != 2 || w.saw("person-p2@0") != 1 {
			t.Errorf("%d events are parked, and %q were seen", parked, w.seen)
		}
		mended = true
		k.asks("person-p1")
		passes(time.Minute)
		if parked, _ := k.count(); parked != 0 || w.saw("person-p1@0") != 1 || w.saw("person-p1@1") != 1 {
			t.Errorf("after it was mended %d events are parked, and %q were seen", parked, w.seen)
		}
	})
}

// TestARunnerIsWellOnceARetryHasWaited: a house without news would look ill until
// the next event.
func TestARunnerIsWellOnceARetryHasWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		h, k := newHouse(t), memory()
		w := &witness{do: func(event.Recorded) error {
			switch tries++; tries {
			case 1:
				panic("broken")
			case 2:
				return fault.New(fault.Unavailable, "down", "", "")
			}
			return nil
		}}
		r, stop := h.running(k, w.policy())
		defer stop()
		synctest.Wait()
		h.happens("p1")
		passes(time.Second)
		k.asks("person-p1")
		passes(time.Minute)
		if parked, _ := k.count(); parked != 0 || tries != 3 {
			t.Fatalf("after %d tries %d events are parked", tries, parked)
		}
		if _, err := r.Status(); err != nil {
			t.Errorf("it waits for nothing and says %v", err)
		}
	})
}
