package policies

import (
	"context"

	"govahi/commands"
	"govahi/domain/certificate"
)

// PublishCRLOnSuspended issues a list at once after a suspension
// (certificateHold, RFC 5280 §5.3.1).
func PublishCRLOnSuspended(p *commands.Publisher) Policy {
	return when("publish-crl-on-suspended", certificate.Catalog,
		func(ctx context.Context, h Happened, _ certificate.Suspended) error {
			return p.PublishFor(ctx, h.Caller, h.Position)
		})
}
