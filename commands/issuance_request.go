package commands

import (
	"context"
	"errors"
	"slices"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/fee"
)

// requested is a confirmed request on its way to its certificate.
type requested struct {
	*App
	stream event.Stream
	history[enrollment.Enrollment]
	attempted *history[enrollment.Enrollment] // with the attempt, once it is on record
}

func (p *requested) place() event.Stream { return p.stream }

func (p *requested) last() lastAttempt {
	return lastAttempt{p.state.Attempt.Serial, p.state.Attempt.Handler, p.state.Attempt.At}
}

// attempt decides on the request as the handler has read it. Whoever moved it on
// since makes the append fail; then it is read again.
func (p *requested) attempt(ctx context.Context, as act, serial, handler string) error {
	try := enrollment.AttemptIssuance{Serial: serial, Previous: p.state.Attempt.Serial, Handler: handler, At: as.at}
	p.attempted = nil
	var next history[enrollment.Enrollment]
	r, err := transactFrom(ctx, p.App, enrollment.Kind, p.stream, p.history, as, func(now history[enrollment.Enrollment]) ([]event.Event, error) {
		events, err := try.Decide(now.state)
		next = now.with(enrollment.Kind, events)
		return events, err
	})
	if err == nil && next.expected() == event.Expected(r.Revision) {
		p.attempted = &next
	}
	return err
}

func (p *requested) draft(ctx context.Context) (Draft, event.Subject, error) {
	if _, err := p.followed(ctx, p.state); err != nil {
		return Draft{}, "", err
	}
	offered, err := p.Authority.Profiles().Offered(p.state.CertificateType)
	if err != nil {
		return Draft{}, "", err
	}
	form, err := p.state.Form.Form.Open(ctx, p.Keeper)
	if err != nil {
		return Draft{}, "", err
	}
	info, err := p.state.Issuance.Request.Open(ctx, p.Keeper)
	return Draft{Profile: offered, Form: form, CSR: info.CSR}, p.state.Form.Person, err
}

// cite points at the vetted record, the second officer's word on it, and the
// payment. What a modification follows is revoked by then: lint and record have
// passed.
func (p *requested) cite(ctx context.Context, i *certificate.IssuanceIntended) (err error) {
	confirmed := p.state.Confirmation
	i.Token = p.state.Issuance.Token
	i.Record = &certificate.Citation{Stream: p.stream, Revision: confirmed.RecordRevision, Hash: confirmed.RecordHash}
	for _, r := range slices.Backward(p.records) { // it is one of the last
		if e, err := enrollment.Catalog.Open(r); err == nil && e == event.Event(confirmed) {
			i.Confirmation = &certificate.Citation{Stream: p.stream, Revision: r.Revision}
			break
		}
	}
	if i.Fee, err = p.fee(ctx); err != nil {
		return err
	}
	return p.endModified(ctx, i.At)
}

// fee is where the payment stands. A request of earlier days does not know.
func (p *requested) fee(ctx context.Context) (*certificate.Citation, error) {
	stream := fee.Kind.Stream(p.state.Fee.Order)
	if at := p.state.Fee.Revision; at > 0 {
		return &certificate.Citation{Stream: stream, Revision: at}, nil
	}
	h, err := load(ctx, p.App, fee.Kind, stream)
	if err != nil || h.state.Settled == nil {
		return nil, errors.Join(err, fee.ErrNotRaised)
	}
	return &certificate.Citation{Stream: stream, Revision: h.receipt(stream).Revision}, nil
}

// officer is the certificate of who confirmed, for the signer to check his
// signature by. An officer who was erased confirmed nothing that can be checked.
func (p *requested) officer(ctx context.Context) ([]byte, error) {
	c, err := stands(ctx, p.App, certificate.Kind, certificate.Kind.Stream(p.state.Confirmation.Certificate))
	switch {
	case err != nil:
		return nil, err
	case c.Issued.Certificate == nil:
		return nil, ErrNotOfficers
	}
	held, err := c.Issued.Certificate.Open(ctx, p.Keeper)
	if errors.Is(err, event.ErrErased) {
		return nil, ErrNotOfficers
	}
	return held.DER, err
}

func (p *requested) issued(ctx context.Context, as act, serial, fingerprint string) error {
	note := just[enrollment.Enrollment](enrollment.NoteIssued{Serial: serial, Fingerprint: fingerprint, At: as.at})
	if p.attempted != nil {
		_, err := transactFrom(ctx, p.App, enrollment.Kind, p.stream, *p.attempted, as, note)
		return err
	}
	_, err := transact(ctx, p.App, enrollment.Kind, p.stream, as, note)
	return err
}

// failed gives the request back, unless another handler has taken it over: then
// only this attempt is over.
func (p *requested) failed(ctx context.Context, as act, serial string, refusal *fault.Fault) error {
	fail := enrollment.FailIssuance{Code: refusal.Code, Unconfirmed: unconfirmed[refusal.Code], At: as.at}
	_, err := transact(ctx, p.App, enrollment.Kind, p.stream, as, func(now history[enrollment.Enrollment]) ([]event.Event, error) {
		if now.state.Attempt.Serial != serial {
			return nil, nil
		}
		return fail.Decide(now.state)
	})
	return err
}

// follow ends the request if its certificate was revoked before the request
// knew of it: the policy found nothing to end then. What is revoked after this
// look meets a request that knows. Up to a revision of the certificate's stream
// nothing was revoked.
func (p *requested) follow(ctx context.Context, act func(name, serial string) act, serial string, since uint64) error {
	withdrawn, err := p.withdrawn(ctx, certificate.Kind.Stream(serial), since)
	if err != nil {
		return err
	}
	if !withdrawn {
		return p.followRenewed(ctx, act("FollowRenewed", serial), serial)
	}
	as := act("FollowRevocation", serial)
	_, err = transact(ctx, p.App, enrollment.Kind, p.stream, as,
		just[enrollment.Enrollment](enrollment.NoteRevoked{Serial: serial, At: as.at}))
	return err
}

// withdrawn tells whether a certificate was revoked after a revision. Most often
// nothing at all was written there since.
func (p *requested) withdrawn(ctx context.Context, stream event.Stream, since uint64) (bool, error) {
	for _, err := range p.Log.Read(ctx, stream, since+1) {
		if err != nil {
			return false, unavailable(err)
		}
		h, err := load(ctx, p.App, certificate.Kind, stream)
		return h.state.Status == certificate.Withdrawn, err
	}
	return false, nil
}
