package policies

import (
	"context"

	"govahi/domain/certificate"
)

// BlockKeyOnRevoked keeps a compromised key from being certified again.
func BlockKeyOnRevoked() Policy {
	return when("block-key-on-revoked", certificate.Catalog,
		func(ctx context.Context, h Happened, e certificate.Revoked) error {
			return h.App.BlockKey(ctx, h.Caller, e)
		})
}
