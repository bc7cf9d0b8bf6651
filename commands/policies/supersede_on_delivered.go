package policies

import (
	"context"

	"govahi/domain/enrollment"
)

// SupersedeOnDelivered ends the certificate that a delivered one follows: nobody
// has two that say the same (domain §4.4).
func SupersedeOnDelivered() Policy {
	return when("supersede-on-delivered", enrollment.Catalog, func(ctx context.Context, h Happened, e enrollment.Delivered) error {
		return h.App.SupersedeRenewed(ctx, h.Caller, h.Stream, e.By)
	})
}
