package policies

import (
	"context"

	"govahi/domain/revocation"
)

// RevokeOnInaccuracyEstablished revokes, always (S1.6, invariant 7).
func RevokeOnInaccuracyEstablished() Policy {
	return when("revoke-on-inaccuracy-established", revocation.Catalog,
		func(ctx context.Context, h Happened, e revocation.InaccuracyEstablished) error {
			return h.App.RevokeForFalsity(ctx, h.Caller, e)
		})
}
