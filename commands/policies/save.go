package policies

import (
	"context"
	"time"

	"govahi/domain/event"
)

// saving stores checkpoints beside the work, a moment after it: a checkpoint that
// is behind only repeats what is recognised as done, and the views of the same
// events, which people wait for, go first.
type saving struct {
	*Runner
	news chan event.Recorded // at most the latest
	done chan struct{}
	lost bool // there is no checkpoint any more; known once done
}

const (
	saveAfter  = 20 * time.Millisecond
	saveWithin = time.Second // how long one may take
)

// beginSaving ends the work by stop once the checkpoint is found to be lost.
func (r *Runner) beginSaving(ctx context.Context, stop func()) *saving {
	s := &saving{Runner: r, news: make(chan event.Recorded, 1), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for last := range s.news {
			pause(ctx, saveAfter)
			if s.lost = !s.save(ctx, s.newest(last)); s.lost {
				stop()
				return
			}
		}
	}()
	return s
}

func (s *saving) newest(last event.Recorded) event.Recorded {
	select {
	case newer, open := <-s.news:
		if open {
			return newer
		}
	default:
	}
	return last
}

// upto notes the event up to which all is done.
func (s *saving) upto(last event.Recorded) {
	select {
	case <-s.news: // an older one
	default:
	}
	s.news <- last
}

// end waits until the latest is stored, or could not be. It is false if the
// checkpoint was lost.
func (s *saving) end() (known bool) {
	close(s.news)
	<-s.done
	return !s.lost
}

// save tries once: the next event brings another. It is no illness of the policies
// that PostgreSQL is down, or hangs; they go on where they can. It is false if
// there is no checkpoint any more.
func (s *saving) save(ctx context.Context, last event.Recorded) bool {
	limit, cancel := context.WithTimeout(ctx, saveWithin)
	defer cancel()
	known, err := s.Checkpoints.Save(limit, s.Name, last)
	if err != nil && ctx.Err() == nil {
		s.Report.Warn("policies' checkpoint is not saved", "runner", s.Name, "position", last.Position, "error", err)
	}
	return known || err != nil
}
