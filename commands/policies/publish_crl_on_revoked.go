package policies

import (
	"context"

	"govahi/commands"
	"govahi/domain/certificate"
)

// PublishCRLOnRevoked issues a list at once after a revocation.
func PublishCRLOnRevoked(p commands.Publishers) Policy {
	return when("publish-crl-on-revoked", certificate.Catalog,
		func(ctx context.Context, h Happened, e certificate.Revoked) error {
			return p.PublishFor(ctx, h.Caller, e.Issuer, h.Position)
		})
}
