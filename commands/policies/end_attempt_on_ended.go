package policies

import (
	"context"

	"govahi/domain/payment"
)

// EndAttemptOnEnded tells the fee of a payment that brought no money.
func EndAttemptOnEnded() Policy {
	return Policy{"end-attempt-on-ended", payment.Catalog, func(ctx context.Context, h Happened) error {
		switch e := h.Is.(type) {
		case payment.Failed:
			return h.App.EndAttempt(ctx, h.Caller, h.Stream, e.Cause)
		case payment.Reversed:
			return h.App.EndAttempt(ctx, h.Caller, h.Stream, e.Cause)
		case payment.Gone:
			return h.App.EndAttempt(ctx, h.Caller, h.Stream, "")
		}
		return nil
	}}
}
