package commands

import (
	"context"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/iran"
	"govahi/domain/issuer"
)

// Issuers are all issuers of this house, the newest first.
func (a *App) Issuers() []Authority { return append([]Authority{a.Authority}, a.Elder...) }

// IntroduceIssuers takes the issuers that the house found into the log, each once.
func (a *App) IntroduceIssuers(ctx context.Context) error {
	for _, of := range a.Issuers() {
		as := a.do(Caller{Policy: "issuers", Key: of.Issuer()}, "IntroduceIssuer", asPolicy, of.Issuer())
		introduce := issuer.Introduce(of.Introduction())
		introduce.At = as.at
		if _, err := transact(ctx, a, issuer.Kind, issuer.Kind.Stream(of.Issuer()), as, just[issuer.Issuer](introduce)); err != nil {
			return err
		}
	}
	return nil
}

// issuing is the newest issuer that issues now, with a fresh serial.
func (a *App) issuing(ctx context.Context) (of Authority, serial string, err error) {
	if err := a.Standing.Fresh(ctx); err != nil {
		return nil, "", unavailable(err)
	}
	var why error = issuer.ErrNoneOpen
	for _, of := range a.Issuers() {
		said, err := stands(ctx, a, issuer.Kind, issuer.Kind.Stream(of.Issuer()))
		if err != nil {
			return nil, "", err
		}
		if said.Ending(of.Ended()) != "" {
			continue
		}
		serial, err := of.NewSerial(a.Clock())
		if err == nil {
			return of, serial, nil
		}
		why = err
	}
	return nil, "", why
}

// ending is how an issuer ended, by the CA's directory or by the log; the worse
// counts. The signer looks itself. It ends the signing of certificates, and nothing
// else: one person alone writes into the directory.
func (a *App) ending(ctx context.Context, of Authority) (issuer.Ending, error) {
	h, err := load(ctx, a, issuer.Kind, issuer.Kind.Stream(of.Issuer()))
	return h.state.Ending(of.Ended()), err
}

// declared is how an issuer ended by the log, which takes two operators. What cannot
// be taken back goes by it: the mass revocation, and the last list.
func (a *App) declared(ctx context.Context, of Authority) (issuer.Ending, error) {
	h, err := load(ctx, a, issuer.Kind, issuer.Kind.Stream(of.Issuer()))
	return h.state.Ending(""), err
}

// certifiesNothing tells of an issuer that does not even certify who answers for
// it: its key is compromised, or a newer one is there and its own certificate is
// over.
func (a *App) certifiesNothing(ctx context.Context, of Authority) (bool, error) {
	ending, err := a.ending(ctx, of)
	over := of.Issuer() != a.Authority.Issuer() && a.Clock().After(of.Introduction().NotAfter)
	return ending == issuer.Compromise || over, err
}

// RetireIssuer ends the issuing by an issuer that another one came beside; it goes
// on to say where its certificates stand. Two operators of the CA ask for it.
func (a *App) RetireIssuer(ctx context.Context, c Caller, fingerprint string) (Receipt, error) {
	return a.endIssuer(ctx, c, "RetireIssuer", fingerprint, issuer.Retirement)
}

// DeclareCACompromised ends everything but the lists of an issuer whose key may be
// in other hands, from that moment: all that it issued is revoked (domain §4.4).
// Two operators of the CA ask for it.
func (a *App) DeclareCACompromised(ctx context.Context, c Caller, fingerprint string) (Receipt, error) {
	return a.endIssuer(ctx, c, "DeclareCACompromised", fingerprint, issuer.Compromise)
}

func (a *App) endIssuer(ctx context.Context, c Caller, name, fingerprint string, how issuer.Ending) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.CAOperator, "")
	if err != nil {
		return Receipt{}, err
	}
	id := iran.Hexadecimal(fingerprint)
	successor, known, err := a.succeeded(ctx, id)
	if err != nil {
		return Receipt{}, err
	}
	if !known {
		return Receipt{}, issuer.ErrUnknown
	}
	as := a.do(c, name, authority, id)
	end := issuer.End{Ending: how, Successor: successor, By: c.Person, At: as.at}
	return transact(ctx, a, issuer.Kind, issuer.Kind.Stream(id), as, just[issuer.Issuer](end))
}

// IssuerStanding is an issuer and where it stands.
type IssuerStanding struct {
	Issuer    string        `json:"issuer" doc:"SHA-256 of its certificate, hexadecimal"`
	Name      string        `json:"name"`
	NotBefore time.Time     `json:"notBefore"`
	NotAfter  time.Time     `json:"notAfter"`
	Status    issuer.Status `json:"status" enum:"open,retired,compromised"`
	Since     time.Time     `json:"since"`
	Directory issuer.Ending `json:"directory,omitempty" doc:"How it ended by the CA's directory, which the log may not say yet"`
	Proposed  issuer.Ending `json:"proposed,omitempty" doc:"What one operator has asked for, and another may confirm"`
}

// Undeclared tells that the CA's directory says of it what the log does not.
func (s IssuerStanding) Undeclared() bool {
	said := issuer.Issuer{Status: s.Status}
	return said.Ending(s.Directory) != said.Ending("")
}

// IssuerStandings are those of all issuers, the newest first, straight from the
// log.
func (a *App) IssuerStandings(ctx context.Context) (all []IssuerStanding, err error) {
	for _, of := range a.Issuers() {
		h, err := load(ctx, a, issuer.Kind, issuer.Kind.Stream(of.Issuer()))
		if err != nil {
			return nil, err
		}
		about := of.Introduction()
		all = append(all, IssuerStanding{
			Issuer: of.Issuer(), Name: about.Name, NotBefore: about.NotBefore, NotAfter: about.NotAfter,
			Status: h.state.Status, Since: h.state.Since, Directory: of.Ended(), Proposed: h.state.Proposed.Ending,
		})
	}
	return all, nil
}

// succeeded tells whether another issuer issues now, and whether there is this one.
func (a *App) succeeded(ctx context.Context, id string) (successor, known bool, err error) {
	for _, of := range a.Issuers() {
		if of.Issuer() == id {
			known = true
			continue
		}
		ending, err := a.ending(ctx, of)
		if err != nil {
			return false, known, err
		}
		_, expired := of.NewSerial(a.Clock())
		successor = successor || ending == "" && expired == nil
	}
	return successor, known, nil
}
