package policies

import (
	"context"

	"govahi/domain/fee"
)

// NoteFeeOnSettled takes a payment into the request's record.
func NoteFeeOnSettled() Policy {
	return when("note-fee-on-settled", fee.Catalog,
		func(ctx context.Context, h Happened, e fee.Settled) error {
			return h.App.NoteFee(ctx, h.Caller, h.Revision, e)
		})
}
