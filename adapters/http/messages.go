package http

import (
	"context"

	"govahi/commands"
	"govahi/queries"
)

// messages is what was written to a person (domain §2.5).
func (h House) messages(s *Server) {
	Query(s, Operation{ID: "list-messages", Method: "GET", Path: "/messages", Tag: "Requests", Summary: "The messages that were written to me: which, when and whether they arrived; no text and no address", View: "notifications"},
		func(ctx context.Context, id Identity, _ *struct{}) ([]queries.Message, error) {
			list, err := h.Queries.MessagesTo(ctx, id.Person)
			for i, m := range list {
				list[i].Title = commands.TitleOf(m.Template)
			}
			return list, err
		})
}
