package commands

import (
	"context"
	"errors"

	"govahi/domain/certificate"
	"govahi/domain/event"
	"govahi/domain/iran"
	"govahi/domain/revocation"
)

// ReportInaccuracy says that information behind a certificate is false; anybody
// who is identified may (A7). The answer is the case's tracking code.
func (a *App) ReportInaccuracy(ctx context.Context, c Caller, serial, statement string) (Receipt, error) {
	var n normaliser
	text := n.lines("statement", statement, "\n\t")
	if n.err != nil {
		return Receipt{}, n.err
	}
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(plainSerial(serial)))
	if err != nil {
		return Receipt{}, err
	}
	if held.state.Status != certificate.Valid && held.state.Status != certificate.Withdrawn {
		return Receipt{}, certificate.ErrNotIssued
	}
	number, err := a.numberFor(ctx, c, "case", "ReportInaccuracy", revocation.Kind.Category)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "ReportInaccuracy", asIdentified, number)
	report := revocation.Report{Case: number, Certificate: plainSerial(serial), Text: text, By: c.Person, At: as.at}
	return transact(ctx, a, revocation.Kind, revocation.Kind.Stream(number), as, just[revocation.Case](report))
}

// numberFor is that of the thing that this caller meant to open with this key,
// or a free number.
func (a *App) numberFor(ctx context.Context, c Caller, purpose, command, category string) (string, error) {
	meant, err := a.meant(ctx, c, category)
	if meant != "" || err != nil {
		return meant.ID(), err
	}
	year := iran.FromTime(a.Clock()).Year
	for n := 0; ; n++ {
		number := a.trackingCode(c, purpose, year, n)
		free, err := a.freeFor(ctx, event.NewStream(category, number), c.commandID(command))
		if free || err != nil {
			return number, err
		}
	}
}

// freeFor tells whether a stream is not begun, or by this very command.
func (a *App) freeFor(ctx context.Context, stream event.Stream, command string) (bool, error) {
	for r, err := range a.Log.Read(ctx, stream, 0) {
		if err != nil {
			return false, unavailable(err)
		}
		m, err := r.DecodeMeta()
		return err == nil && m.CommandID == command, err
	}
	return true, nil
}

// RefuteInaccuracy closes a case in the holder's favour.
func (a *App) RefuteInaccuracy(ctx context.Context, c Caller, number, statement string) (Receipt, error) {
	return a.closeCase(ctx, c, "RefuteInaccuracy", number, statement, false)
}

// EstablishInaccuracy finds that information was false: a policy revokes, and
// no command can stop it (invariant 7).
func (a *App) EstablishInaccuracy(ctx context.Context, c Caller, number, statement string) (Receipt, error) {
	return a.closeCase(ctx, c, "EstablishInaccuracy", number, statement, true)
}

func (a *App) closeCase(ctx context.Context, c Caller, name, number, statement string, established bool) (Receipt, error) {
	stream := revocation.Kind.Stream(number)
	h, err := load(ctx, a, revocation.Kind, stream)
	if err != nil {
		return Receipt{}, err
	}
	authority, err := a.mayDecide(ctx, c, h.state)
	if err != nil {
		return Receipt{}, err
	}
	var n normaliser
	text := n.lines("statement", statement, "\n\t")
	if n.err != nil {
		return Receipt{}, n.err
	}
	as := a.do(c, name, authority, number)
	verdict := revocation.Close{Established: established, Text: text, By: c.Person, At: as.at}
	return transactFrom(ctx, a, revocation.Kind, stream, h, as, just[revocation.Case](verdict))
}

// RevokeForFalsity follows an established case; a policy asks. A certificate
// that was revoked before for another reason stays revoked.
func (a *App) RevokeForFalsity(ctx context.Context, c Caller, e revocation.InaccuracyEstablished) error {
	stream := certificate.Kind.Stream(e.Certificate)
	as := a.do(c, "RevokeForFalsity", "policy", e.Case)
	revoke := certificate.Revoke{
		Reason: certificate.PrivilegeWithdrawn, Case: event.NewStream("revocation", e.Case), By: as.actor(), At: as.at,
	}
	_, err := transact(ctx, a, certificate.Kind, stream, as, just[certificate.Certificate](revoke))
	if errors.Is(err, certificate.ErrAlreadyRevoked) {
		return nil
	}
	return err
}
