package commands

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
)

// SuspendCertificate withdraws trust for some days, or for as long as the terms
// and the certificate's profile allow: the holder his own, an officer of its
// office for a holder at the counter, the CA's operators any (issue 5 §3).
// Nobody's lifting in that time ends in revocation.
func (a *App) SuspendCertificate(ctx context.Context, c Caller, serial string, forDays int) (Receipt, error) {
	return a.onTrust(ctx, c, serial, "SuspendCertificate", func(as act, held certificate.Certificate, operator bool) (event.Command[certificate.Certificate], error) {
		longest := a.longestSuspension(held)
		switch {
		case longest == 0:
			return nil, errNoSuspension
		case forDays < 0 || forDays > longest:
			return nil, errSuspensionDays(longest)
		}
		until := as.at.Add(days(cmp.Or(forDays, longest)))
		return certificate.Suspend{Until: until, Open: forDays == 0, By: string(c.Person), Operator: operator, At: as.at}, nil
	})
}

// longestSuspension is how many days the terms allow, and the profile by which
// the certificate was issued; none, if that allows no suspension at all. Of a
// profile that is no longer at hand nothing is known, and the terms alone count.
func (a *App) longestSuspension(held certificate.Certificate) int {
	p, ok := a.Authority.Profiles().Find(held.Issued.Profile)
	switch {
	case !ok:
		return a.Terms.SuspensionDays
	case !p.Suspension.Allowed:
		return 0
	}
	return min(a.Terms.SuspensionDays, p.Suspension.Days)
}

var errNoSuspension = fault.New(fault.Conflict, "suspension-not-allowed",
	"سیاست این گواهی تعلیق را روا نمی‌داند؛ اگر دیگر نباید به آن اعتماد شود آن را باطل کنید.",
	"This certificate's policy allows no suspension; if it is not to be trusted any more, revoke it.")

func errSuspensionDays(longest int) *fault.Fault {
	return fault.New(fault.Invalid, "suspension-too-long",
		fmt.Sprintf("گواهی را از یک تا %s روز می‌توان معلق کرد؛ اگر بیش از آن لازم است آن را باطل کنید.", iran.PersianDigits(strconv.Itoa(longest))),
		fmt.Sprintf("A certificate may be suspended for 1 to %d days; if it takes longer, revoke it.", longest)).At("days")
}

// LiftSuspension gives the trust back: for whoever suspended, or an operator of
// the CA.
func (a *App) LiftSuspension(ctx context.Context, c Caller, serial string) (Receipt, error) {
	return a.onTrust(ctx, c, serial, "LiftSuspension", func(as act, _ certificate.Certificate, operator bool) (event.Command[certificate.Certificate], error) {
		return certificate.LiftSuspension{By: string(c.Person), Operator: operator, At: as.at}, nil
	})
}

// onTrust runs a command of those who may give and take trust for a time.
func (a *App) onTrust(ctx context.Context, c Caller, serial, name string,
	command func(as act, held certificate.Certificate, operator bool) (event.Command[certificate.Certificate], error),
) (Receipt, error) {
	stream := certificate.Kind.Stream(plainSerial(serial))
	h, err := load(ctx, a, certificate.Kind, stream)
	if err != nil {
		return Receipt{}, err
	}
	is, authority, err := a.trustee(ctx, c, h.state)
	if err != nil {
		return Receipt{}, err
	}
	if is == nobody {
		return Receipt{}, ErrNotTrustee
	}
	as := a.do(c, name, authority, h.state.Issued.Request.ID())
	what, err := command(as, h.state, is == operator)
	if err != nil {
		return Receipt{}, err
	}
	return transactFrom(ctx, a, certificate.Kind, stream, h, as, just[certificate.Certificate](what))
}

// trustee is what somebody is to a certificate.
type trustee int

const (
	nobody trustee = iota // who may only see it
	holder
	officer  // of its request's office
	operator // of the CA
)

// trustee tells it, or that there is no such certificate for him. An operator
// who holds it is its holder: nobody decides about his own.
func (a *App) trustee(ctx context.Context, c Caller, held certificate.Certificate) (is trustee, authority string, err error) {
	if held.Issued.Subject != "" && held.Issued.Subject == c.Person {
		return holder, asSubscriber, nil
	}
	s, err := a.standing(ctx, c)
	if err != nil {
		return nobody, "", err
	}
	request, err := load(ctx, a, enrollment.Kind, cmp.Or(held.Issued.Request, enrollment.Kind.Stream("none")))
	if err != nil {
		return nobody, "", err
	}
	authority, operates := s.by(appointment.CAOperator, "")
	switch {
	case held.Issued.Serial == "" || !s.oversees() && !s.sees(request.state):
		return nobody, "", certificate.ErrNotIssued
	case operates:
		return operator, authority, nil
	case s.officerOf(request.state.Office):
		authority, _ = s.by(appointment.RegistrationOfficer, request.state.Office)
		return officer, authority, nil
	}
	return nobody, "", nil
}

// EndSuspension revokes what nobody has lifted in time; a worker asks.
func (a *App) EndSuspension(ctx context.Context, c Caller, serial string) error {
	stream := certificate.Kind.Stream(serial)
	h, err := load(ctx, a, certificate.Kind, stream)
	if err != nil {
		return err
	}
	c.Key = fmt.Sprintf("%s@%d", serial, len(h.records)) // one act for each suspension
	as := a.do(c, "EndSuspension", asPolicy, h.state.Issued.Request.ID())
	end := certificate.EndSuspension{By: as.actor(), At: as.at}
	_, err = transactFrom(ctx, a, certificate.Kind, stream, h, as, just[certificate.Certificate](end))
	return err
}
