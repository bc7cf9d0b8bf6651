package policies

import (
	"context"

	"govahi/domain/enrollment"
)

// SendEmailCodeOnFormCompleted starts the proof of the form's address (§2.4,
// EmailProof).
func SendEmailCodeOnFormCompleted() Policy {
	return when("send-email-code-on-form-completed", enrollment.Catalog,
		func(ctx context.Context, h Happened, e enrollment.FormCompleted) error {
			return h.App.FirstEmailCode(ctx, h.Caller, h.Stream, e.Version)
		})
}
