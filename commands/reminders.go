package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/iran"
	"govahi/domain/notification"
	"govahi/domain/profile"
)

// RemindExpiry writes to a holder whose certificate ends soon; a worker asks, by
// SERIAL/DAYS. Of the days that are over only the nearest counts: who was not
// reminded in time, because the house was down, is reminded once. The stream's
// name is the rule: each certificate and day, one message.
func (a *App) RemindExpiry(ctx context.Context, c Caller, item string) error {
	serial, text, _ := strings.Cut(item, "/")
	day, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("reminder %q: %w", item, err)
	}
	h, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(serial))
	if err != nil || h.state.Issued.Request == "" || a.reminder(h.state) != day {
		return err
	}
	c.Key = fmt.Sprintf("expiry-%s-%d", serial, day)
	with := map[string]string{"serial": serial, "until": onDay(h.state.Issued.NotAfter)}
	return a.Notify(ctx, c, notification.ExpiryReminder, h.state.Issued.Request, 0, with)
}

// reminder is the nearest of the reminders' days that has come; 0 if none has,
// or if there is nothing to remind of.
func (a *App) reminder(s certificate.Certificate) int {
	left := s.Issued.NotAfter.Sub(a.Clock())
	if s.Status != certificate.Valid && s.Status != certificate.OnHold || left <= 0 {
		return 0
	}
	nearest := 0
	for _, day := range slices.Backward(a.Terms.ReminderDays) { // they fall
		if left <= days(day) {
			nearest = day
			break
		}
	}
	return nearest
}

func onDay(t time.Time) string { return iran.FromTime(t).String() }

// RemindAcceptance writes to a holder who did not accept in half of the time; a
// worker asks, by tracking code.
func (a *App) RemindAcceptance(ctx context.Context, c Caller, code string) error {
	request := enrollment.Kind.Stream(code)
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil || h.state.Status != enrollment.StatusDelivered {
		return err
	}
	within, err := a.acceptableFor(ctx, h.state)
	if err != nil || a.Clock().Sub(h.state.DeliveredAt) < within/2 {
		return err
	}
	c.Key = "acceptance-" + code
	with := map[string]string{"serial": h.state.Serial, "until": onDay(h.state.DeliveredAt.Add(within))}
	return a.Notify(ctx, c, notification.AcceptanceReminder, request, 0, with)
}

// AcceptableFor is how long a certificate of a profile may be accepted from its
// delivery on: as long as the profile says. Of one that is not at hand nothing is
// known, and the terms count.
func (a *App) AcceptableFor(p profile.Profile) time.Duration {
	return days(cmp.Or(p.AcceptanceDays, a.Terms.AcceptanceDays))
}

// acceptableFor is that of a request's certificate.
func (a *App) acceptableFor(ctx context.Context, s enrollment.Enrollment) (time.Duration, error) {
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(cmp.Or(s.Serial, "none")))
	p, _ := a.Authority.Profiles().Find(held.state.Issued.Profile)
	return a.AcceptableFor(p), err
}

// RemindDelivery writes to a holder whose certificate lies where it was issued, as
// long as custody allows before an alarm; a worker asks, by tracking code.
func (a *App) RemindDelivery(ctx context.Context, c Caller, code string) error {
	request := enrollment.Kind.Stream(code)
	h, err := load(ctx, a, enrollment.Kind, request)
	term := a.Terms.Custody.Times().Delivery
	if err != nil || !h.state.Waits() || a.Clock().Sub(h.state.Issued) < term.Alarm {
		return err
	}
	c.Key = "delivery-" + code
	with := map[string]string{"serial": h.state.Serial, "until": onDay(h.state.Issued.Add(term.End))}
	return a.Notify(ctx, c, notification.DeliveryReminder, request, 0, with)
}

// RevokeUndelivered revokes what lay there for as long as custody allows at all; a
// worker asks.
func (a *App) RevokeUndelivered(ctx context.Context, c Caller, code string) error {
	c.Key = "undelivered/" + code
	return a.revokeUntaken(ctx, c, "RevokeUndelivered", code, func(s enrollment.Enrollment) (bool, error) {
		return s.Undelivered(a.Terms.Custody.Times().Delivery.End, a.Clock()), nil
	})
}

// RevokeUnaccepted revokes what was delivered and not accepted in its time; a
// worker asks.
func (a *App) RevokeUnaccepted(ctx context.Context, c Caller, code string) error {
	c.Key = "unaccepted/" + code
	return a.revokeUntaken(ctx, c, "RevokeUnaccepted", code, func(s enrollment.Enrollment) (bool, error) {
		within, err := a.acceptableFor(ctx, s)
		return s.Unaccepted(within, a.Clock()), err
	})
}

// revokeUntaken revokes the certificate of a request whose time is over; a policy
// closes the request.
func (a *App) revokeUntaken(ctx context.Context, c Caller, name, code string, over func(enrollment.Enrollment) (bool, error)) error {
	h, err := load(ctx, a, enrollment.Kind, enrollment.Kind.Stream(code))
	if err != nil {
		return err
	}
	if is, err := over(h.state); err != nil || !is {
		return err
	}
	as := a.do(c, name, asPolicy, code)
	revoke := certificate.Revoke{
		Ask: certificate.Ask{Ground: certificate.NotAccepted, By: certificate.House}, By: as.actor(), At: as.at,
	}
	_, err = transact(ctx, a, certificate.Kind, certificate.Kind.Stream(h.state.Serial), as, just[certificate.Certificate](revoke))
	if errors.Is(err, certificate.ErrAlreadyRevoked) {
		return nil
	}
	return err
}

// untrue says why there is nothing to remind of any more.
func (a *App) untrue(ctx context.Context, r notification.Requested) (cause string, err error) {
	h, err := load(ctx, a, enrollment.Kind, r.Request)
	if err != nil {
		return "", err
	}
	switch {
	case r.Template == notification.AcceptanceReminder && h.state.Status != enrollment.StatusDelivered,
		r.Template == notification.DeliveryReminder && !h.state.Waits():
		return nothingToRemind, nil
	case r.Template != notification.ExpiryReminder:
		return "", nil
	}
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(cmp.Or(h.state.Serial, "none")))
	if err == nil && a.reminder(held.state) == 0 {
		cause = nothingToRemind
	}
	return cause, err
}

const nothingToRemind = "nothing-to-remind-of"
