package policies

import (
	"context"

	"govahi/domain/enrollment"
)

// IssueOnIssuanceRequested is the issuance handler (pki §5.3).
func IssueOnIssuanceRequested() Policy {
	return when("issue-on-issuance-requested", enrollment.Catalog,
		func(ctx context.Context, h Happened, _ enrollment.IssuanceRequested) error {
			return h.App.Issue(ctx, h.Caller, h.Stream)
		})
}
