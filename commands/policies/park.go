package policies

import (
	"context"
	"time"

	"govahi/domain/event"
	"govahi/domain/projection"
)

// take has an event reacted to, or parks it: one that can never be read would
// hold up everything that happens after it, for ever.
func (r *Runner) take(ctx context.Context, e event.Recorded) {
	if r.isParked(e.Stream) && r.parkBehind(ctx, e) {
		return
	}
	err := r.react(ctx, e)
	if err == nil || ctx.Err() != nil {
		return
	}
	if r.isSkipped(ctx, e) {
		return
	}
	r.untilStored(ctx, func() error { return r.Checkpoints.Park(ctx, r.Name, e, err) })
	r.setParked(e.Stream, true)
	r.Report.Error("policies parked an event", "runner", r.Name, "stream", e.Stream, "revision", e.Revision, "type", e.Type)
}

// parkBehind parks an event whose stream is parked, unless it is not any more.
func (r *Runner) parkBehind(ctx context.Context, e event.Recorded) (parked bool) {
	r.untilStored(ctx, func() (err error) {
		parked, err = r.Checkpoints.ParkBehind(ctx, r.Name, e)
		return err
	})
	r.setParked(e.Stream, parked)
	return parked || ctx.Err() != nil
}

func (r *Runner) isSkipped(ctx context.Context, e event.Recorded) bool {
	var all projection.Skipped
	r.untilStored(ctx, func() (err error) {
		all, err = r.Checkpoints.Skipped(ctx, r.Name)
		return err
	})
	return all[projection.One{Stream: e.Stream, Revision: e.Revision}]
}

// untilStored repeats what must not be lost.
func (r *Runner) untilStored(ctx context.Context, store func() error) {
	for err := store(); err != nil && ctx.Err() == nil; err = store() {
		r.note(0, err)
		pause(ctx, time.Second)
	}
}

func (r *Runner) isParked(s event.Stream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.parked[s]
}

func (r *Runner) setParked(s event.Stream, parked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !parked {
		delete(r.parked, s)
		return
	}
	if r.parked == nil {
		r.parked = map[event.Stream]bool{}
	}
	r.parked[s] = true
}

// lookEvery is how late an operator's wish is heard.
const lookEvery = time.Second

// knowParked reads what is parked, and which of it is to be tried again. What was
// parked while it looked stays known; a stream that is free by now is found to be
// with its next event.
func (r *Runner) knowParked(ctx context.Context) (asked map[event.Stream]bool, err error) {
	parked, asked, err := r.Checkpoints.Parked(ctx, r.Name)
	for stream := range parked {
		r.setParked(stream, true)
	}
	return asked, err
}

// retryAsked tries parked events again when an operator wishes, until the
// context ends. Several processes may: a command's ID makes the second nothing.
func (r *Runner) retryAsked(ctx context.Context) {
	for ; ctx.Err() == nil; pause(ctx, lookEvery) {
		asked, err := r.knowParked(ctx)
		for stream := range asked {
			if err == nil {
				err = r.retry(ctx, stream)
				r.note(0, err) // of what it waited for, nothing is left
			}
		}
	}
}

// retry takes a stream's parked events up in their order, as far as they go.
func (r *Runner) retry(ctx context.Context, stream event.Stream) error {
	waiting, err := r.Checkpoints.Waiting(ctx, r.Name, stream)
	if err != nil {
		return err
	}
	for _, e := range waiting {
		failed := r.react(ctx, e)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if failed != nil && r.isSkipped(ctx, e) {
			failed = nil
		}
		if err := r.Checkpoints.Taken(ctx, r.Name, e, failed); err != nil || failed != nil {
			return err
		}
	}
	return nil
}
