package policies

import (
	"context"

	"govahi/domain/inquiry"
)

// DoubtOnAnswered opens or feeds a case when the registry no longer answers as it
// did before the issue: a mismatch, a cancelled national code, a death.
func DoubtOnAnswered() Policy {
	return when("doubt-on-answered", inquiry.Catalog,
		func(ctx context.Context, h Happened, e inquiry.Answered) error {
			return h.App.DoubtAnswered(ctx, h.Caller, e)
		})
}
