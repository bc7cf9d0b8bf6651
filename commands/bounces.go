package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/notification"
	"govahi/domain/revocation"
)

// Bounce is a report that a message came back (RFC 3464).
type Bounce struct {
	Message   string // our ID
	Recipient string // address, lower-case: personal data
	Status    string // RFC 3463
	Permanent bool
}

// BounceSource is where the mail server puts its reports.
type BounceSource interface {
	// Names lists the reports that nobody has read.
	Names(ctx context.Context, now time.Time, limit int) ([]string, error)
	// Read fails with ErrNoReport on what is none about a message of ours.
	Read(ctx context.Context, name string) (Bounce, error)
	Done(ctx context.Context, name string) error
	// SetAside keeps what a person has to look at.
	SetAside(ctx context.Context, name string) error
}

// ErrNoReport reports what is no delivery status about a message of ours. Its
// words hold nothing of the message.
var ErrNoReport = errors.New("commands: no report about a message of ours")

// ErrSetAside says that a report was set aside, and why.
var ErrSetAside = errors.New("commands: a report of the mail server was set aside")

// TakeBounce records that a message came back for good; a worker asks. A report
// that is malformed, about nothing we sent, or about another address than we
// wrote to is set aside, for it may be forged. What only passes is no bounce.
func (a *App) TakeBounce(ctx context.Context, c Caller, from BounceSource, name string) error {
	b, err := from.Read(ctx, name)
	switch {
	case errors.Is(err, ErrNoReport):
		return setAside(ctx, from, name, err)
	case err != nil:
		return err
	case !b.Permanent:
		return from.Done(ctx, name)
	}
	stream := notification.Kind.Stream(b.Message)
	h, err := load(ctx, a, notification.Kind, stream)
	if err != nil {
		return err
	}
	if why, err := a.doubtful(ctx, h.state, b); err != nil || why != nil {
		if err == nil {
			err = setAside(ctx, from, name, why)
		}
		return err
	}
	c.Key = b.Message + "/" + b.Status
	as := a.do(c, "TakeBounce", asPolicy, h.state.Requested.Request.ID())
	note := notification.NoteBounced{Status: b.Status, At: as.at}
	if _, err := transact(ctx, a, notification.Kind, stream, as, just[notification.Notification](note)); err != nil {
		return err
	}
	return from.Done(ctx, name)
}

func setAside(ctx context.Context, from BounceSource, name string, why error) error {
	if err := from.SetAside(ctx, name); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrSetAside, why)
}

// doubtful says why a report does not count.
func (a *App) doubtful(ctx context.Context, s notification.Notification, b Bounce) (why, err error) {
	if s.Requested.ID == "" || s.Attempts == 0 {
		return errors.New("no such message was sent"), nil
	}
	m, err := s.Requested.Message.Open(ctx, a.Keeper)
	switch {
	case errors.Is(err, event.ErrErased):
		return errors.New("whom it was sent to is erased"), nil
	case err != nil:
		return nil, err
	case !strings.EqualFold(m.Email, b.Recipient):
		return errors.New("it names another address than the message had"), nil
	}
	return nil, nil //nolint:nilnil // nothing is wrong
}

// DoubtBounced brings a bounce to the case of the certificate whose holder cannot
// be reached (S1.5, policy 1); a policy asks. Before the issue it is the proof of
// the address that fails, and no case.
func (a *App) DoubtBounced(ctx context.Context, c Caller, e notification.Bounced) error {
	h, err := load(ctx, a, notification.Kind, notification.Kind.Stream(e.ID))
	if err != nil {
		return err
	}
	request, err := load(ctx, a, enrollment.Kind, h.state.Requested.Request)
	if err != nil || request.state.Serial == "" {
		return err
	}
	last, ok, err := a.standsFor(ctx, request.state)
	if err != nil || !ok {
		return err
	}
	if last.Serial != request.state.Serial {
		if same, err := a.isAddress(ctx, last, h.state.Requested.Message); err != nil || !same {
			return err
		}
	}
	return a.houseDoubts(ctx, c, "DoubtBounced", revocation.Report{
		Certificate: last.Serial, Source: revocation.Bounced, Cites: revocation.Evidence{Message: e.ID, Status: e.Status},
	})
}

// standsFor is the request whose certificate stands: this one, or if it is revoked
// what was issued in its place, however often it was replaced.
func (a *App) standsFor(ctx context.Context, s enrollment.Enrollment) (last enrollment.Enrollment, ok bool, err error) {
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(s.Serial))
	if err != nil || held.state.Status != certificate.Withdrawn {
		return s, err == nil, err
	}
	next, err := a.certifiedOn(ctx, enrollment.RenewalKey(s.Serial))
	if err != nil {
		return s, false, err
	}
	for _, n := range next {
		if last, ok, err = a.standsFor(ctx, n); ok || err != nil {
			return last, ok, err
		}
	}
	return s, false, nil
}

// isAddress tells whether a request's form names the address that a message went
// to. Of who is erased nobody can tell.
func (a *App) isAddress(ctx context.Context, s enrollment.Enrollment, sent *event.Personal[notification.Message]) (bool, error) {
	message, err := sent.Open(ctx, a.Keeper)
	if err != nil {
		return false, unlessErased(err)
	}
	form, err := s.Form.Form.Open(ctx, a.Keeper)
	return err == nil && strings.EqualFold(form.Email, message.Email), unlessErased(err)
}

func unlessErased(err error) error {
	if errors.Is(err, event.ErrErased) {
		return nil
	}
	return err
}

// houseDoubts is a doubt of the house itself; one about a certificate that is
// dead already leads nowhere.
func (a *App) houseDoubts(ctx context.Context, c Caller, name string, r revocation.Report) error {
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(r.Certificate))
	if err != nil || held.state.Issued.Serial == "" || held.state.Status == certificate.Withdrawn {
		return err
	}
	as := a.do(c, name, asPolicy, r.Certificate)
	r.At = as.at
	_, err = a.doubt(ctx, as, r)
	return err
}
