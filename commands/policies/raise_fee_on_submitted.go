package policies

import (
	"context"

	"govahi/domain/enrollment"
)

// RaiseFeeOnSubmitted fixes the price by the tariff of that moment (S1.9).
func RaiseFeeOnSubmitted() Policy {
	return when("raise-fee-on-submitted", enrollment.Catalog,
		func(ctx context.Context, h Happened, e enrollment.Submitted) error {
			return h.App.RaiseFee(ctx, h.Caller, h.Stream, e.At)
		})
}
