package http

import (
	"context"
	"encoding/base64"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/queries"
)

// inside is the way of dossiers up and of tokens down (channel B, S1.18–S1.24).
func (h House) inside(s *Server) {
	const tag = "Inside channel"
	Command(s, Operation{ID: "approve-dossier", Method: "POST", Path: "/requests/{code}/approval", Tag: tag, Summary: "Approve the documents, as the research unit of the applicant's company; nobody his own (S1.19)"},
		func(ctx context.Context, c commands.Caller, in *Coded) (commands.Receipt, Nothing, error) {
			return done(h.App.ApproveDossier(ctx, c, in.plain()))
		})
	Command(s, Operation{ID: "return-dossier", Method: "POST", Path: "/requests/{code}/return", Tag: tag, Summary: "Return the dossier to the applicant, to be mended"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Fields []string `json:"fields" minItems:"1" maxItems:"16" maxLength:"20" doc:"JSON names of form fields"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.ReturnDossier(ctx, c, in.plain(), in.Body.Fields))
		})
	Command(s, Operation{ID: "dispatch-consignment", Method: "POST", Path: "/consignments", Tag: tag, Status: 201, Summary: "Dispatch counted dossiers to the next place (S1.19)"},
		func(ctx context.Context, c commands.Caller, in *struct{ Body commands.DispatchConsignment }) (commands.Receipt, ConsignmentNumber, error) {
			r, err := h.App.DispatchConsignment(ctx, c, in.Body)
			return r, ConsignmentNumber{r.Stream.ID()}, err
		})
	Command(s, Operation{ID: "receive-consignment", Method: "POST", Path: "/consignments/{number}/receipt", Tag: tag, Summary: "Count and receive a consignment; a difference opens a discrepancy case"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Numbered
			Body commands.ReceiveConsignment
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.ReceiveConsignment(ctx, c, in.plain(), in.Body))
		})
	Command(s, Operation{ID: "resolve-discrepancy", Method: "POST", Path: "/consignments/{number}/resolution", Tag: tag, Summary: "Account for every dossier that did not come"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Numbered
			Body commands.ResolveDiscrepancy
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.ResolveDiscrepancy(ctx, c, in.plain(), in.Body))
		})
	Query(s, Operation{ID: "list-consignments", Method: "GET", Path: "/offices/{office}/consignments", Tag: tag, Summary: "Consignments that a place sent, or that were sent to it", View: "consignments"},
		func(ctx context.Context, id Identity, in *struct {
			Office string `path:"office" maxLength:"40"`
		},
		) ([]queries.Consignment, error) {
			if err := h.may(ctx, id, officersOf(in.Office)...); err != nil {
				return nil, err
			}
			return h.Queries.Consignments(ctx, in.Office)
		})
	Query(s, Operation{ID: "list-discrepancies", Method: "GET", Path: "/discrepancies", Tag: tag, Summary: "Consignments with an open difference", View: "consignments"},
		func(ctx context.Context, id Identity, _ *struct{}) ([]queries.Consignment, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return nil, err
			}
			return h.Queries.Discrepancies(ctx)
		})
	h.custody(s)
}

// ConsignmentNumber answers who sent a consignment.
type ConsignmentNumber struct {
	Number string `json:"number" doc:"12 digits, Damm check digit"`
}

// custody is who has which token, from hand to hand (S1.21–S1.24, invariants 5, 6).
func (h House) custody(s *Server) {
	const tag = "Tokens"
	Command(s, Operation{ID: "issue-pin", Method: "POST", Path: "/tokens/{serial}/pin", Tag: tag, Summary: "Record by which way the PIN's envelope goes: never with the token"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Serialed
			Body commands.IssuePIN
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.IssuePIN(ctx, c, in.Serial, in.Body))
		})
	Command(s, Operation{ID: "hand-over-token", Method: "POST", Path: "/tokens/{serial}/hand-over", Tag: tag, Summary: "Send the token on, sealed: back to the origin of its request and nowhere else (S1.21)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Serialed
			Body commands.HandOverToken
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.HandOverToken(ctx, c, in.Serial, in.Body))
		})
	Command(s, Operation{ID: "take-token", Method: "POST", Path: "/tokens/{serial}/receipt", Tag: tag, Summary: "Receive the token, with the state of its seal"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Serialed
			Body commands.TakeToken
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.TakeToken(ctx, c, in.Serial, in.Body))
		})
	for _, o := range []struct {
		id, path, summary string
		do                func(context.Context, commands.Caller, string) (commands.Receipt, error)
	}{
		{"report-token-lost", "loss", "Declare a token lost: its certificate is revoked at once", h.App.ReportTokenLost},
		{"report-token-defective", "defect", "Declare a token defective: its certificate is revoked", h.App.ReportTokenDefective},
		{"return-token", "return", "Take a token back that is no good any more", h.App.ReturnToken},
		{"destroy-token", "destruction", "Destroy a returned token, and its key with it", h.App.DestroyToken},
	} {
		Command(s, Operation{ID: o.id, Method: "POST", Path: "/tokens/{serial}/" + o.path, Tag: tag, Summary: o.summary},
			func(ctx context.Context, c commands.Caller, in *Serialed) (commands.Receipt, Nothing, error) {
				return done(o.do(ctx, c, in.Serial))
			})
	}
	Command(s, Operation{ID: "note-pin", Method: "POST", Path: "/requests/{code}/pin", Tag: tag, Summary: "Say that the PIN's envelope came, closed"},
		func(ctx context.Context, c commands.Caller, in *Coded) (commands.Receipt, Nothing, error) {
			return done(h.App.NotePIN(ctx, c, in.plain()))
		})
	Command(s, Operation{ID: "activate-token", Method: "POST", Path: "/requests/{code}/activation", Tag: tag, Summary: "Activate one's token: it signs the activation statement, with the PIN of its holder"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Signature string `json:"signature" maxLength:"12288" doc:"CMS (RFC 5652), detached, over the activation statement, by the certificate on the token; DER, base64"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			signature, _ := base64.StdEncoding.DecodeString(in.Body.Signature) // what is none is refused as such
			return done(h.App.ActivateToken(ctx, c, in.plain(), signature))
		})
	Query(s, Operation{ID: "list-token-alarms", Method: "GET", Path: "/token-alarms", Tag: tag, Summary: "Tokens that were not received, delivered or activated in time", View: "tokens"},
		func(ctx context.Context, id Identity, _ *struct{}) ([]queries.Token, error) {
			if err := h.may(ctx, id, append([]appointment.Post{{Role: appointment.Administrator}}, overseers...)...); err != nil {
				return nil, err
			}
			return h.Queries.Alarms(ctx)
		})
}
