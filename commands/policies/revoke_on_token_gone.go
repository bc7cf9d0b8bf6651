package policies

import (
	"context"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/token"
)

// RevokeOnTokenGone revokes the certificate of a token that is lost, of a broken
// seal, defective or too late (domain §4.4; §2.4, policy 4). What was out of
// hands counts as a compromise of its key.
func RevokeOnTokenGone() Policy {
	return Policy{"revoke-on-token-gone", token.Catalog, func(ctx context.Context, h Happened) error {
		var ground certificate.Ground
		switch e := h.Is.(type) {
		case token.Received:
			if e.SealIntact {
				return nil
			}
			ground = certificate.SealBroken
		case token.Lost:
			ground = certificate.TokenLost
		case token.FoundDefective:
			ground = certificate.TokenBroken
		case token.Recalled:
			if e.Cause == token.Revoked {
				return nil
			}
			ground = certificate.TokenOverdue
		default:
			return nil
		}
		return h.App.RevokeForToken(ctx, h.Caller, h.Stream.ID(), ground)
	}}
}

// RevokeOnIssuedForTokenGone does so for what was issued when its token was gone
// already.
func RevokeOnIssuedForTokenGone() Policy {
	return when("revoke-on-issued-for-token-gone", enrollment.Catalog,
		func(ctx context.Context, h Happened, _ enrollment.Issued) error {
			return h.App.RevokeForGoneToken(ctx, h.Caller, h.Stream)
		})
}
