package commands

import (
	"context"
	"errors"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/fee"
)

// attemptLease is how long another process's attempt is left alone. Abandoning
// is safe at any time; the lease only spares serials.
const attemptLease = 3 * time.Second

// ErrAttemptRunning tells the handler to come back: another one may be at work.
var ErrAttemptRunning = fault.New(fault.Unavailable, "issuance-attempt-running",
	"صدور در دست اقدام است.", "The issuance is being worked on.")

// Issue is the issuance handler (pki §5.3): it brings one request from
// IssuanceRequested to Issued, or to a certain failure, whatever crashed before.
// A serial that was started and not finished is abandoned and revoked; nothing
// is signed again.
func (a *App) Issue(ctx context.Context, c Caller, request event.Stream) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil {
		return err
	}
	i := issuance{App: a, caller: c, request: request, state: h.state, records: h.records}
	switch {
	case h.state.Serial != "":
		return i.followRevocation(ctx, h.state.Serial)
	case h.state.Status != enrollment.StatusAtCA:
		return nil
	}
	if done, err := i.finishEarlier(ctx); done || err != nil {
		return err
	}
	return i.attempt(ctx)
}

// issuance is one run of the handler.
type issuance struct {
	*App
	caller  Caller
	request event.Stream
	state   enrollment.Enrollment
	records []event.Recorded
}

// do names an act after the serial, so that each attempt's acts are its own.
func (i issuance) act(name, serial string) act {
	c := i.caller
	c.Key += "/" + serial
	return i.do(c, name, "policy", i.request.ID())
}

// finishEarlier notes a certificate that was issued before a crash, or abandons
// a serial whose outcome is not certain.
func (i issuance) finishEarlier(ctx context.Context) (done bool, err error) {
	last := i.state.Attempt
	if last.Serial == "" {
		return false, nil
	}
	h, err := load(ctx, i.App, certificate.Kind, certificate.Kind.Stream(last.Serial))
	if err != nil {
		return false, err
	}
	if h.state.Issued.Serial != "" { // also if it was revoked meanwhile: there is no second one
		return true, i.noteIssued(ctx, last.Serial, h.state.Issued.Fingerprint)
	}
	if last.Handler != i.Handler && i.Clock().Sub(last.At).Abs() < attemptLease {
		return false, ErrAttemptRunning
	}
	return false, i.abandon(ctx, last.Serial, "interrupted")
}

func (i issuance) abandon(ctx context.Context, serial, cause string) error {
	as := i.act("AbandonIssuance", serial)
	abandon := certificate.Abandon{Serial: serial, Cause: cause, By: as.actor(), At: as.at}
	_, err := transact(ctx, i.App, certificate.Kind, certificate.Kind.Stream(serial), as, just[certificate.Certificate](abandon))
	return err
}

// attempt takes a new serial through intent, fence, signature and record. Any
// failure ends the serial; the next run takes another.
func (i issuance) attempt(ctx context.Context) error {
	serial, err := i.Authority.NewSerial(i.Clock())
	if err != nil {
		return err
	}
	as := i.act("AttemptIssuance", serial)
	try := enrollment.AttemptIssuance{Serial: serial, Previous: i.state.Attempt.Serial, Handler: i.Handler, At: as.at}
	if _, err := transact(ctx, i.App, enrollment.Kind, i.request, as, just[enrollment.Enrollment](try)); err != nil {
		return err
	}
	i.Step("issuance:attempted")
	err = i.sign(ctx, serial)
	if err == nil {
		return nil
	}
	if stop := i.abandon(ctx, serial, cause(err)); stop != nil {
		return errors.Join(ErrAttemptRunning, err, stop) // what became of it is open: come again
	}
	if isRefusal(err) {
		return i.fail(ctx, serial, cause(err))
	}
	return err
}

func cause(err error) string {
	if f, ok := fault.Of(err); ok {
		return f.Code
	}
	return "trouble"
}

func (i issuance) sign(ctx context.Context, serial string) error {
	prepared, intent, err := i.intend(ctx, serial)
	if err != nil {
		return err
	}
	i.Step("issuance:intended")
	der, signer, err := signed(ctx, i.Signer.SignCertificate, intent, prepared.TBS)
	if err != nil {
		return err
	}
	i.Step("issuance:signed")
	fingerprint, err := i.Authority.CheckIssued(der, prepared.TBS)
	if err != nil {
		return err
	}
	as := i.act("NoteCertificate", serial)
	note := certificate.NoteIssued{DER: der, Fingerprint: fingerprint, Signer: signer, At: as.at}
	if _, err := transact(ctx, i.App, certificate.Kind, intent.Stream, as, just[certificate.Certificate](note)); err != nil {
		return err
	}
	i.Step("issuance:issued")
	return i.noteIssued(ctx, serial, fingerprint)
}

// intend builds, lints and records the to-be-signed certificate.
func (i issuance) intend(ctx context.Context, serial string) (Prepared, Receipt, error) {
	draft, err := i.draft(ctx, serial)
	if err != nil {
		return Prepared{}, Receipt{}, err
	}
	p, err := i.Authority.Prepare(draft)
	if err != nil {
		return Prepared{}, Receipt{}, err
	}
	as := i.act("IntendIssuance", serial)
	subject := i.state.Form.Person
	intent := certificate.IssuanceIntended{
		Serial: serial, Subject: subject, Profile: p.Profile, ProfileHash: p.ProfileHash, Issuer: p.Issuer, KeyHash: p.KeyHash,
		Token: i.state.Issuance.Token, Lint: p.Lint, NotBefore: p.NotBefore, NotAfter: p.NotAfter,
		TBS: event.About(subject, certificate.DER{DER: p.TBS}), TBSHash: p.TBSHash, At: as.at,
	}
	intent.Record, intent.Confirmation = i.confirmation()
	if intent.Fee, err = i.feeCitation(ctx); err != nil {
		return p, Receipt{}, err
	}
	r, err := transact(ctx, i.App, certificate.Kind, certificate.Kind.Stream(serial), as,
		just[certificate.Certificate](certificate.Intend{Intent: intent}))
	return p, r, err
}

func (i issuance) draft(ctx context.Context, serial string) (Draft, error) {
	p, err := i.Authority.Profiles().Offered(i.state.CertificateType)
	if err != nil {
		return Draft{}, err
	}
	form, err := i.state.Form.Form.Open(ctx, i.Keeper)
	if err != nil {
		return Draft{}, err
	}
	info, err := i.state.Issuance.Request.Open(ctx, i.Keeper)
	return Draft{Serial: serial, Profile: p, Form: form, CSR: info.CSR, NotBefore: i.Clock()}, err
}

// confirmation cites the vetted record and the second officer's word on it.
func (i issuance) confirmation() (record, word *certificate.Citation) {
	confirmed := i.state.Confirmation
	record = &certificate.Citation{Stream: i.request, Revision: confirmed.RecordRevision, Hash: confirmed.RecordHash}
	for _, r := range i.records {
		if e, err := enrollment.Catalog.Open(r); err == nil && e == event.Event(confirmed) {
			word = &certificate.Citation{Stream: i.request, Revision: r.Revision}
		}
	}
	return record, word
}

func (i issuance) feeCitation(ctx context.Context) (*certificate.Citation, error) {
	stream := fee.Kind.Stream(i.state.Fee.Order)
	h, err := load(ctx, i.App, fee.Kind, stream)
	if err != nil || h.state.Settled == nil {
		return nil, errors.Join(err, fee.ErrNotRaised)
	}
	return &certificate.Citation{Stream: stream, Revision: h.receipt(stream).Revision}, nil
}

func (i issuance) noteIssued(ctx context.Context, serial, fingerprint string) error {
	as := i.act("NoteIssued", serial)
	note := enrollment.NoteIssued{Serial: serial, Fingerprint: fingerprint, At: as.at}
	if _, err := transact(ctx, i.App, enrollment.Kind, i.request, as, just[enrollment.Enrollment](note)); err != nil {
		return err
	}
	i.Step("issuance:noted")
	return i.followRevocation(ctx, serial)
}

// followRevocation ends the request if its certificate was revoked before the
// request knew of it: the policy found nothing to end then. What is revoked
// after this look meets a request that knows.
func (i issuance) followRevocation(ctx context.Context, serial string) error {
	h, err := load(ctx, i.App, certificate.Kind, certificate.Kind.Stream(serial))
	if err != nil || h.state.Status != certificate.Withdrawn {
		return err
	}
	as := i.act("FollowRevocation", serial)
	_, err = transact(ctx, i.App, enrollment.Kind, i.request, as,
		just[enrollment.Enrollment](enrollment.NoteRevoked{Serial: serial, At: as.at}))
	return err
}

// fail gives the request back, unless another handler has taken it over: then
// only this attempt is over.
func (i issuance) fail(ctx context.Context, serial, code string) error {
	as := i.act("FailIssuance", serial)
	fail := enrollment.FailIssuance{Code: code, At: as.at}
	_, err := transact(ctx, i.App, enrollment.Kind, i.request, as, func(now history[enrollment.Enrollment]) ([]event.Event, error) {
		if now.state.Attempt.Serial != serial {
			return nil, nil
		}
		return fail.Decide(now.state)
	})
	return err
}
