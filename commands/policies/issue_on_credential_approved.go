package policies

import (
	"context"

	"govahi/domain/credential"
)

// IssueOnCredentialApproved has the CA issue an officer's own certificate.
func IssueOnCredentialApproved() Policy {
	return when("issue-on-credential-approved", credential.Catalog,
		func(ctx context.Context, h Happened, _ credential.Approved) error {
			return h.App.IssueCredential(ctx, h.Caller, h.Stream)
		})
}
