package policies

import (
	"context"

	"govahi/commands"
	"govahi/domain/certificate"
)

// PublishCRLOnSuspensionLifted issues a list at once that is without what was on
// hold.
func PublishCRLOnSuspensionLifted(p commands.Publishers) Policy {
	return when("publish-crl-on-suspension-lifted", certificate.Catalog,
		func(ctx context.Context, h Happened, _ certificate.SuspensionLifted) error {
			return p.PublishFor(ctx, h.Caller, "", h.Position)
		})
}
