package policies

import (
	"context"

	"govahi/domain/enrollment"
)

// ReleaseOpeningOnOver lets a person begin another request once this one is
// over (invariant 3).
func ReleaseOpeningOnOver() Policy {
	return Policy{"release-opening-on-over", enrollment.Catalog, func(ctx context.Context, h Happened) error {
		switch h.Is.(type) {
		case enrollment.Accepted, enrollment.Rejected, enrollment.Withdrawn, enrollment.Revoked:
			return h.App.ReleaseOpening(ctx, h.Caller, h.Stream)
		}
		return nil
	}}
}
