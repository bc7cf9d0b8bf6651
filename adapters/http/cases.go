package http

import (
	"context"

	"govahi/commands"
	"govahi/queries"
)

type numbered struct {
	Coded
	Body struct {
		Statement string `json:"statement" maxLength:"4000"`
	}
}

type casesOf struct {
	Status string `query:"status" enum:"open,refuted,established"`
}

// cases is what follows false information (S1.6).
func (h House) cases(s *Server) {
	const tag = "False information"
	Command(s, Operation{ID: "report-inaccuracy", Method: "POST", Path: "/certificates/{serial}/reports", Tag: tag, Status: 201, Summary: "Report that information behind a certificate is false"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Serialed
			Body struct {
				Statement string `json:"statement" maxLength:"4000"`
			}
		},
		) (commands.Receipt, TrackingCode, error) {
			r, err := h.App.ReportInaccuracy(ctx, c, in.Serial, in.Body.Statement)
			return r, TrackingCode{r.Stream.ID()}, err
		})
	Watch(s, Operation{ID: "list-cases", Method: "GET", Path: "/cases", Tag: tag, Summary: "Reports of false information", View: "cases"},
		func(ctx context.Context, _ Identity, in *casesOf) ([]queries.Case, error) {
			return h.Queries.Cases(ctx, in.Status)
		},
		func(ctx context.Context, id Identity, _ *casesOf, _ func() ([]queries.Case, error)) error {
			return h.may(ctx, id, overseers...)
		})
	Command(s, Operation{ID: "refute-inaccuracy", Method: "POST", Path: "/cases/{code}/refutation", Tag: tag, Summary: "Close a case in the holder's favour"},
		func(ctx context.Context, c commands.Caller, in *numbered) (commands.Receipt, Nothing, error) {
			return done(h.App.RefuteInaccuracy(ctx, c, in.plain(), in.Body.Statement))
		})
	Command(s, Operation{ID: "establish-inaccuracy", Method: "POST", Path: "/cases/{code}/establishment", Tag: tag, Summary: "Establish falsity: the certificate is revoked, always (S1.6)"},
		func(ctx context.Context, c commands.Caller, in *numbered) (commands.Receipt, Nothing, error) {
			return done(h.App.EstablishInaccuracy(ctx, c, in.plain(), in.Body.Statement))
		})
}
