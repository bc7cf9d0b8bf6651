package http

import (
	"context"

	"govahi/commands"
	"govahi/domain/revocation"
	"govahi/queries"
)

type numbered struct {
	Coded
	Body struct {
		Statement string `json:"statement" maxLength:"4000"`
	}
}

type casesOf struct {
	Status string `query:"status" enum:"open,investigating,refuted,established"`
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
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Statement string             `json:"statement" maxLength:"4000"`
				Finding   revocation.Finding `json:"finding,omitempty" required:"false" enum:"false-information,affiliation-lost,holder-dead" doc:"What was established; left out, what the case's source suggests"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.EstablishInaccuracy(ctx, c, in.plain(), in.Body.Statement, in.Body.Finding))
		})
	Query(s, Operation{ID: "get-case", Method: "GET", Path: "/cases/{code}", Tag: tag, Summary: "A case with its evidence, straight from the log"},
		func(ctx context.Context, id Identity, in *Coded) (commands.CaseReview, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return commands.CaseReview{}, err
			}
			return h.App.ReviewCase(ctx, in.plain())
		})
	Command(s, Operation{ID: "open-investigation", Method: "POST", Path: "/cases/{code}/investigation", Tag: tag, Summary: "Say that the CA looks into a case"},
		func(ctx context.Context, c commands.Caller, in *Coded) (commands.Receipt, Nothing, error) {
			return done(h.App.OpenInvestigation(ctx, c, in.plain()))
		})
	Command(s, Operation{ID: "add-evidence", Method: "POST", Path: "/cases/{code}/evidence", Tag: tag, Summary: "Add what the CA found out itself"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Statement string `json:"statement" maxLength:"4000"`
				Letter    string `json:"letter,omitempty" required:"false" maxLength:"64" doc:"Number and date of a letter"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.AddEvidence(ctx, c, in.plain(), in.Body.Statement, in.Body.Letter))
		})
	Command(s, Operation{ID: "report-affiliation-ended", Method: "POST", Path: "/certificates/{serial}/affiliation-end", Tag: tag, Status: 201, Summary: "Propose the revocation of somebody who left his organisation, by its letter"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Serialed
			Body struct {
				Number string `json:"number" maxLength:"40" doc:"Of the organisation's letter"`
				Date   string `json:"date" maxLength:"20" doc:"Its date, Jalali"`
			}
		},
		) (commands.Receipt, TrackingCode, error) {
			r, err := h.App.ReportAffiliationEnded(ctx, c, in.Serial, in.Body.Number, in.Body.Date)
			return r, TrackingCode{r.Stream.ID()}, err
		})
}
