package http

import (
	"context"
	"encoding/base64"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/enrollment"
	"govahi/queries"
)

type queue struct {
	Office string `path:"office" maxLength:"40"`
	State  string `query:"state" enum:"draft,completed,ready,at-office,under-control,needs-correction,controlled,confirmed,at-ca,issued,ready-for-delivery,delivered,accepted,rejected,withdrawn,revoked,active,at-research-unit,approved,in-transit,at-authority,ready-for-dispatch,at-origin,back-at-research-unit,access-defined,at-company-unit" doc:"Only requests in this state"`
}

// desk is what the officers of a registration office do with a request.
func (h House) desk(s *Server) {
	const tag = "Registration office"
	Watch(s, Operation{ID: "list-office-requests", Method: "GET", Path: "/offices/{office}/requests", Tag: tag, Summary: "The office's queue, those that wait longest first", View: requestViews},
		func(ctx context.Context, _ Identity, in *queue) ([]queries.Request, error) {
			return h.Queries.Queue(ctx, in.Office, queries.Search{State: in.State})
		},
		func(ctx context.Context, id Identity, in *queue, _ func() ([]queries.Request, error)) error {
			return h.may(ctx, id, officersOf(in.Office)...)
		})
	Query(s, Operation{ID: "search-office-requests", Method: "POST", Path: "/offices/{office}/search", Tag: tag, Summary: "Find requests by personal data, which never stands in an address", View: requestViews},
		func(ctx context.Context, id Identity, in *struct {
			Office string `path:"office" maxLength:"40"`
			Body   queries.Search
		},
		) ([]queries.Request, error) {
			if err := h.may(ctx, id, appointment.Post{Role: appointment.RegistrationOfficer, Place: in.Office}); err != nil {
				return nil, err
			}
			return h.Queries.Queue(ctx, in.Office, in.Body)
		})
	Command(s, Operation{ID: "verify-documents", Method: "POST", Path: "/requests/{code}/documents", Tag: tag, Summary: "Record originals as sighted and start the identity inquiry (S1.26–30)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body commands.VerifyDocuments
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.VerifyDocuments(ctx, c, in.plain(), in.Body))
		})
	Command(s, Operation{ID: "repeat-inquiry", Method: "POST", Path: "/requests/{code}/inquiry", Tag: tag, Summary: "Ask the registry again after an inconclusive answer"},
		func(ctx context.Context, c commands.Caller, in *Coded) (commands.Receipt, Nothing, error) {
			return done(h.App.RepeatInquiry(ctx, c, in.plain()))
		})
	Command(s, Operation{ID: "record-payment", Method: "POST", Path: "/requests/{code}/payment", Tag: tag, Summary: "Record a payment at the counter's terminal (S1.9)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body commands.RecordPayment
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.RecordPayment(ctx, c, in.plain(), in.Body))
		})
	Command(s, Operation{ID: "require-control", Method: "POST", Path: "/requests/{code}/controls", Tag: tag, Summary: "Require a further control at the office's discretion (S1.29, S1.31)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Control enrollment.Control `json:"control" enum:"address,telephone,discretionary"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.RequireControl(ctx, c, in.plain(), in.Body.Control))
		})
	Command(s, Operation{ID: "close-control", Method: "POST", Path: "/requests/{code}/control-results", Tag: tag, Summary: "Say how a further control ended"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Control enrollment.Control `json:"control" enum:"address,telephone,discretionary"`
				Passed  bool               `json:"passed"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.CloseControl(ctx, c, in.plain(), in.Body.Control, in.Body.Passed))
		})
	Command(s, Operation{ID: "request-correction", Method: "POST", Path: "/requests/{code}/correction", Tag: tag, Summary: "Send the form back to be mended"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Fields []string `json:"fields" minItems:"1" maxItems:"16" maxLength:"20" doc:"JSON names of form fields"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.RequestCorrection(ctx, c, in.plain(), in.Body.Fields))
		})
	Command(s, Operation{ID: "reject-request", Method: "POST", Path: "/requests/{code}/rejection", Tag: tag, Summary: "End the request before issuance (S1.37)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Reason enrollment.RejectionReason `json:"reason" enum:"documents-missing,identity-mismatch,information-false,not-entitled,control-not-passed,applicant-no-answer"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.RejectRequest(ctx, c, in.plain(), in.Body.Reason))
		})
	Query(s, Operation{ID: "review-record", Method: "GET", Path: "/requests/{code}/record", Tag: tag, Summary: "The record to confirm, with its revision and hash"},
		func(ctx context.Context, id Identity, in *Coded) (commands.Review, error) {
			return h.App.ReviewRecord(ctx, commands.Caller{Person: id.Person}, in.plain())
		})
	Command(s, Operation{ID: "confirm-information", Method: "POST", Path: "/requests/{code}/confirmation", Tag: tag, Summary: "Confirm, as second officer, exactly the record seen (S1.10)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Revision uint64 `json:"revision"`
				Hash     string `json:"hash" maxLength:"64"`

				Signature string `json:"signature" maxLength:"12288" doc:"CMS (RFC 5652), detached, over the record's statement, by the officer's own certificate; DER, base64"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			signature, _ := base64.StdEncoding.DecodeString(in.Body.Signature) // what is none is refused as such
			return done(h.App.ConfirmInformation(ctx, c, in.plain(), enrollment.Record{Revision: in.Body.Revision, Hash: in.Body.Hash}, signature))
		})
}

// officersOf are those who may see the queue of an office, a unit or an authority.
func officersOf(office string) []appointment.Post {
	var posts []appointment.Post
	for _, role := range appointment.Local {
		posts = append(posts, appointment.Post{Role: role, Place: office})
	}
	return append(posts, overseers...)
}
