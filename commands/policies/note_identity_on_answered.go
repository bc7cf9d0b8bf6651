package policies

import (
	"context"

	"govahi/domain/inquiry"
)

// NoteIdentityOnAnswered takes the registry's answer into the request's record.
func NoteIdentityOnAnswered() Policy {
	return when("note-identity-on-answered", inquiry.Catalog,
		func(ctx context.Context, h Happened, e inquiry.Answered) error {
			return h.App.NoteAnswer(ctx, h.Caller, e)
		})
}
