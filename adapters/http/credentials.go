package http

import (
	"context"

	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/queries"
)

// CredentialNumber answers who asked for his certificate.
type CredentialNumber struct {
	Number string `json:"number" doc:"12 digits, Damm check digit"`
}

// Numbered is a path with the number of a credential.
type Numbered struct {
	Number string `path:"number" maxLength:"40" doc:"Number of the request, as given when it was made"`
}

func (n Numbered) plain() string { return Coded{n.Number}.plain() }

// credentials is the officers' own certificates (domain §4.5).
func (h House) credentials(s *Server) {
	const tag = "Officers' certificates"
	Command(s, Operation{ID: "request-credential", Method: "POST", Path: "/credentials", Tag: tag, Status: 201, Summary: "Ask for one's own certificate as a registration officer, with a key born on one's token"},
		func(ctx context.Context, c commands.Caller, in *struct {
			Body struct {
				commands.RequestCredential
				CSR string `json:"csr" maxLength:"16384" doc:"PKCS#10 request (RFC 2986), PEM or base64"`
			}
		},
		) (commands.Receipt, CredentialNumber, error) {
			r, err := h.App.RequestCredential(ctx, c, in.Body.RequestCredential, pki.DecodeCSR([]byte(in.Body.CSR)))
			return r, CredentialNumber{r.Stream.ID()}, err
		})
	Command(s, Operation{ID: "approve-credential", Method: "POST", Path: "/credentials/{number}/approval", Tag: tag, Summary: "Vouch for the officer: the CA issues his certificate"},
		func(ctx context.Context, c commands.Caller, in *Numbered) (commands.Receipt, Nothing, error) {
			return done(h.App.ApproveCredential(ctx, c, in.plain()))
		})
	Command(s, Operation{ID: "refuse-credential", Method: "POST", Path: "/credentials/{number}/refusal", Tag: tag, Summary: "Refuse the officer's request"},
		func(ctx context.Context, c commands.Caller, in *Numbered) (commands.Receipt, Nothing, error) {
			return done(h.App.RefuseCredential(ctx, c, in.plain()))
		})
	Query(s, Operation{ID: "list-credentials", Method: "GET", Path: "/credentials", Tag: tag, Summary: "Officers' requests for their certificates: one's own, or all for overseers", View: "credentials"},
		func(ctx context.Context, id Identity, _ *struct{}) ([]queries.Credential, error) {
			held, err := h.App.Posts(ctx, commands.Caller{Person: id.Person})
			if err != nil {
				return nil, err
			}
			for _, r := range appointment.Overseers {
				if held.Holds(r, "", h.App.Clock()) {
					return h.Queries.Credentials(ctx)
				}
			}
			return h.Queries.CredentialsOf(ctx, id.Person)
		})
}
