package projections

import (
	"context"
	"fmt"

	"govahi/domain/event"
)

// anchor names the last event that a checkpoint has taken. A position alone does
// not say of which log: one that was moved, or restored from an older copy, has
// other events there, and a view that went on would skip what it never saw.
func anchor(r event.Recorded) string {
	return fmt.Sprintf("%s %d %d %q", r.ID, r.Position, r.Revision, r.Stream)
}

// holds tells whether the log has an anchor's event at the anchor's place.
func holds(ctx context.Context, log event.Log, anchored string) (bool, error) {
	if anchored == "" { // nothing was taken, or by an earlier program
		return true, nil
	}
	var id string
	var position, revision uint64
	var stream event.Stream
	if _, err := fmt.Sscanf(anchored, "%s %d %d %q", &id, &position, &revision, &stream); err != nil {
		return false, nil
	}
	for r, err := range log.Read(ctx, stream, revision) {
		return err == nil && anchor(r) == anchored, err
	}
	return false, nil
}
