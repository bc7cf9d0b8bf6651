package policies

import (
	"context"

	"govahi/commands"
	"govahi/domain/person"
)

// DestroyKeyOnErasureOrdered carries out an erasure (domain §7.3).
func DestroyKeyOnErasureOrdered(vault commands.Shredder) Policy {
	return when("destroy-key-on-erasure-ordered", person.Catalog,
		func(ctx context.Context, h Happened, e person.ErasureOrdered) error {
			return h.App.DestroyKey(ctx, h.Caller, vault, e.Subject)
		})
}
