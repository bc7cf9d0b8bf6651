package policies

import (
	"context"

	"govahi/domain/certificate"
)

// RecallTokenOnRevoked asks for the token back whose certificate is no good any
// more (§2.4, policy 6).
func RecallTokenOnRevoked() Policy {
	return when("recall-token-on-revoked", certificate.Catalog, func(ctx context.Context, h Happened, e certificate.Revoked) error {
		return h.App.RecallToken(ctx, h.Caller, e.Serial)
	})
}
