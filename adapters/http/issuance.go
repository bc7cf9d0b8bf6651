package http

import (
	"context"

	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/queries"
)

// issuance is the way from a confirmed record to the applicant's hand.
func (h House) issuance(s *Server) {
	const tag = "Issuance and delivery"
	Command(s, Operation{ID: "reserve-token", Method: "POST", Path: "/requests/{code}/token", Tag: tag, Summary: "Reserve a blank token of the office's stock (S1.11)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Token string `json:"token" maxLength:"32" doc:"Serial of the token"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.ReserveToken(ctx, c, in.plain(), in.Body.Token))
		})
	Command(s, Operation{ID: "issue-certificate", Method: "POST", Path: "/requests/{code}/issuance", Tag: tag, Summary: "Ask the CA for the certificate of a key born on the token (S1.10)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Token string `json:"token" maxLength:"32"`
				CSR   string `json:"csr" maxLength:"16384" doc:"PKCS#10 request (RFC 2986), PEM or base64"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.IssueCertificate(ctx, c, in.plain(), in.Body.Token, pki.DecodeCSR([]byte(in.Body.CSR))))
		})
	Query(s, Operation{ID: "list-issuance-queue", Method: "GET", Path: "/issuance-queue", Tag: tag, Summary: "Requests at the CA, and those that it gave back, which wait longest first", View: "requests"},
		func(ctx context.Context, id Identity, _ *struct{}) ([]queries.Issuance, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return nil, err
			}
			return h.queue(ctx)
		})
	Command(s, Operation{ID: "personalise-token", Method: "POST", Path: "/requests/{code}/personalisation", Tag: tag, Summary: "Say that the certificate was written to the token and read back"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body struct {
				Token       string `json:"token" maxLength:"32"`
				Fingerprint string `json:"fingerprint" maxLength:"128" doc:"SHA-256 of the certificate read back"`
			}
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.PersonaliseToken(ctx, c, in.plain(), in.Body.Token, in.Body.Fingerprint))
		})
	Command(s, Operation{ID: "print-sheet", Method: "POST", Path: "/requests/{code}/sheet", Tag: tag, Summary: "Record a printout of the certificate's particulars (S1.12)"},
		func(ctx context.Context, c commands.Caller, in *Coded) (commands.Receipt, Nothing, error) {
			return done(h.App.PrintSheet(ctx, c, in.plain()))
		})
	Command(s, Operation{ID: "deliver-token", Method: "POST", Path: "/requests/{code}/delivery", Tag: tag, Summary: "Hand token and sheet to the applicant, identity re-checked (S1.11)"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Coded
			Body commands.DeliverToken
		},
		) (commands.Receipt, Nothing, error) {
			return done(h.App.DeliverToken(ctx, c, in.plain(), in.Body))
		})
	Command(s, Operation{ID: "accept-certificate", Method: "POST", Path: "/requests/{code}/acceptance", Tag: tag, Summary: "Accept the certificate, as its subscriber"},
		func(ctx context.Context, c commands.Caller, in *Coded) (commands.Receipt, Nothing, error) {
			return done(h.App.AcceptCertificate(ctx, c, in.plain()))
		})
}
