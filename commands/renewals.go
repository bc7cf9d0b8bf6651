package commands

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/domain/office"
	"govahi/domain/profile"
	"govahi/domain/revocation"
)

// OpenRenewal says in what a request follows a certificate.
type OpenRenewal struct {
	Basis enrollment.Basis `json:"basis" enum:"renewal,re-key,modification" doc:"renewal: same data and key, on the holder's token; re-key: same data, another key on another token; modification: other data, the certificate is revoked before the next is issued"`
}

// The refusals of a renewal that look beyond the certificate.
var (
	ErrUnderDoubt = fault.New(fault.Conflict, "certificate-under-doubt",
		"دربارهٔ درستی این گواهی پرونده‌ای باز است؛ تا پایان رسیدگی گواهی دیگری به جای آن صادر نمی‌شود.",
		"A case about this certificate is open; until it is decided no other is issued in its place.")
	errNotRenewer = fault.New(fault.Forbidden, "not-the-renewer",
		"تمدید را خود دارنده می‌خواهد، یا دفتری که گواهی را صادر کرده است در پیشخوان برای او می‌گشاید.",
		"A renewal is asked for by the holder himself, or opened for him at the counter of the certificate's office.")
)

func errTooEarly(from time.Time) *fault.Fault {
	day := iran.FromTime(from).String()
	return fault.New(fault.Conflict, "renewal-too-early",
		"تمدید این گواهی از "+day+" شدنی است؛ پیش از آن، صدور با کلید تازه یا تغییر اطلاعات را می‌توانید بخواهید.",
		"This certificate may be renewed from "+day+" (Jalali) on; before that ask for a re-key or a modification.").At("basis")
}

// OpenRenewal opens a request that follows a certificate, its form filled in
// (RFC 3647 §4.6–4.8): by the holder, or at the counter of its office. It goes
// through all controls like the first one.
func (a *App) OpenRenewal(ctx context.Context, c Caller, serial string, in OpenRenewal) (Receipt, error) {
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(plainSerial(serial)))
	if err != nil {
		return Receipt{}, err
	}
	is, authority, err := a.trustee(ctx, c, held.state)
	if err != nil {
		return Receipt{}, err
	}
	former, err := load(ctx, a, enrollment.Kind, cmp.Or(held.state.Issued.Request, enrollment.Kind.Stream("none")))
	if err != nil {
		return Receipt{}, err
	}
	counter := former.state.Office
	switch is {
	case holder:
		authority, counter = asApplicant, ""
	case operator: // who may sit at the office, too
		authority, err = a.sitsAt(ctx, c, counter)
	case nobody:
		err = errNotRenewer
	}
	if err != nil {
		return Receipt{}, err
	}
	return a.openAs(ctx, c, "OpenRenewal", authority, func(open enrollment.Open, now enrollment.Enrollment) ([]event.Event, error) {
		open.Channel, open.CertificateType, open.Office = former.state.Channel, former.state.CertificateType, counter
		renewal := enrollment.OpenRenewal{Open: open, Basis: in.Basis, Certificate: held.state.Issued.Serial, Former: former.state}
		return a.opensRenewal(ctx, renewal, held.state, now)
	})
}

// sitsAt cites the caller's post as an officer of the office.
func (a *App) sitsAt(ctx context.Context, c Caller, office string) (authority string, err error) {
	s, err := a.standing(ctx, c)
	if err == nil && !s.officerOf(office) {
		err = errNotRenewer
	}
	authority, _ = s.by(appointment.RegistrationOfficer, office)
	return authority, err
}

func (a *App) opensRenewal(ctx context.Context, open enrollment.OpenRenewal, held certificate.Certificate, now enrollment.Enrollment) ([]event.Event, error) {
	if err := held.Renewable(open.At); err != nil {
		return nil, err
	}
	p, err := a.Authority.Profiles().Offered(open.CertificateType)
	if err != nil {
		return nil, err
	}
	if from := held.Issued.NotAfter.AddDate(0, 0, -p.RenewalDays); open.Basis == enrollment.Renewal && open.At.Before(from) {
		return nil, errTooEarly(from)
	}
	if err := a.undoubted(ctx, held.Issued.Serial); err != nil {
		return nil, err
	}
	if open.Form, err = a.filledIn(ctx, open, p); err != nil {
		return nil, err
	}
	return open.Decide(now)
}

// filledIn is the form of the certificate's own request, as it would be taken
// today. If it would not, a modification begins with an empty one.
func (a *App) filledIn(ctx context.Context, open enrollment.OpenRenewal, p profile.Profile) (*enrollment.Form, error) {
	said := open.Former.Form.Form
	if said == nil {
		return nil, nil
	}
	form, err := said.Open(ctx, a.Keeper)
	if err != nil {
		return nil, err
	}
	form, err = FormInput(form).normalise(p, open.At)
	if open.Basis == enrollment.Modification && isRefusal(err) {
		return nil, nil
	}
	return &form, err
}

// keepsData refuses, of a renewal or re-key, what the certificate would say
// otherwise than the one before it.
func (a *App) keepsData(ctx context.Context, s enrollment.Enrollment, form enrollment.Form) error {
	if !s.Renews() || s.Renewal.Basis == enrollment.Modification {
		return nil
	}
	former, err := load(ctx, a, enrollment.Kind, s.Renewal.Request)
	if err != nil {
		return err
	}
	said, err := former.state.Form.Form.Open(ctx, a.Keeper)
	if err != nil {
		return err
	}
	if field := enrollment.SameCertified(said, form); field != "" {
		return enrollment.ErrDataChanged.At(field)
	}
	return nil
}

// undoubted refuses a certificate of which a case is open.
func (a *App) undoubted(ctx context.Context, serial string) error {
	file, err := load(ctx, a, revocation.File, revocation.File.Stream(serial))
	if err != nil || file.state.Case == "" {
		return err
	}
	h, err := load(ctx, a, revocation.Kind, revocation.Kind.Stream(file.state.Case))
	if err == nil && !h.state.Status.Over() {
		err = ErrUnderDoubt
	}
	return err
}

// followed is the certificate that a request follows. It may have expired since
// the request was submitted, but nothing follows one that was revoked, is suspended
// or doubted: except that a modification revokes it itself, on the ground that its
// data changed, and on no other.
func (a *App) followed(ctx context.Context, s enrollment.Enrollment) (certificate.Certificate, error) {
	if !s.Renews() {
		return certificate.Certificate{}, nil
	}
	h, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(s.Renewal.Certificate))
	if err != nil {
		return h.state, err
	}
	changed := s.Renewal.Basis == enrollment.Modification && h.state.Status == certificate.Withdrawn && h.state.Ground == certificate.DataChanged
	if err := h.state.Renewable(time.Time{}); err != nil && !changed {
		return h.state, err
	}
	return h.state, a.undoubted(ctx, s.Renewal.Certificate)
}

// keyFor is how a request comes to its key: a renewal has that of the certificate
// which it follows, and everybody else one that was never used.
func (a *App) keyFor(ctx context.Context, s enrollment.Enrollment, request event.Stream, keyHash string, at time.Time) (event.Command[certificate.KeyClaimed], error) {
	held, err := a.followed(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case !s.OnOwnToken():
		return certificate.ClaimKey{Request: request, At: at}, nil
	case held.Intent.KeyHash != keyHash:
		return nil, enrollment.ErrKeyNotKept
	}
	from, err := a.keyOf(ctx, s, keyHash)
	return certificate.RenewKey{From: from, Request: request, At: at}, err
}

// keyOf is the request from which a renewal has its key: the certificate's own,
// or an earlier renewal of that certificate which took the key and came to
// nothing, and does so for good.
func (a *App) keyOf(ctx context.Context, s enrollment.Enrollment, keyHash string) (event.Stream, error) {
	claimed, err := load(ctx, a, certificate.Key, certificate.Key.Stream(keyHash))
	if err != nil || claimed.state.Request == "" {
		return s.Renewal.Request, err
	}
	holds, err := load(ctx, a, enrollment.Kind, claimed.state.Request)
	if earlier := holds.state; earlier.Renewal.Certificate == s.Renewal.Certificate && earlier.Status.Failed() {
		return claimed.state.Request, err
	}
	return s.Renewal.Request, err
}

// deliverableAfter refuses to deliver what follows a suspended certificate: the
// delivery would supersede it, and end the suspension.
func (a *App) deliverableAfter(ctx context.Context, s enrollment.Enrollment) error {
	if !s.Renews() {
		return nil
	}
	h, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(s.Renewal.Certificate))
	if err == nil && h.state.Status == certificate.OnHold {
		err = certificate.Kind.Life.Refuse(certificate.ErrOnHold, string(h.state.Status))
	}
	return err
}

// endModified revokes the certificate whose data changed, just before the one
// that says how they are now is signed: revoke and reissue (RFC 3647 §4.8). By
// then lint and record have passed, the confirmation holds and a signer is ready,
// so nobody is left with none for a mistake, for what an officer lost since, or for
// as long as nobody can sign.
func (p *requested) endModified(ctx context.Context, at time.Time) error {
	if p.state.Renewal.Basis != enrollment.Modification {
		return nil
	}
	if err := p.holds(ctx, at); err != nil {
		return err
	}
	if err := patiently(ctx, func() error { return p.Signer.Ready(ctx) }); err != nil {
		return err
	}
	c := Caller{Policy: "end-modified", Key: string(p.stream)}
	return p.endFollowed(ctx, p.do(c, "EndModified", asPolicy, p.stream.ID()), p.state, certificate.DataChanged, at)
}

// holds asks of the confirmation what the signer will ask again: the certificate
// and appointment of who confirmed, and his office's licence, all of them now.
func (p *requested) holds(ctx context.Context, now time.Time) error {
	confirmed := p.state.Confirmation
	own, err := stands(ctx, p.App, certificate.Kind, certificate.Kind.Stream(confirmed.Certificate))
	posts, noPosts := stands(ctx, p.App, appointment.Kind, appointment.Kind.Stream(string(confirmed.By)))
	place, noPlace := stands(ctx, p.App, office.Kind, office.Kind.Stream(confirmed.Office))
	if err := errors.Join(err, noPosts, noPlace); err != nil {
		return err
	}
	if !own.IsOfficers() || own.Issued.Subject != confirmed.By || !now.Before(own.Issued.NotAfter) ||
		!posts.Holds(appointment.RegistrationOfficer, confirmed.Office, now) || !place.Licensed(now) {
		return ErrConfirmationVoid
	}
	return nil
}

// SupersedeRenewed ends the certificate that a delivered one follows; a policy
// asks. The token carries the new one before that: a token whose certificate is
// revoked is asked back.
func (a *App) SupersedeRenewed(ctx context.Context, c Caller, request event.Stream, by event.Subject) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil || !h.state.Renews() {
		return err
	}
	if h.state.OnOwnToken() {
		if err := a.FollowToken(ctx, c, request, by, true); err != nil {
			return err
		}
	}
	as := a.do(c, "SupersedeRenewed", asPolicy, request.ID())
	return a.endFollowed(ctx, as, h.state, certificate.Replaced, as.at)
}

// endFollowed revokes what a request follows, unless it is revoked or expired.
func (a *App) endFollowed(ctx context.Context, as act, s enrollment.Enrollment, ground certificate.Ground, at time.Time) error {
	stream := certificate.Kind.Stream(s.Renewal.Certificate)
	revoke := certificate.Revoke{Ask: certificate.Ask{Ground: ground, By: certificate.House}, By: as.actor(), At: at}
	_, err := transact(ctx, a, certificate.Kind, stream, as, func(h history[certificate.Certificate]) ([]event.Event, error) {
		if h.state.Status == certificate.Withdrawn || !at.Before(h.state.Issued.NotAfter) {
			return nil, nil
		}
		return revoke.Decide(h.state)
	})
	return err
}

// why a certificate was revoked, for what was issued in its place.
type why struct {
	ground certificate.Ground
	reason certificate.Reason
	cause  event.Stream // a case
}

// FollowRenewals lets what was issued in a certificate's place, and what it was
// issued in the place of, follow its revocation; a policy asks. A compromised key
// takes every certificate of that key with it, back and forth, and what was false
// takes every certificate that says the same.
func (a *App) FollowRenewals(ctx context.Context, c Caller, e certificate.Revoked) error {
	return a.spread(ctx, c, e.Serial, e.Request, why{e.Ground, e.Reason, e.Case})
}

func (a *App) spread(ctx context.Context, c Caller, serial string, request event.Stream, because why) error {
	if err := a.fell(ctx, c, serial, because); err != nil || request == "" {
		return err
	}
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil || !h.state.Renews() || !because.reaches(h.state.Renewal.Basis) {
		return err
	}
	return a.fall(ctx, c, h.state.Renewal.Certificate, because)
}

// fell revokes what was ever issued in a certificate's place, if it falls with
// it: also by a request that has let go of the succession since, for its own
// successor may stand.
func (a *App) fell(ctx context.Context, c Caller, serial string, because why) error {
	all, err := a.certifiedOn(ctx, enrollment.RenewalKey(serial))
	for _, next := range all {
		if err == nil && because.fells(next) {
			err = a.fall(ctx, c, next.Serial, because)
		}
	}
	return err
}

// certifiedOn are the requests that ever held an opening, or a succession, and had a
// certificate by it: also those that have let go of it since.
func (a *App) certifiedOn(ctx context.Context, opening event.Stream) (all []enrollment.Enrollment, err error) {
	held, err := load(ctx, a, enrollment.Opening, opening)
	if err != nil {
		return nil, err
	}
	for _, r := range held.records {
		e, err := enrollment.Opening.Catalog.Open(r)
		if err != nil {
			return nil, err
		}
		taken, ok := e.(enrollment.OpeningTaken)
		if !ok {
			continue
		}
		h, err := load(ctx, a, enrollment.Kind, taken.Request)
		if err != nil {
			return nil, err
		}
		if h.state.Serial != "" {
			all = append(all, h.state)
		}
	}
	return all, nil
}

// bereave ends what else a dead person holds: certificates of every type, from the
// same organisation or from none.
func (a *App) bereave(ctx context.Context, c Caller, request event.Stream, because why) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil {
		return err
	}
	for _, organization := range slices.Compact([]string{h.state.Form.Organization, ""}) {
		for _, product := range a.Authority.Profiles().Products() {
			all, err := a.certifiedOn(ctx, enrollment.Opening.Stream(string(h.state.Form.Person), organization, product))
			for _, one := range all {
				if err == nil {
					err = a.fall(ctx, c, one.Serial, because)
				}
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// reaches tells whether the certificate before one of that basis is no better: of
// the same key, with the same false data, or of the same lost holder.
func (w why) reaches(basis enrollment.Basis) bool {
	switch {
	case w.ground == certificate.HolderDead:
		return true
	case w.reason == certificate.KeyCompromise:
		return basis == enrollment.Renewal
	}
	return basis != enrollment.Modification && (w.ground == certificate.AffiliationLost || w.reason == certificate.PrivilegeWithdrawn)
}

// fells tells whether what was issued in a certificate's place is no better than
// it: of the same key, with the same false data, for the same lost holder, or
// still on its way to one who wants none any more.
func (w why) fells(next enrollment.Enrollment) bool {
	sameData := next.Renewal.Basis != enrollment.Modification
	switch {
	case w.ground == certificate.HolderDead:
		return true
	case w.ground == certificate.WrongData:
		return sameData
	case w.reason == certificate.Superseded: // a token that is broken, or asked back before it was written to, carries nothing more
		return next.OnOwnToken() && (w.ground == certificate.TokenBroken || !next.OnToken)
	case w.reason == certificate.KeyCompromise:
		return next.OnOwnToken()
	case !sameData:
		return false
	}
	has := next.Status == enrollment.StatusDelivered || next.Status == enrollment.StatusAccepted
	return !has || w.reason == certificate.AffiliationChanged || w.reason == certificate.PrivilegeWithdrawn
}

// fall goes on to what follows, also where the certificate was revoked already.
func (a *App) fall(ctx context.Context, c Caller, serial string, because why) error {
	next := c
	next.Key += "/" + serial
	as := a.do(next, "FollowRenewals", asPolicy, serial)
	revoke := certificate.Revoke{Reason: because.reason, Case: because.cause, By: as.actor(), At: as.at}
	_, err := transact(ctx, a, certificate.Kind, certificate.Kind.Stream(serial), as, just[certificate.Certificate](revoke))
	if err != nil && !errors.Is(err, certificate.ErrAlreadyRevoked) {
		return err
	}
	return a.fell(ctx, next, serial, because)
}

// followRenewed is the issuance handler's look back: what this certificate
// follows may have been revoked before the request knew its serial, when the
// policy found nothing to revoke.
func (p *requested) followRenewed(ctx context.Context, as act, serial string) error {
	if !p.state.Renews() {
		return nil
	}
	held, err := load(ctx, p.App, certificate.Kind, certificate.Kind.Stream(p.state.Renewal.Certificate))
	because := why{ground: held.state.Ground, reason: held.state.Reason}
	if err != nil || held.state.Status != certificate.Withdrawn || !because.fells(p.state) {
		return err
	}
	return p.fall(ctx, as.Caller, serial, because)
}
