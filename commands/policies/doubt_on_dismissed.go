package policies

import (
	"context"

	"govahi/domain/appointment"
	"govahi/domain/event"
)

// DoubtOnDismissed proposes the revocation of a dismissed registration officer's
// own certificates (policy 7).
func DoubtOnDismissed() Policy {
	return when("doubt-on-dismissed", appointment.Catalog,
		func(ctx context.Context, h Happened, e appointment.Dismissed) error {
			return h.App.DoubtDismissed(ctx, h.Caller, event.Subject(h.Stream.ID()), e)
		})
}
