package policies

import (
	"context"

	"govahi/domain/enrollment"
)

// BindAccessOnAccepted lets the user of channel B enter CPMIS (§2.3).
func BindAccessOnAccepted() Policy {
	return when("bind-access-on-accepted", enrollment.Catalog, func(ctx context.Context, h Happened, _ enrollment.Accepted) error {
		return h.App.BindAccess(ctx, h.Caller, h.Stream)
	})
}
