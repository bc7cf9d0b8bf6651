package policies

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"govahi/commands"
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Checkpoints remember how far a runner has come. Losing them only repeats what
// the commands recognise as done.
type Checkpoints interface {
	Load(ctx context.Context, name string) (event.Position, error)
	Save(ctx context.Context, name string, p event.Position) error
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

	mu    sync.Mutex
	at    event.Position
	state error
}

// batch and parallel bound how much is under way at once.
const (
	batch    = 200
	parallel = 8
)

// Run reacts until the context ends.
func (r *Runner) Run(ctx context.Context) error {
	starts := map[string]event.Position{}
	after, err := r.begin(ctx, starts)
	for ; err != nil && ctx.Err() == nil; after, err = r.begin(ctx, starts) {
		r.note(after, err)
		pause(ctx, time.Second)
	}
	for ctx.Err() == nil {
		r.note(after, nil)
		for b, err := range event.Follow(ctx, r.App.Log, r.Feed, after, batch) {
			if err != nil {
				r.note(after, err)
				break
			}
			r.handle(ctx, starts, b.Events)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			after = b.Upto
			r.note(after, nil)
			r.save(ctx, after)
			b.Ack()
		}
		pause(ctx, 100*time.Millisecond)
	}
	return ctx.Err()
}

// save tries once: a checkpoint that is behind only repeats what is recognised
// as done, and the next event brings another. It is no illness of the policies
// that PostgreSQL is down, or hangs; they go on where they can.
func (r *Runner) save(ctx context.Context, at event.Position) {
	limit, cancel := context.WithTimeout(ctx, saveWithin)
	defer cancel()
	if err := r.Checkpoints.Save(limit, r.Name, at); err != nil && ctx.Err() == nil {
		r.Report.Warn("policies' checkpoint is not saved", "runner", r.Name, "position", at, "error", err)
	}
}

// saveWithin is how long a checkpoint may hold up the events after it.
const saveWithin = time.Second

// begin records the start of policies that are new to the house, and finds
// where to go on.
func (r *Runner) begin(ctx context.Context, starts map[string]event.Position) (event.Position, error) {
	first := event.Position(math.MaxUint64)
	for _, p := range r.Policies {
		start, err := r.App.StartPolicy(ctx, p.Name)
		if err != nil {
			return 0, err
		}
		starts[p.Name] = start
		first = min(first, start)
	}
	saved, err := r.Checkpoints.Load(ctx, r.Name)
	if err != nil {
		return 0, err
	}
	head, err := r.App.Log.Head(ctx)
	if saved > head { // of a log that is no more, such as before a restore
		saved = 0
	}
	return max(first, saved), err
}

// handle keeps each stream's events in order and lets streams go abreast.
func (r *Runner) handle(ctx context.Context, starts map[string]event.Position, events []event.Recorded) {
	var order []event.Stream
	byStream := map[event.Stream][]event.Recorded{}
	for _, e := range events {
		if byStream[e.Stream] == nil {
			order = append(order, e.Stream)
		}
		byStream[e.Stream] = append(byStream[e.Stream], e)
	}
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for _, s := range order {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			for _, e := range byStream[s] {
				r.react(ctx, starts, e)
			}
		})
	}
	wg.Wait()
}

func (r *Runner) react(ctx context.Context, starts map[string]event.Position, e event.Recorded) {
	for _, p := range r.Policies {
		if e.Position > starts[p.Name] {
			r.insist(ctx, p, e)
		}
	}
}

// insist repeats until the policy is done or refused for good: trouble passes,
// and an event that was skipped would be lost.
func (r *Runner) insist(ctx context.Context, p Policy, e event.Recorded) {
	for wait := 20 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 5*time.Second) {
		err := p.Handle(ctx, r.App, e)
		if err == nil {
			return
		}
		if f, ok := fault.Of(err); ok && f.Kind != fault.Unavailable && f.Kind != fault.Internal {
			r.Report.Info("policy refused", "policy", p.Name, "stream", e.Stream, "revision", e.Revision, "code", f.Code)
			return
		}
		r.note(0, err)
		r.Report.Warn("policy waits", "policy", p.Name, "stream", e.Stream, "revision", e.Revision, "error", err, "again", wait)
		pause(ctx, wait)
	}
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
