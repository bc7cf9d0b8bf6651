package policies

import (
	"context"

	"govahi/domain/enrollment"
)

// RequestInquiryOnInquired opens the inquiry that the desk asked for (S1.30).
func RequestInquiryOnInquired() Policy {
	return when("request-inquiry-on-inquired", enrollment.Catalog,
		func(ctx context.Context, h Happened, e enrollment.IdentityInquired) error {
			return h.App.RequestInquiry(ctx, h.Caller, h.Stream, e)
		})
}
