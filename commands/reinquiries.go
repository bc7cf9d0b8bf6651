package commands

import (
	"cmp"
	"context"
	"fmt"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/inquiry"
	"govahi/domain/revocation"
)

// inForce tells whether somebody may rely on a certificate today, or as soon as
// its suspension is lifted.
func (a *App) inForce(ctx context.Context, serial string) (bool, error) {
	h, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(cmp.Or(serial, "none")))
	valid := h.state.Status == certificate.Valid || h.state.Status == certificate.OnHold
	return valid && a.Clock().Before(h.state.Issued.NotAfter), err
}

// Reinquire asks the registry about the holder of a certificate again, when the
// terms say that it is time; a worker asks. Each inquiry has a stream of its own,
// numbered: of any number of workers one begins it.
func (a *App) Reinquire(ctx context.Context, c Caller, serial string) error {
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(serial))
	if err != nil || held.state.Issued.Request == "" {
		return err
	}
	if needed, err := a.inForce(ctx, serial); err != nil || !needed {
		return err
	}
	code, last := held.state.Issued.Request.ID(), held.state.Issued.At
	n := 1
	for ; ; n++ {
		h, err := load(ctx, a, inquiry.Kind, inquiry.Kind.Stream(again(code, n)))
		if err != nil || h.state.Status == inquiry.Due {
			return err
		}
		if h.state.Status == inquiry.None {
			break
		}
		last = h.state.Request.At
	}
	if a.Clock().Before(last.Add(days(a.Terms.ReinquiryDays))) {
		return nil
	}
	return a.askAgain(ctx, c, held.state.Issued.Request, again(code, n))
}

func again(code string, n int) string { return fmt.Sprintf("%s-again-%d", code, n) }

func (a *App) askAgain(ctx context.Context, c Caller, request event.Stream, id string) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil {
		return err
	}
	c.Key = id
	as := a.do(c, "Reinquire", asPolicy, request.ID())
	ask := inquiry.Request{Requested: inquiry.Requested{
		Inquiry: id, Request: request, FormVersion: h.state.Form.Version, Subject: h.state.Form.Person,
		Purpose: inquiry.ForReinquiry, LegalBasis: inquiry.CivilRegistrationAct, By: event.Subject(as.actor()), At: as.at,
	}}
	_, err = transact(ctx, a, inquiry.Kind, inquiry.Kind.Stream(id), as, just[inquiry.Inquiry](ask))
	return err
}

// DoubtAnswered brings an answer that no longer matches to the case of the
// certificate; a policy asks. Only an answer comes here: what is unavailable,
// deferred or inconclusive never counts (invariants 10, 11).
func (a *App) DoubtAnswered(ctx context.Context, c Caller, e inquiry.Answered) error {
	if e.Finding == inquiry.Matched {
		return nil
	}
	h, err := load(ctx, a, inquiry.Kind, inquiry.Kind.Stream(e.Inquiry))
	if err != nil || h.state.Request.Purpose != inquiry.ForReinquiry {
		return err
	}
	request, err := load(ctx, a, enrollment.Kind, e.Request)
	if err != nil || request.state.Serial == "" {
		return err
	}
	source := revocation.Mismatched
	switch e.Finding {
	case inquiry.Cancelled:
		source = revocation.Cancelled
	case inquiry.Dead:
		source = revocation.Died
	}
	return a.houseDoubts(ctx, c, "DoubtAnswered", revocation.Report{
		Certificate: request.state.Serial, Source: source,
		Cites: revocation.Evidence{Inquiry: e.Inquiry, TrackingCode: e.TrackingCode},
	})
}
