package policies

import (
	"context"

	"govahi/domain/access"
	"govahi/domain/certificate"
)

// SuspendAccessOnRevoked ends the CPMIS access of a revoked certificate
// (invariant 8).
func SuspendAccessOnRevoked() Policy {
	return when("suspend-access-on-revoked", certificate.Catalog,
		func(ctx context.Context, h Happened, e certificate.Revoked) error {
			return h.App.SuspendAccess(ctx, h.Caller, e.Serial)
		})
}

// SuspendAccessOnDefined does so where the revocation came while the access
// was being defined.
func SuspendAccessOnDefined() Policy {
	return when("suspend-access-on-defined", access.Catalog,
		func(ctx context.Context, h Happened, e access.UserDefined) error {
			return h.App.SuspendAccess(ctx, h.Caller, e.Certificate)
		})
}

// SuspendAccessOnSuspended ends it for as long as its certificate is on hold.
func SuspendAccessOnSuspended() Policy {
	return when("suspend-access-on-suspended", certificate.Catalog,
		func(ctx context.Context, h Happened, e certificate.Suspended) error {
			return h.App.SuspendAccess(ctx, h.Caller, e.Serial)
		})
}

// RestoreAccessOnLifted gives it back afterwards.
func RestoreAccessOnLifted() Policy {
	return when("restore-access-on-lifted", certificate.Catalog,
		func(ctx context.Context, h Happened, e certificate.SuspensionLifted) error {
			return h.App.RestoreAccess(ctx, h.Caller, e.Serial)
		})
}
