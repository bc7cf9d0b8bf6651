package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/event"
	"govahi/domain/projection"
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
	log     event.Log
	reading *reading // of the views that are being built
	passing *passing // of the views that follow
	views   []*view
}

// NewRunner makes a runner; it panics on a projection that can never run.
func NewRunner(parts Parts, projections ...Projection) *Runner {
	r, seen := &Runner{log: parts.Log, reading: &reading{log: parts.Log}, passing: newPassing(parts.Pool)}, map[string]bool{}
	for _, p := range projections {
		p.check()
		if seen[p.Name] {
			panic("projections: " + p.Name + " is listed twice")
		}
		seen[p.Name] = true
		r.views = append(r.views, newView(parts, p, r.reading, r.passing))
	}
	return r
}

// Run keeps all projections up to date until the context ends. PostgreSQL, the
// feeds and the log may come and go meanwhile.
func (r *Runner) Run(ctx context.Context) error {
	var all sync.WaitGroup
	all.Go(func() { r.passing.run(ctx) })
	for _, v := range r.views {
		all.Go(func() { v.run(ctx) })
	}
	all.Wait()
	r.reading.walks.Wait()
	return ctx.Err()
}

const (
	batchSize = 500 // events in one transaction while following

	firstPause = 20 * time.Millisecond
	lastPause  = 2 * time.Second

	watchEvery = time.Second // how late a quiet view sees that it must be rebuilt
)

// view is a projection at work.
type view struct {
	Parts
	projection Projection
	catalogs   map[string]event.Catalog
	prefixes   []string // of its events' types, by which the catalogs go
	feed       event.Feed
	building   *reading // which all views share, as
	passing    *passing

	schema  string // what is written now: the projection's name, or NAME_next
	version int    // that its checkpoint must have: negative while it is built anew beside
	at      event.Position
	stored  event.Position // where the checkpoint is; behind what the view only passes
	events  int64          // as the checkpoint counts them
	parked  map[event.Stream]bool
	opened  bool // this version was current once since the start
	second  bool // another process writes it, as far as we know

	skipped projection.Skipped

	status status
}

func newView(parts Parts, p Projection, building *reading, passing *passing) *view {
	v := &view{Parts: parts, projection: p, building: building, passing: passing, schema: p.Name}
	v.catalogs, v.prefixes = together(p.Catalogs)
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

// errOvertaken reports that another process keeps this view, too.
var errOvertaken = fmt.Errorf("%w by another process", errMoved)

// errGap reports that a part of the log was left out. It never happens.
var errGap = errors.New("projections: a part of the log is missing")

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
	if err := v.passing.own(ctx, v); err != nil {
		return err
	}
	if err := v.open(ctx); err != nil {
		return err
	}
	if err := v.retryAsked(ctx); err != nil {
		return err
	}
	if err := v.catchUp(ctx); err != nil {
		return err
	}
	following, stop := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer stop(nil)
	watch.Go(func() { v.watch(following, stop) })
	if v.version < 0 {
		watch.Go(func() { v.rebuild(following, stop) })
	}
	for batch, err := range event.Follow(following, v.Log, v.feed, v.at, batchSize) {
		if err != nil {
			return err
		}
		if err := v.follow(ctx, batch, stop); err != nil {
			v.second = v.second || errors.Is(err, errOvertaken)
			return err
		}
		batch.Ack()
	}
	v.second = v.second || errors.Is(context.Cause(following), errOvertaken)
	return context.Cause(following)
}

// follow stores a batch, or passes it if nothing in it is the view's own.
func (v *view) follow(ctx context.Context, b event.Batch, stop context.CancelCauseFunc) error {
	if done, err := v.leftToOther(ctx, b.Upto); err != nil || done {
		return err
	}
	last := anchor(b.Events[len(b.Events)-1])
	if !slices.ContainsFunc(b.Events, func(e event.Recorded) bool { return begins(e.Type, v.prefixes) }) {
		v.passing.pass(v, place{b.Upto, last}, stop)
		return nil
	}
	if err := v.passing.own(ctx, v); err != nil {
		return err
	}
	err := v.take(ctx, portion{after: v.at, upto: b.Upto, anchor: last}.decode(b.Events, v.catalogs))
	if errors.Is(err, errMoved) {
		return errOvertaken
	}
	return err
}

// catchUp brings the tables to the log's present end. New tables come with those
// of other views; what was away for a while reads for itself and waits for nobody.
func (v *view) catchUp(ctx context.Context) error {
	if v.at == 0 {
		return v.fill(ctx, v.building)
	}
	own := &reading{log: v.Log}
	defer own.walks.Wait()
	return v.fill(ctx, own)
}

func (v *view) fill(ctx context.Context, from *reading) error {
	o := overlap{view: v}
	defer func() {
		if o.under != nil {
			<-o.under.done
		}
	}()
	for p, err := range from.after(ctx, v.projection.Catalogs, v.at) {
		if err != nil {
			return err
		}
		if err := o.take(ctx, p); err != nil {
			return err
		}
	}
	_, err := o.finish(ctx)
	return err
}

// take stores what a portion has for this view.
func (v *view) take(ctx context.Context, p portion) error {
	switch {
	case p.after > v.at:
		return errGap
	case p.upto <= v.at:
		return nil
	}
	return v.store(ctx, p.of(v.prefixes, v.at), place{p.upto, p.anchor})
}

// turn is how long the process that writes a view may take for a batch before
// another one does it.
const turn = time.Second

// leftToOther leaves a batch to the process that writes this view at present, if
// there is one: two that do the same work are each in the other's way. The fence
// alone makes it safe; whoever is too slow for his turn finds that it was moved.
func (v *view) leftToOther(ctx context.Context, upto event.Position) (done bool, err error) {
	if !v.second {
		return false, nil
	}
	for end := time.Now().Add(turn); ctx.Err() == nil; rest(ctx, turn/20) {
		at, err := position(ctx, v.Pool, v.schema)
		if err != nil {
			return false, err
		}
		if at >= upto {
			v.at = at
			v.status.set(func(s *Status) { s.Position = at })
			return true, nil
		}
		if time.Now().After(end) {
			break
		}
	}
	v.second = false
	return false, errMoved // begin with what the other has left, parked events too
}

// watch ends the following once the tables are not what they must be: dropped, to
// be built anew on request, or set back, by an operator or because PostgreSQL
// forgot a commit; or parked events are to be tried again. A quiet log brings no
// write that would tell.
func (v *view) watch(ctx context.Context, stop context.CancelCauseFunc) {
	for ; ctx.Err() == nil; rest(ctx, watchEvery) {
		reached := v.status.get().Position
		h, err := v.held(ctx, v.Pool, v.projection.Name)
		if missing(err) || err == nil && (!h.whole || h.version != v.version || h.position < reached) {
			stop(errMoved)
		}
		if streams, err := askedStreams(ctx, v.Pool, v.projection.Name); err == nil && len(streams) > 0 {
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
