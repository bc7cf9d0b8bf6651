package policies

import (
	"context"

	"govahi/domain/enrollment"
)

// RaiseFeeOnSubmitted fixes the price by the tariff of that moment (S1.9).
func RaiseFeeOnSubmitted() Policy {
	return Policy{"raise-fee-on-submitted", enrollment.Catalog, func(ctx context.Context, h Happened) error {
		switch e := h.Is.(type) {
		case enrollment.Submitted:
			return h.App.RaiseFee(ctx, h.Caller, h.Stream, e.At)
		case enrollment.SubmittedToUnit:
			return h.App.RaiseFee(ctx, h.Caller, h.Stream, e.At)
		}
		return nil
	}}
}
