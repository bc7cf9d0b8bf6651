package policies

import (
	"context"

	"govahi/domain/certificate"
)

// NoteRequestOnRevoked ends the request of a revoked certificate: its token is
// not handed over any more, and its sheet is void.
func NoteRequestOnRevoked() Policy {
	return when("note-request-on-revoked", certificate.Catalog,
		func(ctx context.Context, h Happened, e certificate.Revoked) error {
			return h.App.NoteRevoked(ctx, h.Caller, e)
		})
}
