package commands

import (
	"context"
	"fmt"

	"govahi/domain/event"
	"govahi/domain/projection"
)

// SkipEvent leaves an event that a view, or a policies' runner, has parked out of
// it for good. An operator on the machine decides; nobody at a door can.
func (a *App) SkipEvent(ctx context.Context, name string, stream event.Stream, revision uint64, reason, by string) error {
	c := Caller{Policy: "operator", Key: fmt.Sprintf("skip/%s/%s@%d", name, stream, revision)}
	as := a.do(c, "SkipEvent", "operator", name)
	skip := projection.Skip{Projection: name, Stream: stream, Revision: revision, Reason: reason, By: by, At: as.at}
	_, err := transact(ctx, a, projection.Kind, projection.Kind.Stream(name), as, just[projection.Skipped](skip))
	return err
}
