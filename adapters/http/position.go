package http

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Waiter waits until a projection shows a position of the log, or for the
// context to end. To who follows projections it tells that they may have changed:
// as long as what was heard of them is the same, they are.
type Waiter interface {
	Wait(ctx context.Context, projection string, p event.Position) error
	Next() <-chan struct{}
	Heard(projections ...string) uint64
	Position(ctx context.Context, projections ...string) (event.Position, error)
}

// viewWithin bounds the wait of ?after=.
const viewWithin = 5 * time.Second

// The refusals.
var (
	errPosition = fault.New(fault.Invalid, "position-invalid",
		"در after همان عددی را بفرستید که سرآیند Govahi-Position داده است.",
		"Send as after the very number that the header Govahi-Position gave.").At("after")
	errAhead = fault.New(fault.Invalid, "position-ahead",
		"رویدادها هنوز تا آنجا نرسیده\u200cاند؛ در after همان عددی را بفرستید که سرآیند Govahi-Position داده است.",
		"The log has not come that far; send as after the very number that the header Govahi-Position gave.").At("after")
	errViewBehind = fault.New(fault.Unavailable, "view-behind",
		"نوشتهٔ شما ثبت شده، ولی هنوز در این نما نیامده است؛ لحظه\u200cای دیگر دوباره بخوانید.",
		"Your write is stored but this view does not show it yet; read again in a moment.")
)

type afterKey struct{}

// positioned lets a query wait for the caller's own write. What does not answer
// from a view is always up to date, and may be asked in the same way.
func (s *Server) positioned(d *huma.Operation) {
	d.Parameters = append(d.Parameters, &huma.Param{
		Name: "after", In: "query", Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]{1,20}$"},
		Description: "A Govahi-Position: the answer shows at least what was written up to there.",
	})
	d.Middlewares = append(d.Middlewares, s.takeAfter)
}

func (s *Server) takeAfter(ctx huma.Context, next func(huma.Context)) {
	text := ctx.Query("after")
	if text == "" {
		next(ctx)
		return
	}
	after, err := event.ParsePosition(text)
	if err != nil {
		s.stopAt(ctx, malformed(errPosition))
		return
	}
	next(huma.WithValue(ctx, afterKey{}, after))
}

// usualWait is how long a position is taken for one of the log's before that is
// asked.
const usualWait = 50 * time.Millisecond

// wait comes after validation, so that nobody waits for a refusal. Who waits
// longer than usual may do so for what there is not.
func (s *Server) wait(ctx context.Context, views string) error {
	after, asked := ctx.Value(afterKey{}).(event.Position)
	if !asked {
		return nil
	}
	waiting, end := context.WithCancelCause(ctx)
	defer end(nil)
	look := time.AfterFunc(usualWait, func() {
		if s.ahead(waiting, after) {
			end(errAhead)
		}
	})
	defer look.Stop()
	err := s.reach(waiting, views, after)
	if errors.Is(context.Cause(waiting), errAhead) || errors.Is(err, errViewBehind) && s.ahead(ctx, after) {
		return errAhead
	}
	return err
}

// reach waits until views show a position.
func (s *Server) reach(ctx context.Context, views string, after event.Position) error {
	ctx, cancel := context.WithTimeout(ctx, viewWithin)
	defer cancel()
	for _, view := range strings.Fields(views) {
		err := s.Waiter.Wait(ctx, view, after)
		if errors.Is(err, context.DeadlineExceeded) {
			return errViewBehind
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ahead tells of a position that the log has not reached, for which no wait
// would end. A log that is down says nothing: the view may show it all the same.
func (s *Server) ahead(ctx context.Context, p event.Position) bool {
	ctx, cancel := context.WithTimeout(ctx, viewWithin)
	defer cancel()
	head, err := s.Head(ctx)
	return err == nil && p > head
}
