package policies

import (
	"context"

	"govahi/domain/notification"
)

// DoubtOnBounced opens or feeds a case when a holder's address turns out false
// (S1.5, policy 1).
func DoubtOnBounced() Policy {
	return when("doubt-on-bounced", notification.Catalog,
		func(ctx context.Context, h Happened, e notification.Bounced) error {
			return h.App.DoubtBounced(ctx, h.Caller, e)
		})
}
