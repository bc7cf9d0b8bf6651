package policies

import (
	"context"

	"govahi/domain/access"
)

// NoteAccessOnDefined tells a request of channel B that its user is defined.
func NoteAccessOnDefined() Policy {
	return when("note-access-on-defined", access.Catalog, func(ctx context.Context, h Happened, e access.UserDefined) error {
		return h.App.NoteAccess(ctx, h.Caller, e.Request, e.UserName)
	})
}
