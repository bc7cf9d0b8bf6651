package policies

import (
	"context"

	"govahi/domain/enrollment"
)

// FollowTokenOnPersonalised tells the token's stream which certificate it has.
func FollowTokenOnPersonalised() Policy {
	return when("follow-token-on-personalised", enrollment.Catalog,
		func(ctx context.Context, h Happened, e enrollment.TokenPersonalised) error {
			return h.App.FollowToken(ctx, h.Caller, h.Stream, e.By, false)
		})
}

// FollowTokenOnDelivered tells the token's stream that the applicant has it.
func FollowTokenOnDelivered() Policy {
	return when("follow-token-on-delivered", enrollment.Catalog,
		func(ctx context.Context, h Happened, e enrollment.Delivered) error {
			return h.App.FollowToken(ctx, h.Caller, h.Stream, e.By, true)
		})
}
