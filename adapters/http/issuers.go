package http

import (
	"context"

	"govahi/commands"
	"govahi/domain/iran"
)

// Issuer is one issuing CA, and how far a mass revocation of its certificates is.
type Issuer struct {
	commands.IssuerStanding
	Live    *int `json:"live,omitempty" doc:"Certificates that are not revoked, expired ones and those of its OCSP responder too; nothing while that is being counted"`
	Revoked *int `json:"revoked,omitempty"`
}

// issuers is the succession of the intermediate, and the drill for a compromised
// key (docs/operations.md).
func (h House) issuers(s *Server) {
	const tag = "Issuers"
	Query(s, Operation{ID: "list-issuers", Method: "GET", Path: "/issuers", Tag: tag, Summary: "Every issuing CA of this house, the newest first, and how far a mass revocation is"},
		func(ctx context.Context, id Identity, _ *struct{}) ([]Issuer, error) {
			if err := h.may(ctx, id, overseers...); err != nil {
				return nil, err
			}
			return h.counted(ctx)
		})
	Command(s, Operation{
		ID: "retire-issuer", Method: "POST", Path: "/issuers/{issuer}/retirement", Tag: tag,
		Summary: "Let another issuer issue alone; this one answers for what it issued",
		Text:    "Two operators of the CA ask for it: the first proposes, the second, in 24 hours, does it; the answer says which.",
	},
		func(ctx context.Context, c commands.Caller, in *OfIssuer) (commands.Receipt, commands.IssuerStanding, error) {
			r, err := h.App.RetireIssuer(ctx, c, in.Issuer)
			return h.standsNow(ctx, in.Issuer, r, err)
		})
	Command(s, Operation{
		ID: "declare-ca-compromised", Method: "POST", Path: "/issuers/{issuer}/compromise", Tag: tag,
		Summary: "Declare that an issuer's key may be in other hands: it issues no more, and all that it issued is revoked",
		Text:    "Two operators of the CA ask for it: the first proposes, the second, in 24 hours, does it; the answer says which. It cannot be taken back.",
	},
		func(ctx context.Context, c commands.Caller, in *OfIssuer) (commands.Receipt, commands.IssuerStanding, error) {
			r, err := h.App.DeclareCACompromised(ctx, c, in.Issuer)
			return h.standsNow(ctx, in.Issuer, r, err)
		})
}

// standsNow tells an operator whether his word has proposed an end or made it.
func (h House) standsNow(ctx context.Context, fingerprint string, r commands.Receipt, err error) (commands.Receipt, commands.IssuerStanding, error) {
	if err != nil {
		return r, commands.IssuerStanding{}, err
	}
	all, err := h.App.IssuerStandings(ctx)
	for _, one := range all {
		if one.Issuer == iran.Hexadecimal(fingerprint) {
			return r, one, err
		}
	}
	return r, commands.IssuerStanding{}, err
}

func (h House) counted(ctx context.Context) (all []Issuer, err error) {
	standings, err := h.App.IssuerStandings(ctx)
	for _, s := range standings {
		one := Issuer{IssuerStanding: s}
		if h.Standings != nil {
			if live, revoked, known := h.Standings.Count(s.Issuer, h.first().Issuer() == s.Issuer); known {
				one.Live, one.Revoked = &live, &revoked
			}
		}
		all = append(all, one)
	}
	return all, err
}
