package policies

import (
	"context"

	"govahi/domain/enrollment"
	"govahi/domain/fee"
)

// CloseFeeOnOver gives the money of a request back that was refused or
// withdrawn (domain §2.4, FeeGate).
func CloseFeeOnOver() Policy {
	return Policy{"close-fee-on-over", enrollment.Catalog, func(ctx context.Context, h Happened) error {
		switch h.Is.(type) {
		case enrollment.Rejected:
			return h.App.CloseFee(ctx, h.Caller, h.Stream, fee.Rejected)
		case enrollment.Withdrawn:
			return h.App.CloseFee(ctx, h.Caller, h.Stream, fee.Withdrawn)
		}
		return nil
	}}
}
