package eventstore

import (
	"context"
	"errors"
	"time"
)

// answerWithin is how long the log may be silent where an answer is due. A cut
// line tells nobody that it was cut, and gRPC's own keepalive takes 20 s to find
// out: whoever waits would not get the line that another dial finds.
const answerWithin = 3 * time.Second

// errSilent ends a call to a log that fell silent; its connection counts as lost.
var errSilent = errors.New("eventstore: the log does not answer")

// patience ends a context while an answer is due for too long.
type patience struct {
	end   context.CancelCauseFunc
	timer *time.Timer
}

// due begins to wait for an answer; the context is ended by end at the latest.
func due(ctx context.Context) (context.Context, *patience) {
	ctx, end := context.WithCancelCause(ctx)
	p := &patience{end: end}
	p.timer = time.AfterFunc(answerWithin, func() { end(errSilent) })
	return ctx, p
}

// answered stops the clock until the next answer is due.
func (p *patience) answered() { p.timer.Stop() }

// due starts it again.
func (p *patience) due() { p.timer.Reset(answerWithin) }

// leave ends the context; what was opened with it is closed.
func (p *patience) leave() {
	p.timer.Stop()
	p.end(nil)
}

// silence names the reason if a call ended because its patience did.
func silence(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errSilent) {
		return errors.Join(errSilent, err)
	}
	return err
}
