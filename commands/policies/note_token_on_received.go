package policies

import (
	"context"

	"govahi/domain/token"
)

// NoteTokenOnReceived tells a request of channel B where its token is.
func NoteTokenOnReceived() Policy {
	return when("note-token-on-received", token.Catalog, func(ctx context.Context, h Happened, e token.Received) error {
		if !e.SealIntact {
			return nil
		}
		return h.App.NoteTokenArrived(ctx, h.Caller, h.Stream.ID(), e.Place)
	})
}
