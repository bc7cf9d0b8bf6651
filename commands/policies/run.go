package policies

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"time"

	"govahi/commands"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/projection"
)

// Checkpoints remember how far a runner has come. Losing them only repeats what
// the commands recognise as done.
type Checkpoints interface {
	Load(ctx context.Context, name string) (event.Position, error)
	// Save is false if the checkpoint that was loaded is there no more.
	Save(ctx context.Context, name string, last event.Recorded) (known bool, err error)

	// What can never be taken is parked, with its reason, until an operator has
	// it tried again; later events of its stream wait behind it.
	Parked(ctx context.Context, name string) (parked, asked map[event.Stream]bool, err error)
	Park(ctx context.Context, name string, r event.Recorded, cause error) error
	ParkBehind(ctx context.Context, name string, r event.Recorded) (parked bool, err error)
	Waiting(ctx context.Context, name string, stream event.Stream) ([]event.Recorded, error)
	Taken(ctx context.Context, name string, r event.Recorded, failed error) error
}

// Runner brings the log's events to policies that may wait for each other;
// those that need a token, a vault or the world outside have a runner of their
// own, so that one dead part holds nothing else up.
type Runner struct {
	Name        string
	App         *commands.App
	Feed        event.Feed
	Checkpoints Checkpoints
	Policies    []Policy
	Report      *slog.Logger

	starts map[string]event.Position // after which each policy reacts

	parking sync.Mutex // while what is parked, and what is known of it, may differ

	mu      sync.Mutex
	at      event.Position
	state   error
	parked  map[event.Stream]bool
	skipped projection.Skipped
}

// batch and Parallel bound how much is under way at once.
const (
	batch = 200

	// Parallel is how many streams a runner reacts to abreast: enough for the log and
	// the signer to do many things in one go.
	Parallel = 64
)

// Run reacts until the context ends.
func (r *Runner) Run(ctx context.Context) error {
	var retrying sync.WaitGroup
	var once sync.Once
	defer retrying.Wait()
	for ctx.Err() == nil {
		after, err := r.begin(ctx)
		if err != nil {
			r.note(after, err)
			pause(ctx, time.Second)
			continue
		}
		once.Do(func() { retrying.Go(func() { r.retryAsked(ctx) }) })
		for more := true; more && ctx.Err() == nil; pause(ctx, 100*time.Millisecond) {
			after, more = r.follow(ctx, after)
		}
	}
	return ctx.Err()
}

// follow reacts to what happens after a position, until something fails. There is
// no more from there on if the checkpoint was lost: what was parked is lost with it.
func (r *Runner) follow(ctx context.Context, after event.Position) (at event.Position, more bool) {
	following, stop := context.WithCancel(ctx)
	defer stop()
	s := r.beginSaving(ctx, stop)
	defer func() { more = s.end() }()
	r.note(after, nil)
	for b, err := range event.Follow(following, r.App.Log, r.Feed, after, batch) {
		if err == nil && skips(b.Events) {
			err = r.knowSkipped(ctx)
		}
		if err != nil {
			r.note(after, err)
			break
		}
		r.handle(ctx, b.Events)
		if ctx.Err() != nil {
			break
		}
		after = b.Upto
		r.note(after, nil)
		s.upto(b.Events[len(b.Events)-1])
		b.Ack()
	}
	return after, true
}

// begin records the start of policies that are new to the house, and finds
// where to go on.
func (r *Runner) begin(ctx context.Context) (event.Position, error) {
	starts, first := map[string]event.Position{}, event.Position(math.MaxUint64)
	for _, p := range r.Policies {
		start, err := r.App.StartPolicy(ctx, p.Name)
		if err != nil {
			return 0, err
		}
		starts[p.Name] = start
		first = min(first, start)
	}
	if r.starts == nil { // they are for good
		r.starts = starts
	}
	saved, err := r.Checkpoints.Load(ctx, r.Name)
	if err != nil {
		return 0, err
	}
	_, err = r.knowParked(ctx)
	return max(first, saved), errors.Join(err, r.knowSkipped(ctx))
}

// handle keeps each stream's events in order and lets streams go abreast.
func (r *Runner) handle(ctx context.Context, events []event.Recorded) {
	var order []event.Stream
	byStream := map[event.Stream][]event.Recorded{}
	for _, e := range events {
		if byStream[e.Stream] == nil {
			order = append(order, e.Stream)
		}
		byStream[e.Stream] = append(byStream[e.Stream], e)
	}
	slots := make(chan struct{}, Parallel)
	var wg sync.WaitGroup
	for _, s := range order {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			for _, e := range byStream[s] {
				r.take(ctx, e)
			}
		})
	}
	wg.Wait()
}

// react has all policies react to an event. An error is one that will not pass.
func (r *Runner) react(ctx context.Context, e event.Recorded) error {
	h, err := open(r.Policies, e)
	if err != nil {
		return err
	}
	for _, p := range r.Policies {
		if e.Position <= r.starts[p.Name] || !p.concerns(e) {
			continue
		}
		if err := r.insist(ctx, p, h); err != nil {
			return err
		}
	}
	return nil
}

// insist repeats until the policy is done or refused for good: trouble passes,
// and an event that was skipped would be lost.
func (r *Runner) insist(ctx context.Context, p Policy, h happening) error {
	for wait := 20 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 5*time.Second) {
		err := p.handle(ctx, r.App, h)
		if err == nil || hopeless(err) {
			return err
		}
		if f, ok := fault.Of(err); ok && f.Kind != fault.Unavailable && f.Kind != fault.Internal {
			r.Report.Info("policy refused", "policy", p.Name, "stream", h.Stream, "revision", h.Revision, "code", f.Code)
			return nil
		}
		r.note(0, err)
		r.Report.Warn("policy waits", "policy", p.Name, "stream", h.Stream, "revision", h.Revision, "error", err, "again", wait)
		pause(ctx, wait)
	}
	return nil
}

func (r *Runner) note(at event.Position, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.state = max(r.at, at), err
}

// Status is how far the runner is, and what it waits for.
func (r *Runner) Status() (event.Position, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at, r.state
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
