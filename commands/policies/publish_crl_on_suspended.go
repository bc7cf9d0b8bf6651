package policies

import (
	"context"

	"govahi/commands"
	"govahi/domain/certificate"
)

// PublishCRLOnSuspended issues a list at once after a suspension
// (certificateHold, RFC 5280 §5.3.1).
func PublishCRLOnSuspended(p commands.Publishers) Policy {
	return when("publish-crl-on-suspended", certificate.Catalog,
		func(ctx context.Context, h Happened, e certificate.Suspended) error {
			return p.PublishFor(ctx, h.Caller, e.Issuer, h.Position)
		})
}
