package policies

import (
	"context"

	"govahi/domain/certificate"
)

// FollowRenewalsOnRevoked revokes what was issued in the place of a revoked
// certificate, where it is of the same key or on the same false information.
func FollowRenewalsOnRevoked() Policy {
	return when("follow-renewals-on-revoked", certificate.Catalog, func(ctx context.Context, h Happened, e certificate.Revoked) error {
		return h.App.FollowRenewals(ctx, h.Caller, e)
	})
}
