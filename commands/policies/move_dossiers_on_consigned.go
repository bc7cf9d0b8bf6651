package policies

import (
	"context"

	"govahi/domain/consignment"
)

// MoveDossiersOnConsigned brings dossiers along with their consignment.
func MoveDossiersOnConsigned() Policy {
	return Policy{"move-dossiers-on-consigned", consignment.Catalog, func(ctx context.Context, h Happened) error {
		return h.App.MoveDossiers(ctx, h.Caller, h.Stream.ID(), h.Is)
	}}
}
