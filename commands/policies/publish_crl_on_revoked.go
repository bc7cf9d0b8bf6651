package policies

import (
	"context"

	"govahi/commands"
	"govahi/domain/certificate"
)

// PublishCRLOnRevoked issues a list at once after a revocation.
func PublishCRLOnRevoked(p *commands.Publisher) Policy {
	return when("publish-crl-on-revoked", certificate.Catalog,
		func(ctx context.Context, h Happened, _ certificate.Revoked) error {
			return p.PublishFor(ctx, h.Caller, h.Position)
		})
}
