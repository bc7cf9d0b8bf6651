package commands

import (
	"cmp"
	"context"
	"regexp"
	"time"

	"govahi/domain/access"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
)

// DefineAccess names a CPMIS user and his level (S1.14).
type DefineAccess struct {
	TrackingCode string       `json:"trackingCode" maxLength:"30"`
	UserName     string       `json:"userName" maxLength:"32" doc:"lower-case Latin letters, digits, dot"`
	Level        access.Level `json:"level" enum:"viewer,contributor,approver"`
	Fingerprint  string       `json:"fingerprint" maxLength:"128" doc:"SHA-256 fingerprint of the delivered certificate, as on the sheet"`
	Unit         string       `json:"unit" maxLength:"40" doc:"Research and technology unit of the officer"`
}

var userName = regexp.MustCompile(`^[a-z][a-z0-9.]{2,31}$`)

var errUserName = fault.New(fault.Invalid, "user-name-invalid",
	"نام کاربری ۳ تا ۳۲ حرف کوچک لاتین، رقم یا نقطه است و با حرف آغاز می‌شود.",
	"A user name is 3 to 32 lower-case Latin letters, digits or dots, and begins with a letter.").At("userName")

// errNoSheet answers whoever has not seen the sheet: whether there is a request
// of that code is not for him to know.
var errNoSheet = fault.New(fault.NotFound, "sheet-not-found",
	"گواهی‌ای با این کد رهگیری و این اثر انگشت نیست؛ هر دو را از روی برگه بخوانید.",
	"There is no certificate of this tracking code and fingerprint; read both from the sheet.").At("fingerprint")

// DefineAccess is done by an officer of a research and technology unit, only
// after the applicant holds the token (S1.13). The certificate is bound to the
// name first, so that a revocation finds its user.
func (a *App) DefineAccess(ctx context.Context, c Caller, in DefineAccess) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.ResearchOfficer, in.Unit)
	switch {
	case err != nil:
		return Receipt{}, err
	case !userName.MatchString(in.UserName):
		return Receipt{}, errUserName
	}
	as := a.do(c, "DefineAccess", authority, in.TrackingCode)
	define, err := a.definition(ctx, in, as)
	if err != nil {
		return Receipt{}, err
	}
	stream := access.Kind.Stream(in.UserName)
	h, err := load(ctx, a, access.Kind, stream)
	if err != nil {
		return Receipt{}, err
	}
	if first, ok, err := repeated(ctx, a, as, h); ok || err != nil {
		return first, err
	}
	if define.Over, err = a.over(ctx, h.state.User.Certificate, as.at); err != nil {
		return Receipt{}, err
	}
	events, err := define.Decide(h.state)
	if err != nil {
		return Receipt{}, err
	}
	lost, err := a.lostName(ctx, define.User)
	if err != nil {
		return Receipt{}, err
	}
	bind := access.Bind{UserName: in.UserName, Instead: lost, At: as.at}
	take, err := claimable(ctx, a, access.Binding, access.Binding.Stream(define.User.Certificate), as, in.UserName, bind)
	if err != nil {
		return Receipt{}, err
	}
	if first, ok, err := once(ctx, a, &as, stream, h, len(events) == 0); ok || err != nil {
		return first, err
	}
	if err := take(); err != nil {
		return Receipt{}, err
	}
	return transactFrom(ctx, a, access.Kind, stream, h, as, just[access.Access](define))
}

// lostName is a name to which the certificate is bound and which another person
// has, and so for good: of two who want a name, the second is bound before he is
// refused.
func (a *App) lostName(ctx context.Context, u access.UserDefined) (string, error) {
	bound, err := load(ctx, a, access.Binding, access.Binding.Stream(u.Certificate))
	if err != nil || bound.state.UserName == "" {
		return "", err
	}
	of, err := load(ctx, a, access.Kind, access.Kind.Stream(bound.state.UserName))
	if err != nil || of.state.User.Person == "" || of.state.User.Person == u.Person {
		return "", err
	}
	return bound.state.UserName, nil
}

// definition gathers the facts of the other streams: delivery never turns back,
// and a revocation that comes later suspends what was defined before it.
func (a *App) definition(ctx context.Context, in DefineAccess, as act) (access.Define, error) {
	request := enrollment.Kind.Stream(in.TrackingCode)
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil {
		return access.Define{}, err
	}
	s := h.state
	switch {
	case own(s, as.Person):
		return access.Define{}, enrollment.ErrOwnRequest
	case s.Fingerprint == "" || s.Fingerprint != iran.Hexadecimal(in.Fingerprint):
		return access.Define{}, errNoSheet
	}
	inside := s.Channel == enrollment.Inside
	switch {
	case inside && s.Unit != in.Unit:
		return access.Define{}, ErrNotOfUnit
	case inside && s.Status != enrollment.StatusBackAtUnit && s.Access == "":
		return access.Define{}, enrollment.Kind.Life.Refuse(access.ErrNotArrived, string(s.Status))
	case !inside && s.DeliveredBy == "": // only the request can say where it stands instead
		return access.Define{}, enrollment.Kind.Life.Refuse(access.ErrNotDelivered, string(s.Status))
	}
	accepted := s.Status == enrollment.StatusAccepted // its user comes back who passed to one that was lost on the way
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(s.Serial))
	if held.state.Status == certificate.OnHold {
		return access.Define{}, certificate.Kind.Life.Refuse(certificate.ErrOnHold, string(held.state.Status))
	}
	return access.Define{
		User: access.UserDefined{
			UserName: in.UserName, Level: in.Level, Person: s.Form.Person, Request: request, Certificate: s.Serial,
			Fingerprint: s.Fingerprint, Unit: in.Unit, Pending: inside && !accepted, By: as.Person, At: as.at,
		},
		Replaces:  s.Renewal.Certificate,
		Delivered: s.DeliveredBy != "",
		Arrived:   s.Status == enrollment.StatusBackAtUnit,
		Valid:     held.state.Status == certificate.Valid && as.at.Before(held.state.Issued.NotAfter),
	}, err
}

// over is the serial of a user's certificate if it expired or is revoked: its
// person has the name again with another.
func (a *App) over(ctx context.Context, serial string, at time.Time) (string, error) {
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(cmp.Or(serial, "none")))
	if issued := held.state.Issued; issued.Serial != "" && (held.state.Status == certificate.Withdrawn || !at.Before(issued.NotAfter)) {
		return serial, err
	}
	return "", err
}

// BindAccess lets the user of channel B enter once the certificate is accepted;
// a policy asks. One whose request was accepted while the user was being defined
// is found from there.
func (a *App) BindAccess(ctx context.Context, c Caller, request event.Stream) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil || h.state.Channel != enrollment.Inside || h.state.Status != enrollment.StatusAccepted {
		return err
	}
	bound, err := load(ctx, a, access.Binding, access.Binding.Stream(h.state.Serial))
	if err != nil || bound.state.UserName == "" {
		return err
	}
	as := a.do(c, "BindAccess", asPolicy, request.ID())
	_, err = transact(ctx, a, access.Kind, access.Kind.Stream(bound.state.UserName), as,
		just[access.Access](access.BindCertificate{Certificate: h.state.Serial, At: as.at}))
	return err
}

// SuspendAccess ends the access of a certificate that is not valid any more; a
// policy asks (invariant 8).
func (a *App) SuspendAccess(ctx context.Context, c Caller, serial string) error {
	return a.followWith(ctx, c, "SuspendAccess", serial, func(s certificate.Status, as act) event.Command[access.Access] {
		if s != certificate.Withdrawn && s != certificate.OnHold {
			return nil
		}
		return access.Suspend{Certificate: serial, Cause: certificate.Kind.Stream(serial), At: as.at}
	})
}

// RestoreAccess gives it back when the certificate is valid again; a policy asks.
func (a *App) RestoreAccess(ctx context.Context, c Caller, serial string) error {
	return a.followWith(ctx, c, "RestoreAccess", serial, func(s certificate.Status, as act) event.Command[access.Access] {
		if s != certificate.Valid {
			return nil
		}
		return access.Restore{Certificate: serial, Cause: certificate.Kind.Stream(serial), At: as.at}
	})
}

// followWith lets the user of a certificate follow it. The certificate is read
// after the user, and again after each race: who comes late sees both as they
// are, and nobody undoes what followed since.
func (a *App) followWith(ctx context.Context, c Caller, name, serial string, what func(certificate.Status, act) event.Command[access.Access]) error {
	bound, err := load(ctx, a, access.Binding, access.Binding.Stream(serial))
	if err != nil || bound.state.UserName == "" {
		return err
	}
	as := a.do(c, name, asPolicy, serial)
	_, err = transact(ctx, a, access.Kind, access.Kind.Stream(bound.state.UserName), as,
		func(h history[access.Access]) ([]event.Event, error) {
			held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(serial))
			if err != nil {
				return nil, err
			}
			command := what(held.state.Status, as)
			if command == nil {
				return nil, nil
			}
			return command.Decide(h.state)
		})
	return err
}
