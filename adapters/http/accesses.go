package http

import (
	"context"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/queries"
)

// accesses is what a research and technology unit does (S1.14).
func (h House) accesses(s *Server) {
	const tag = "CPMIS access"
	Command(s, Operation{ID: "define-access", Method: "POST", Path: "/accesses", Tag: tag, Status: 201, Summary: "Define a CPMIS user name and level, after the delivery (S1.13)"},
		func(ctx context.Context, c commands.Caller, in *struct{ Body commands.DefineAccess }) (commands.Receipt, Nothing, error) {
			in.Body.TrackingCode = Coded{in.Body.TrackingCode}.plain()
			return done(h.App.DefineAccess(ctx, c, in.Body))
		})
	Query(s, Operation{ID: "list-unit-accesses", Method: "GET", Path: "/units/{unit}/accesses", Tag: tag, Summary: "CPMIS users of a unit, by effective state", View: "accesses certificates"},
		func(ctx context.Context, id Identity, in *struct {
			Unit string `path:"unit" maxLength:"40"`
		},
		) ([]queries.Access, error) {
			if err := h.may(ctx, id, append([]appointment.Post{{Role: appointment.ResearchOfficer, Place: in.Unit}}, overseers...)...); err != nil {
				return nil, err
			}
			return h.Queries.Accesses(ctx, in.Unit, h.App.Clock())
		})
}
