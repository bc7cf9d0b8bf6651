package commands

import (
	"context"
	"errors"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/credential"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
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
	i := issuance{App: a, caller: c, paper: &requested{App: a, stream: request, history: h}}
	switch {
	case h.state.Serial != "":
		return i.paper.follow(ctx, i.act, h.state.Serial, 0)
	case h.state.Status != enrollment.StatusAtCA:
		return nil
	}
	return i.run(ctx)
}

// paper is what a certificate is issued on: a confirmed request, or an officer
// that an operator vouched for.
type paper interface {
	place() event.Stream
	last() lastAttempt
	attempt(ctx context.Context, as act, serial, handler string) error
	draft(ctx context.Context) (Draft, event.Subject, error)
	cite(ctx context.Context, i *certificate.IssuanceIntended) error
	officer(ctx context.Context) (der []byte, err error) // certificate of who confirmed
	issued(ctx context.Context, as act, serial, fingerprint string) error
	failed(ctx context.Context, as act, serial string, refusal *fault.Fault) error
	follow(ctx context.Context, act func(name, serial string) act, serial string, since uint64) error // what happened to it after a revision of its stream
}

// lastAttempt is the serial under way, if there is one.
type lastAttempt struct {
	serial, handler string
	at              time.Time
}

// issuance is one run of the handler.
type issuance struct {
	*App
	caller Caller
	paper  paper
	issuer Authority // of the present attempt
}

// run goes on wherever an earlier run stopped.
func (i issuance) run(ctx context.Context) error {
	if done, err := i.finishEarlier(ctx); done || err != nil {
		return err
	}
	return i.attempt(ctx)
}

// step is a point between two lines, for tests of crashes.
func (i issuance) step(point string) {
	name := "issuance:"
	if i.paper.place().Category() == credential.Kind.Category {
		name = "credential:"
	}
	i.Step(name + point)
}

// act names an act after the serial, so that each attempt's acts are its own.
func (i issuance) act(name, serial string) act {
	c := i.caller
	c.Key += "/" + serial
	return i.do(c, name, "policy", i.paper.place().ID())
}

// finishEarlier notes a certificate that was issued before a crash, or abandons
// a serial whose outcome is not certain.
func (i issuance) finishEarlier(ctx context.Context) (done bool, err error) {
	last := i.paper.last()
	if last.serial == "" {
		return false, nil
	}
	h, err := load(ctx, i.App, certificate.Kind, certificate.Kind.Stream(last.serial))
	if err != nil {
		return false, err
	}
	if h.state.Issued.Serial != "" { // also if it was revoked meanwhile: there is no second one
		return true, i.noteIssued(ctx, last.serial, h.state.Issued.Fingerprint, 0)
	}
	if last.handler != i.Handler && i.Clock().Sub(last.at).Abs() < attemptLease {
		return false, ErrAttemptRunning
	}
	of := h.state.Intent.Issuer
	if of == "" { // nothing was signed: it goes on the list of who would try it now
		issuer, _, err := i.issuing(ctx)
		if err != nil {
			return false, err
		}
		of = issuer.Issuer()
	}
	return false, i.abandon(ctx, of, last.serial, "interrupted")
}

func (i issuance) abandon(ctx context.Context, issuer, serial, cause string) error {
	as := i.act("AbandonIssuance", serial)
	abandon := certificate.Abandon{Serial: serial, Issuer: issuer, Cause: cause, By: as.actor(), At: as.at}
	_, err := transact(ctx, i.App, certificate.Kind, certificate.Kind.Stream(serial), as, just[certificate.Certificate](abandon))
	return err
}

// attempt takes a new serial through intent, fence, signature and record. Any
// failure ends the serial; the next run takes another.
func (i issuance) attempt(ctx context.Context) error {
	issuer, serial, err := i.issuing(ctx)
	if err != nil {
		return err
	}
	i.issuer = issuer
	err = i.paper.attempt(ctx, i.act("AttemptIssuance", serial), serial, i.Handler)
	if errors.Is(err, enrollment.ErrAttemptTaken) || errors.Is(err, credential.ErrAttemptTaken) {
		return errors.Join(ErrAttemptRunning, err) // who was quicker may die: come again
	}
	if err != nil {
		return err
	}
	i.step("attempted")
	err = i.sign(ctx, serial)
	if err == nil {
		return nil
	}
	if stop := i.abandon(ctx, issuer.Issuer(), serial, cause(err)); stop != nil {
		return errors.Join(ErrAttemptRunning, err, stop) // what became of it is open: come again
	}
	if f, ok := fault.Of(err); ok && isRefusal(err) {
		return i.paper.failed(ctx, i.act("FailIssuance", serial), serial, f)
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
	intent, err := i.intend(ctx, serial)
	if err != nil {
		return err
	}
	i.step("intended")
	officer, err := i.paper.officer(ctx)
	if err != nil {
		return err
	}
	der, signer, err := signed(ctx, i.signer(officer), intent.Receipt, intent.tbs)
	if err != nil {
		return err
	}
	i.step("signed")
	fingerprint, err := i.issuer.CheckIssued(der, intent.tbs)
	if err != nil {
		return err
	}
	as := i.act("NoteCertificate", serial)
	note := certificate.NoteIssued{DER: der, Fingerprint: fingerprint, Signer: signer, At: as.at}
	noted, err := transactFrom(ctx, i.App, certificate.Kind, intent.Stream, intent.started(signer), as, just[certificate.Certificate](note))
	if err != nil {
		return err
	}
	i.step("issued")
	return i.noteIssued(ctx, serial, fingerprint, noted.Revision)
}

// intent is what was intended, and the certificate's stream with it.
type intent struct {
	Receipt
	tbs     []byte
	history history[certificate.Certificate]
}

// started is the stream behind the start that a signer has recorded before it
// answered. What else was written since, the next append will tell.
func (i intent) started(signer string) history[certificate.Certificate] {
	return i.history.with(certificate.Kind, []event.Event{certificate.SigningStarted{Signer: signer}})
}

// intend builds, lints and records the to-be-signed certificate.
func (i issuance) intend(ctx context.Context, serial string) (intent, error) {
	draft, subject, err := i.paper.draft(ctx)
	if err != nil {
		return intent{}, err
	}
	draft.Serial, draft.NotBefore = serial, i.Clock()
	p, err := i.issuer.Prepare(draft)
	if err != nil {
		return intent{}, err
	}
	as := i.act("IntendIssuance", serial)
	intended := certificate.IssuanceIntended{
		Serial: serial, Subject: subject, Profile: p.Profile, ProfileHash: p.ProfileHash, Issuer: p.Issuer, KeyHash: p.KeyHash,
		Lint: p.Lint, NotBefore: p.NotBefore, NotAfter: p.NotAfter,
		TBS: event.About(subject, certificate.DER{DER: p.TBS}), TBSHash: p.TBSHash, At: as.at,
	}
	if err := i.paper.cite(ctx, &intended); err != nil {
		return intent{}, err
	}
	free := history[certificate.Certificate]{} // most surely: 136 random bits; the append says if not
	r, err := transactFrom(ctx, i.App, certificate.Kind, certificate.Kind.Stream(serial), free, as,
		just[certificate.Certificate](certificate.Intend{Intent: intended}))
	return intent{r, p.TBS, free.with(certificate.Kind, []event.Event{intended})}, err
}

func (i issuance) noteIssued(ctx context.Context, serial, fingerprint string, revision uint64) error {
	if err := i.paper.issued(ctx, i.act("NoteIssued", serial), serial, fingerprint); err != nil {
		return err
	}
	i.step("noted")
	return i.paper.follow(ctx, i.act, serial, revision)
}
