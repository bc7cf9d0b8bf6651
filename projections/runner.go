package projections

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/event"
)

// Parts is what a Runner works with.
type Parts struct {
	Pool   *pgxpool.Pool // the views database
	Log    event.Log
	Feed   func(name string) event.Feed // of a projection's own
	Keeper event.Keeper
	Terms  Terms
	Report *slog.Logger
}

// Runner keeps projections up to date.
type Runner struct {
	log   event.Log
	views []*view
}

// NewRunner makes a runner; it panics on a projection that can never run.
func NewRunner(parts Parts, projections ...Projection) *Runner {
	r, seen := &Runner{log: parts.Log}, map[string]bool{}
	for _, p := range projections {
		p.check()
		if seen[p.Name] {
			panic("projections: " + p.Name + " is listed twice")
		}
		seen[p.Name] = true
		r.views = append(r.views, newView(parts, p))
	}
	return r
}

// Run keeps all projections up to date until the context ends. PostgreSQL, the
// feeds and the log may come and go meanwhile.
func (r *Runner) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, v := range r.views {
		all.Go(func() { v.run(ctx) })
	}
	all.Wait()
	return ctx.Err()
}

const (
	batchSize = 500 // events in one transaction while following
	buildSize = 2000

	firstPause = 20 * time.Millisecond
	lastPause  = 2 * time.Second

	watchEvery = time.Second // how late a quiet view sees that it must be rebuilt
)

// view is a projection at work.
type view struct {
	Parts
	projection Projection
	feed       event.Feed

	schema string // what is written now: the projection's name, or NAME_next
	at     event.Position
	parked map[event.Stream]bool
	opened bool // this version was current once since the start

	status status
}

func newView(parts Parts, p Projection) *view {
	v := &view{Parts: parts, projection: p, schema: p.Name}
	v.status.now = Status{Name: p.Name, Version: p.Version, State: Starting}
	v.feed = event.Reporting(parts.Feed(p.Name), v.complain())
	return v
}

// complain reports the feed's errors, one in a while: they only cost time.
func (v *view) complain() func(error) {
	var last time.Time
	return func(err error) {
		if time.Since(last) > 10*time.Second {
			v.Report.Warn("projection's feed fails, the log is read instead", "projection", v.projection.Name, "error", err)
			last = time.Now()
		}
	}
}

// errMoved reports that another process moved the checkpoint: what was to be
// written is written already.
var errMoved = errors.New("projections: checkpoint moved")

// errSuperseded reports that a newer version has taken this one's place.
var errSuperseded = errors.New("projections: a newer version is in place")

// run keeps the view up, and begins anew from the stored checkpoint whenever
// something failed.
func (v *view) run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		before := v.at
		err := v.keepUp(ctx)
		if ctx.Err() != nil {
			return
		}
		v.trouble(err)
		if v.at > before {
			pause = firstPause
		}
		rest(ctx, pause)
		pause = min(2*pause, lastPause)
	}
}

// keepUp opens the view, building it if need be, and follows the log.
func (v *view) keepUp(ctx context.Context) error {
	if err := v.open(ctx); err != nil {
		return err
	}
	following, stop := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer stop(nil)
	watch.Go(func() { v.watch(following, stop) })
	for batch, err := range event.Follow(following, v.Log, v.feed, v.at, batchSize) {
		if err != nil {
			return err
		}
		if err := v.store(ctx, batch.Events); err != nil {
			return err
		}
		batch.Ack()
	}
	return context.Cause(following)
}

// watch ends the following once the tables are not what they must be: dropped,
// or to be built anew on request. A quiet log brings no write that would tell.
func (v *view) watch(ctx context.Context, stop context.CancelCauseFunc) {
	for ; ctx.Err() == nil; rest(ctx, watchEvery) {
		h, err := v.held(ctx, v.Pool, v.projection.Name)
		if missing(err) || err == nil && (!h.whole || h.version != v.projection.Version) {
			stop(errMoved)
		}
	}
}

// trouble reports why the view stands still, unless that is as it should be.
func (v *view) trouble(err error) {
	switch {
	case errors.Is(err, errMoved):
		return
	case errors.Is(err, errSuperseded):
		v.status.set(func(s *Status) { s.State = Superseded })
		return
	}
	was := v.status.get()
	v.status.set(func(s *Status) { s.State, s.Trouble = Waiting, reason(err) })
	if was.State == Waiting && was.Trouble == reason(err) {
		return // it was said
	}
	v.Report.Warn("projection waits", "projection", v.projection.Name, "position", v.at, "error", err)
}

// rest waits, or until the context ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
