package policies

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"govahi/commands"
)

const (
	abreast   = 8                      // items of a worker that are under way at once
	workEvery = 100 * time.Millisecond // how late a due item is seen
	longest   = 5 * time.Second        // how long one that fails is left alone
)

// Worker does what a to-do view lists, several at once, so that one slow
// server holds nothing else up.
type Worker struct {
	Name   string
	Due    func(ctx context.Context, now time.Time, limit int) ([]string, error)
	Do     func(ctx context.Context, c commands.Caller, id string) error
	Clock  func() time.Time
	Report *slog.Logger
	Every  time.Duration // how often the list is looked at when it is short; else at once
}

// Run works until the context ends.
func (w Worker) Run(ctx context.Context) error {
	d := desk{Worker: w, slots: make(chan struct{}, abreast), busy: map[string]bool{}, failed: map[string]failure{}}
	defer d.all.Wait()
	var l lament
	for ctx.Err() == nil {
		next, most := max(w.Every, workEvery), 4*abreast+d.held()
		ids, err := w.Due(ctx, w.Clock(), most)
		if err != nil || len(ids) == most { // there is more, or nobody knows
			next = workEvery
		}
		l.hear(ctx, w, err)
		for _, id := range ids {
			d.begin(ctx, id)
		}
		pause(ctx, next)
	}
	return ctx.Err()
}

// lament tells once that a list cannot be read, and once that it can be again. A
// house that starts has no views for a moment: that is not worth a word.
type lament struct {
	since time.Time // zero while all is well
	said  bool
}

// unreadFor is how long a list may be out of reach before it is told.
const unreadFor = 2 * time.Second

func (l *lament) hear(ctx context.Context, w Worker, err error) {
	switch {
	case ctx.Err() != nil:
	case err == nil && l.said:
		w.Report.Info("list is read again", "worker", w.Name)
		*l = lament{}
	case err == nil:
		*l = lament{}
	case l.since.IsZero():
		l.since = time.Now()
	case !l.said && time.Since(l.since) >= unreadFor:
		w.Report.Error("list cannot be read", "worker", w.Name, "error", err)
		l.said = true
	}
}

// desk is what a worker has before it.
type desk struct {
	Worker
	slots  chan struct{}
	all    sync.WaitGroup
	mu     sync.Mutex
	busy   map[string]bool
	failed map[string]failure
}

// failure leaves an item alone for a while, which doubles: what could not be
// recorded may have been done, and would be done again each time.
type failure struct {
	wait  time.Duration
	until time.Time
}

// held is how many items stand on the list and need nothing now, at most. One
// that was not tried again for long is none of them any more.
func (d *desk) held() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.failed, func(_ string, f failure) bool { return time.Since(f.until) > time.Minute })
	return len(d.busy) + len(d.failed)
}

// begin does an item as soon as there is a place, unless it is under way or left
// alone.
func (d *desk) begin(ctx context.Context, id string) {
	if !d.free(id) {
		return
	}
	select {
	case <-ctx.Done():
	case d.slots <- struct{}{}:
		d.take(id)
		d.all.Go(func() { d.end(ctx, id, d.Do(ctx, commands.Caller{Policy: d.Name}, id)) })
	}
}

func (d *desk) free(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.busy[id] && !time.Now().Before(d.failed[id].until)
}

func (d *desk) take(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy[id] = true
}

// end reports the first failure of an item; those that follow are the same one.
func (d *desk) end(ctx context.Context, id string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	<-d.slots
	delete(d.busy, id)
	last, again := d.failed[id]
	if err == nil || ctx.Err() != nil {
		delete(d.failed, id)
		return
	}
	if !again {
		d.Report.Warn("work waits", "worker", d.Name, "item", id, "error", err)
	}
	wait := min(max(2*last.wait, workEvery), longest)
	d.failed[id] = failure{wait, time.Now().Add(wait)}
}
