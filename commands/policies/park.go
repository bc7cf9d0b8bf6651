package policies

import (
	"context"
	"errors"
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/projection"
)

// take has an event reacted to, or parks it: one that can never be taken would
// hold up everything that happens after it, for ever.
func (r *Runner) take(ctx context.Context, e event.Recorded) {
	if r.isSkipped(e) || r.isParked(e.Stream) && r.parkBehind(ctx, e) {
		return
	}
	err := r.react(ctx, e)
	if err == nil || ctx.Err() != nil {
		return
	}
	r.untilStored(ctx, func() error {
		return r.storing(e.Stream, func() (bool, error) { return true, r.Checkpoints.Park(ctx, r.Name, e, err) })
	})
	r.Report.Error("policies parked an event", "runner", r.Name, "stream", e.Stream, "revision", e.Revision, "type", e.Type)
}

// hopeless tells whether an error will not pass, however often it is tried: the
// policy is broken, or cannot read the event, or another one that it must read.
func hopeless(err error) bool {
	f, refused := fault.Of(err)
	return errors.Is(err, errPanic) ||
		!(refused && f.Kind == fault.Unavailable) && (errors.Is(err, event.ErrUnlisted) || errors.Is(err, event.ErrUndecodable))
}

// parkBehind parks an event whose stream is parked, unless it is not any more.
func (r *Runner) parkBehind(ctx context.Context, e event.Recorded) (parked bool) {
	r.untilStored(ctx, func() error {
		return r.storing(e.Stream, func() (_ bool, err error) {
			parked, err = r.Checkpoints.ParkBehind(ctx, r.Name, e)
			return parked, err
		})
	})
	return parked || ctx.Err() != nil
}

// untilStored repeats what must not be lost.
func (r *Runner) untilStored(ctx context.Context, store func() error) {
	for err := store(); err != nil && ctx.Err() == nil; err = store() {
		r.note(0, err)
		pause(ctx, time.Second)
	}
}

// storing stores that a stream is parked, or is not, and knows it then. Nobody
// learns meanwhile what is parked: he would know less afterwards.
func (r *Runner) storing(s event.Stream, store func() (parked bool, err error)) error {
	r.parking.Lock()
	defer r.parking.Unlock()
	parked, err := store()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if delete(r.parked, s); parked {
		r.parked[s] = true
	}
	return nil
}

// Parked is how many streams wait behind an event that could not be taken.
func (r *Runner) Parked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.parked)
}

func (r *Runner) isParked(s event.Stream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.parked[s]
}

func (r *Runner) isSkipped(e event.Recorded) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.skipped.Has(e)
}

// knowSkipped reads what operators left out.
func (r *Runner) knowSkipped(ctx context.Context) error {
	skipped, err := projection.ReadSkipped(ctx, r.App.Log, projection.NameOf(r.Name))
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skipped = skipped
	return nil
}

// skips tells whether operators left something out in these events.
func skips(events []event.Recorded) bool {
	return slices.ContainsFunc(events, func(e event.Recorded) bool { return e.Stream.Category() == projection.Kind.Category })
}

// lookEvery is how late an operator's wish is heard.
const lookEvery = time.Second

// knowParked reads what is parked, and which of it is to be tried again.
func (r *Runner) knowParked(ctx context.Context) (asked map[event.Stream]bool, err error) {
	r.parking.Lock()
	defer r.parking.Unlock()
	parked, asked, err := r.Checkpoints.Parked(ctx, r.Name)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.parked = parked
	}
	return asked, err
}

// retryAsked tries parked events again when an operator wishes, until the
// context ends. Several processes may: a command's ID makes the second nothing.
func (r *Runner) retryAsked(ctx context.Context) {
	for ; ctx.Err() == nil; pause(ctx, lookEvery) {
		asked, err := r.knowParked(ctx)
		if err == nil && len(asked) > 0 {
			err = r.knowSkipped(ctx)
		}
		for stream := range asked {
			if err == nil {
				err = r.retry(ctx, stream)
				r.note(0, err) // of what it waited for, nothing is left
			}
		}
	}
}

// retry takes a stream's parked events up in their order, as far as they go, and
// those that were parked behind them meanwhile.
func (r *Runner) retry(ctx context.Context, stream event.Stream) error {
	for {
		waiting, err := r.Checkpoints.Waiting(ctx, r.Name, stream)
		if err != nil || len(waiting) == 0 {
			return err
		}
		for _, e := range waiting {
			var failed error
			if !r.isSkipped(e) {
				failed = r.react(ctx, e)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := r.Checkpoints.Taken(ctx, r.Name, e, failed); err != nil || failed != nil {
				return err
			}
		}
	}
}
