package commands

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/iran"
	"govahi/domain/limit"
	"govahi/domain/office"
)

// OpenRequest asks for a tracking code to begin with (S1.3).
type OpenRequest struct {
	Channel         enrollment.Channel `json:"channel" enum:"outside,inside" doc:"Channel: outside or inside the oil industry"`
	CertificateType string             `json:"certificateType" doc:"Type of certificate, as the profiles offer it"`
	Office          string             `json:"office,omitempty" required:"false" maxLength:"40" doc:"Set by an officer who opens a request for a visitor: his office"`
}

// OpenRequest opens a request. Stream and tracking code follow from caller, key
// and year, so a repetition meets its own first event; that of an earlier year
// it finds by the key. A code that another request has is passed over.
func (a *App) OpenRequest(ctx context.Context, c Caller, in OpenRequest) (Receipt, error) {
	authority := asApplicant
	if in.Office != "" {
		var err error
		if authority, err = a.must(ctx, c, appointment.RegistrationOfficer, in.Office); err != nil {
			return Receipt{}, err
		}
	}
	return a.openAs(ctx, c, "OpenRequest", authority, func(open enrollment.Open, now enrollment.Enrollment) ([]event.Event, error) {
		if _, err := a.Authority.Profiles().Offered(in.CertificateType); err != nil {
			return nil, err
		}
		open.Channel, open.CertificateType, open.Office = in.Channel, in.CertificateType, in.Office
		return open.Decide(now)
	})
}

// openAs opens under the first code that is free.
func (a *App) openAs(ctx context.Context, c Caller, name, authority string,
	decide func(enrollment.Open, enrollment.Enrollment) ([]event.Event, error),
) (Receipt, error) {
	meant, err := a.meant(ctx, c, enrollment.Kind.Category)
	if err != nil {
		return Receipt{}, err
	}
	year := iran.FromTime(a.Clock()).Year
	for n := 0; ; n++ {
		code := a.trackingCode(c, "request", year, n)
		if n == 0 && meant != "" {
			code = meant.ID()
		}
		as := a.do(c, name, authority, code)
		open := enrollment.Open{TrackingCode: code, By: c.Person, At: as.at}
		r, err := transact(ctx, a, enrollment.Kind, enrollment.Kind.Stream(code), as, func(h history[enrollment.Enrollment]) ([]event.Event, error) {
			return decide(open, h.state)
		})
		if err != enrollment.ErrCodeTaken { //nolint:errorlint // comes unwrapped from Decide
			return r, err
		}
	}
}

// trackingCode derives the n-th candidate (domain §3.9).
func (a *App) trackingCode(c Caller, purpose string, year, n int) string {
	sum := a.Secrets.Derive("tracking-code", purpose, c.actor(), c.Key, string(rune('0'+n)))
	return iran.TrackingCode(year, uint32(binary.BigEndian.Uint64(sum)%1_000_000_000))
}

// CompleteForm fills in the form, by the applicant or at the counter.
func (a *App) CompleteForm(ctx context.Context, c Caller, code string, in FormInput) (Receipt, error) {
	stream := enrollment.Kind.Stream(code)
	h, authority, counter, err := a.theirs(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	p, err := a.Authority.Profiles().Offered(h.state.CertificateType)
	if err != nil {
		return Receipt{}, err
	}
	form, err := in.normalise(p, a.Clock())
	if err != nil {
		return Receipt{}, err
	}
	person, err := a.applicantOf(ctx, c, form, counter)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "CompleteForm", authority, code)
	return transactFrom(ctx, a, enrollment.Kind, stream, h, as, func(h history[enrollment.Enrollment]) ([]event.Event, error) {
		changed, err := a.emailChanged(ctx, h.state, form)
		if err != nil {
			return nil, err
		}
		if err := a.keepsData(ctx, h.state, form); err != nil {
			return nil, err
		}
		return enrollment.Complete{
			Person: person, Form: form, Foreign: len(form.PersonCode) == 12, EmailChanged: changed,
			By: c.Person, Entry: entry(counter), Office: h.state.Counter, At: as.at,
		}.Decide(h.state)
	})
}

// applicantOf is whom the form concerns: the caller himself, or whoever stands
// at the counter, who may be new to the house and is never the officer himself.
func (a *App) applicantOf(ctx context.Context, c Caller, form enrollment.Form, counter bool) (event.Subject, error) {
	if counter {
		person, err := a.People.Person(ctx, form.PersonCode)
		if err == nil && person == c.Person {
			err = enrollment.ErrOwnRequest
		}
		return person, err
	}
	person, _, err := a.People.Lookup(ctx, form.PersonCode)
	if err == nil && person != c.Person {
		err = ErrOtherPerson
	}
	return person, err
}

func entry(counter bool) enrollment.Entry {
	if counter {
		return enrollment.AtCounter
	}
	return enrollment.ByApplicant
}

func (a *App) emailChanged(ctx context.Context, s enrollment.Enrollment, form enrollment.Form) (bool, error) {
	if s.Form.Version == 0 {
		return false, nil
	}
	before, err := s.Form.Form.Open(ctx, a.Keeper)
	return before.Email != form.Email, err
}

// LiabilityNotice is the text of S1.7 in force.
var LiabilityNotice = Notice{
	Version: "1405-1",
	Text: "اینجانب درستی همهٔ اطلاعات فرم و مدارک ارائه‌شده، به‌ویژه نشانی پست الکترونیک، را تأیید می‌کنم. " +
		"مسئولیت حقوقی و جزائی هرگونه مغایرت یا نادرستی بر عهدهٔ ارائه‌کننده است و در صورت احراز نادرستی " +
		"پس از صدور، گواهی الکترونیکی از سوی مرکز صدور باطل خواهد شد.",
}

// Notice is a text that is accepted by version and hash.
type Notice struct{ Version, Text string }

// AcceptLiability accepts the notice whose hash the applicant was shown.
func (a *App) AcceptLiability(ctx context.Context, c Caller, code, version, hash string) (Receipt, error) {
	if version != LiabilityNotice.Version || hash != LiabilityNotice.Hash() {
		return Receipt{}, enrollment.ErrNoticeText
	}
	return a.asParty(ctx, c, code, "AcceptLiability", func(as act, counter bool) event.Command[enrollment.Enrollment] {
		return enrollment.AcceptLiability{NoticeVersion: version, TextHash: hash, By: c.Person, AtCounter: counter, At: as.at}
	})
}

// SendEmailCode sends another code to the form's address.
func (a *App) SendEmailCode(ctx context.Context, c Caller, code string) (Receipt, error) {
	stream := enrollment.Kind.Stream(code)
	h, authority, _, err := a.theirs(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "SendEmailCode", authority, code)
	if first, ok, err := repeated(ctx, a, as, h); ok || err != nil {
		return first, err
	}
	send := enrollment.SendEmailCode{At: as.at}
	if events, err := send.Decide(h.state); err != nil {
		return Receipt{}, err
	} else if len(events) > 0 {
		count, err := a.countable(ctx, as, h.state.Form.Person)
		if err != nil {
			return Receipt{}, err
		}
		if first, ok, err := once(ctx, a, &as, stream, h, false); ok || err != nil {
			return first, err
		}
		if err := count(); err != nil {
			return Receipt{}, err
		}
	}
	return transactFrom(ctx, a, enrollment.Kind, stream, h, as, just[enrollment.Enrollment](send))
}

// FirstEmailCode starts the proof of a form's address; a policy asks. Who has
// had too many codes gets none, and may ask for one later.
func (a *App) FirstEmailCode(ctx context.Context, c Caller, request event.Stream, formVersion int) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil {
		return err
	}
	as := a.do(c, "SendEmailCode", "policy", request.ID())
	send := enrollment.SendEmailCode{FormVersion: formVersion, At: as.at}
	if events, err := send.Decide(h.state); err != nil || len(events) == 0 {
		return err
	}
	count, err := a.countable(ctx, as, h.state.Form.Person)
	if err == nil {
		err = count()
	}
	switch {
	case errors.Is(err, limit.ErrTooMany):
		return nil
	case err != nil:
		return err
	}
	_, err = transactFrom(ctx, a, enrollment.Kind, request, h, as, just[enrollment.Enrollment](send))
	return err
}

// countable is whether a person may cause another code to be sent, over all his
// requests, and then counts it; each is counted once, however often the command
// comes. Like claimable, it leaves nothing where it refuses.
func (a *App) countable(ctx context.Context, as act, person event.Subject) (count func() error, err error) {
	if a.CodeLimit.Max == 0 {
		return func() error { return nil }, nil
	}
	decide := func(h history[[]time.Time]) ([]event.Event, error) {
		if _, ok := h.done(as.commandID(as.name)); ok {
			return nil, nil
		}
		return limit.Count{Rule: a.CodeLimit, At: as.at}.Decide(h.state)
	}
	stream := limit.Kind.Stream(a.CodeLimit.Name, string(person))
	seen, err := load(ctx, a, limit.Kind, stream)
	if err == nil {
		_, err = decide(seen)
	}
	return func() error {
		_, err := insist(ctx, a, limit.Kind, stream, seen, func(h history[[]time.Time]) (Receipt, error) {
			events, err := decide(h)
			if err != nil {
				return Receipt{}, err
			}
			return appendTo(ctx, a, limit.Kind, stream, h, as.meta(), events)
		})
		return err
	}, err
}

// ConfirmEmail proves the address by the code that was sent there (S1.5).
func (a *App) ConfirmEmail(ctx context.Context, c Caller, code, entered string) (Receipt, error) {
	stream := enrollment.Kind.Stream(code)
	h, authority, _, err := a.theirs(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "ConfirmEmail", authority, code)
	r, err := transactFrom(ctx, a, enrollment.Kind, stream, h, as, func(h history[enrollment.Enrollment]) ([]event.Event, error) {
		round := h.state.Email.Sent.Round
		right := sameCode(iran.Digits(entered), a.EmailCode(stream, round))
		return enrollment.ConfirmEmail{Right: right, Round: round, At: as.at}.Decide(h.state)
	})
	if err != nil {
		return Receipt{}, err
	}
	return r, a.refusedCode(ctx, r)
}

// refusedCode reads what the command left, so that its repetition is refused
// like the first time: a wrong code is a fact, and its receipt no success.
func (a *App) refusedCode(ctx context.Context, r Receipt) error {
	for e, err := range a.Log.Read(ctx, r.Stream, r.Revision) {
		if err != nil {
			return unavailable(err)
		}
		left, err := enrollment.Catalog.Open(e)
		if _, refused := left.(enrollment.EmailCodeRefused); refused {
			return enrollment.ErrEmailCode
		}
		return err
	}
	return nil
}

// Withdraw ends a request at the applicant's wish.
func (a *App) Withdraw(ctx context.Context, c Caller, code string) (Receipt, error) {
	return a.asParty(ctx, c, code, "Withdraw", func(as act, _ bool) event.Command[enrollment.Enrollment] {
		return enrollment.Withdraw{By: c.Person, At: as.at}
	})
}

// SubmitRequest closes the form and brings the request to an office (S1.8). It
// takes the one opening of person, organisation and type first (invariant 3),
// and submits the very party that it was taken for. What a cut-off submission
// took stays taken until the request is over: to let go of it earlier could
// race with another submission of the same request.
func (a *App) SubmitRequest(ctx context.Context, c Caller, code, toOffice string) (Receipt, error) {
	return a.submit(ctx, c, code, "SubmitRequest",
		func(at time.Time) event.Command[enrollment.Enrollment] {
			return enrollment.Submit{Office: toOffice, At: at}
		},
		func(enrollment.Enrollment) error { return a.takesRequests(ctx, toOffice) })
}

// SubmitToUnit brings a request of the inside channel to the research and
// technology unit of the applicant's company (S1.18).
func (a *App) SubmitToUnit(ctx context.Context, c Caller, code, unit string) (Receipt, error) {
	return a.submit(ctx, c, code, "SubmitToUnit",
		func(at time.Time) event.Command[enrollment.Enrollment] {
			return enrollment.SubmitToUnit{Unit: unit, At: at}
		},
		func(s enrollment.Enrollment) error { return a.unitOf(ctx, unit, s.Form.Organization) })
}

// submit takes the one opening of person, organisation and type, and then brings
// the request to a place that takes it.
func (a *App) submit(ctx context.Context, c Caller, code, name string,
	to func(at time.Time) event.Command[enrollment.Enrollment], takes func(enrollment.Enrollment) error,
) (Receipt, error) {
	stream := enrollment.Kind.Stream(code)
	h, authority, _, err := a.theirs(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, name, authority, code)
	if first, ok, err := repeated(ctx, a, as, h); ok || err != nil {
		return first, err
	}
	submit := to(as.at)
	if _, err := submit.Decide(h.state); err != nil {
		return Receipt{}, errors.Join(err, a.releaseIfOver(ctx, as, stream))
	}
	if err := takes(h.state); err != nil {
		return Receipt{}, err
	}
	if err := a.priced(ctx, h.state.CertificateType); err != nil {
		return Receipt{}, err
	}
	take, err := a.opens(ctx, as, h.state, enrollment.TakeOpening{Request: stream, At: as.at})
	if err != nil {
		return Receipt{}, err
	}
	if first, ok, err := once(ctx, a, &as, stream, h, false); ok || err != nil {
		return first, err
	}
	if err := take(); err != nil {
		return Receipt{}, err
	}
	r, err := transactFrom(ctx, a, enrollment.Kind, stream, h, as, func(now history[enrollment.Enrollment]) ([]event.Event, error) {
		if opening(now.state) != opening(h.state) {
			return nil, enrollment.ErrStaleForm
		}
		return submit.Decide(now.state)
	})
	if isRefusal(err) { // the request may have ended before the opening was taken
		err = errors.Join(err, a.releaseIfOver(ctx, as, stream))
	}
	return r, err
}

// opens takes what one request at a time has: the opening of person, organisation
// and type, and the succession to a certificate.
func (a *App) opens(ctx context.Context, as act, s enrollment.Enrollment, c enrollment.TakeOpening) (func() error, error) {
	take, err := claimable(ctx, a, enrollment.Opening, opening(s), as, s.TrackingCode, c)
	if err != nil || !s.Renews() {
		return take, err
	}
	held, err := a.followed(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case !c.At.Before(held.Issued.NotAfter): // what was submitted in time may be issued after it
		return nil, certificate.ErrExpired
	}
	follow, err := claimable(ctx, a, enrollment.Opening, enrollment.RenewalKey(s.Renewal.Certificate), as, s.TrackingCode, c)
	return func() error {
		if err := take(); err != nil {
			return err
		}
		return follow()
	}, err
}

func opening(s enrollment.Enrollment) event.Stream {
	return enrollment.Opening.Stream(string(s.Form.Person), s.Form.Organization, s.CertificateType)
}

// ReleaseOpening lets go of what a finished request held; a policy asks. Every
// form that it ever had is looked at: a submission that was cut off may have
// taken an opening for an earlier one.
func (a *App) ReleaseOpening(ctx context.Context, c Caller, request event.Stream) error {
	return a.releaseIfOver(ctx, a.do(c, "ReleaseOpening", "policy", request.ID()), request)
}

func (a *App) releaseIfOver(ctx context.Context, as act, request event.Stream) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil || !h.state.Status.Over() {
		return err
	}
	var s enrollment.Enrollment
	for _, r := range h.records {
		e, err := enrollment.Catalog.Open(r)
		if err != nil {
			return err
		}
		s = enrollment.Evolve(s, e)
		if _, form := e.(enrollment.FormCompleted); form {
			err = claim(ctx, a, enrollment.Opening, opening(s), as, request.ID(), enrollment.ReleaseOpening{Request: request, At: as.at})
		}
		if err != nil {
			return err
		}
	}
	if !s.Renews() || !s.Status.Failed() {
		return nil
	}
	key := enrollment.RenewalKey(s.Renewal.Certificate)
	return claim(ctx, a, enrollment.Opening, key, as, request.ID(), enrollment.ReleaseOpening{Request: request, At: as.at})
}

func (a *App) takesRequests(ctx context.Context, code string) error {
	h, err := load(ctx, a, office.Kind, office.Kind.Stream(code))
	if err == nil && h.state.Sort != office.Registration {
		err = office.ErrNotFound
	}
	return err
}

// asParty runs a command of the applicant's side on his request.
func (a *App) asParty(ctx context.Context, c Caller, code, name string,
	command func(as act, counter bool) event.Command[enrollment.Enrollment],
) (Receipt, error) {
	stream := enrollment.Kind.Stream(code)
	h, authority, counter, err := a.theirs(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, name, authority, code)
	return transactFrom(ctx, a, enrollment.Kind, stream, h, as, just(command(as, counter)))
}
