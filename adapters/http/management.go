package http

import (
	"context"

	"govahi/queries"
)

// management is the view of those who lead.
func (h House) management(s *Server) {
	Watch(s, Operation{ID: "get-management", Method: "GET", Path: "/management", Tag: "Management", Summary: "Counts by state, channel, province and office; waiting times; refusals and revocations by reason", View: managementViews},
		func(ctx context.Context, _ Identity, _ *struct{}) (queries.Management, error) {
			return h.Queries.Management(ctx, h.App.Clock())
		},
		func(ctx context.Context, id Identity, _ *struct{}, _ func() (queries.Management, error)) error {
			return h.may(ctx, id, overseers...)
		})
}
