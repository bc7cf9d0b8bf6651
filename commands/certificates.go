package commands

import (
	"cmp"
	"context"
	"encoding/hex"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/domain/token"
)

// IssueCertificate hands a confirmed request to the CA with the key that was
// born on the reserved token: possession proved, strength and reuse checked
// (S1.10, RFC 2986). The issuance handler does the rest.
func (a *App) IssueCertificate(ctx context.Context, c Caller, code, tokenSerial string, csr []byte) (Receipt, error) {
	keyHash, err := a.Authority.CheckCSR(csr)
	if err != nil {
		return Receipt{}, err
	}
	blocked, err := load(ctx, a, certificate.Blocklist, certificate.Blocklist.Stream(keyHash))
	if err != nil {
		return Receipt{}, err
	}
	request := enrollment.Kind.Stream(code)
	h, authority, err := a.ours(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "IssueCertificate", authority, code)
	if first, ok, err := repeated(ctx, a, as, h); ok || err != nil {
		return first, err
	}
	ask := enrollment.RequestIssuance{
		Token: tokenSerial, KeyHash: keyHash, CSR: csr, By: c.Person, Office: h.state.Office, At: as.at,
	}
	if _, err := ask.Decide(h.state); err != nil {
		return Receipt{}, err
	}
	if blocked.state.Certificate != "" {
		return Receipt{}, certificate.ErrKeyBlocked
	}
	key, err := a.keyFor(ctx, h.state, request, keyHash, as.at)
	if err != nil {
		return Receipt{}, err
	}
	if err := a.certifiable(h.state.CertificateType, csr); err != nil {
		return Receipt{}, err
	}
	if err := a.tokenReserved(ctx, h.state, request, tokenSerial); err != nil {
		return Receipt{}, err
	}
	if err := a.licensed(ctx, h.state.Office); err != nil {
		return Receipt{}, err
	}
	take, err := claimable(ctx, a, certificate.Key, certificate.Key.Stream(keyHash), as, code, key)
	if err != nil {
		return Receipt{}, err
	}
	if first, ok, err := once(ctx, a, &as, request, h, false); ok || err != nil {
		return first, err
	}
	if err := take(); err != nil {
		return Receipt{}, err
	}
	return transactFrom(ctx, a, enrollment.Kind, request, h, as, just[enrollment.Enrollment](ask))
}

// certifiable refuses at the desk, where another key can be made, a kind of key
// that the certificate's profile does not take.
func (a *App) certifiable(certificateType string, csr []byte) error {
	p, err := a.Authority.Profiles().Offered(certificateType)
	if err != nil {
		return err
	}
	return a.Authority.Fits(csr, p)
}

// tokenReserved wants the blank token that was kept for the request; of a renewal
// the very token that carries the certificate, in its holder's hands.
func (a *App) tokenReserved(ctx context.Context, e enrollment.Enrollment, request event.Stream, serial string) error {
	h, err := load(ctx, a, token.Kind, token.Kind.Stream(serial))
	switch {
	case err != nil:
		return err
	case h.state.Status == token.None:
		return token.ErrNotFound
	case e.OnOwnToken() && h.state.Certificate != e.Renewal.Certificate:
		return enrollment.ErrOwnToken
	case e.OnOwnToken():
		return h.state.HeldBy(e.Form.Person)
	}
	return h.state.ReservedFor(request)
}

// PersonaliseToken says that the certificate was written to the token and read
// back; the fingerprint is what was read.
func (a *App) PersonaliseToken(ctx context.Context, c Caller, code, serial, fingerprint string) (Receipt, error) {
	return a.atDesk(ctx, c, code, "PersonaliseToken", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		return enrollment.PersonaliseToken{
			Token: serial, Fingerprint: iran.Hexadecimal(fingerprint), By: c.Person, At: as.at,
		}.Decide(h.state)
	})
}

// PrintSheet records a printout of the particulars and returns its number (S1.12).
func (a *App) PrintSheet(ctx context.Context, c Caller, code string) (Receipt, error) {
	return a.atDesk(ctx, c, code, "PrintSheet", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		return enrollment.PrintSheet{By: c.Person, At: as.at}.Decide(h.state)
	})
}

// DeliverToken says to whom token and sheet are handed.
type DeliverToken struct {
	IdentityChecked enrollment.Document `json:"identityChecked" enum:"national-card,passport,birth-certificate" doc:"The original by which the receiver's identity was checked"`
	Attorney        *AttorneyInput      `json:"attorney,omitempty" required:"false" doc:"The lawful attorney who receives it for the applicant"`
}

// AttorneyInput is who acts for the applicant, and by which power.
type AttorneyInput struct {
	Name   string `json:"name" maxLength:"100" doc:"نام و نام خانوادگی وکیل"`
	Power  string `json:"power" maxLength:"40" doc:"شماره وکالت‌نامهٔ رسمی"`
	Date   string `json:"date" maxLength:"20" doc:"تاریخ وکالت‌نامه، جلالی"`
	Notary string `json:"notary" maxLength:"100" doc:"دفترخانه"`
}

var errPowerDate = fault.New(fault.Invalid, "power-date-invalid",
	"تاریخ وکالت‌نامه را به صورت سال/ماه/روز جلالی و نه در آینده بنویسید.",
	"Write the date of the power of attorney as Jalali year/month/day, not in the future.")

func pastDate(now time.Time) func(string) (string, error) {
	return func(typed string) (string, error) {
		d, err := iran.ParseDate(typed)
		if err != nil || d.Time().After(now) {
			return "", errPowerDate
		}
		return d.String(), nil
	}
}

func (in DeliverToken) attorney(now time.Time) (*enrollment.Attorney, error) {
	if in.Attorney == nil {
		return nil, nil
	}
	n := normaliser{}
	p := enrollment.Attorney{
		Name: n.text("attorney.name", in.Attorney.Name), Power: n.text("attorney.power", in.Attorney.Power),
		Date: n.parsed("attorney.date", in.Attorney.Date, pastDate(now)), Notary: n.text("attorney.notary", in.Attorney.Notary),
	}
	return &p, n.err
}

// DeliverToken hands token and sheet to the applicant, identity re-checked, or to
// his lawful attorney. The token must be where it is handed over.
func (a *App) DeliverToken(ctx context.Context, c Caller, code string, in DeliverToken) (Receipt, error) {
	attorney, err := in.attorney(a.Clock())
	if err != nil {
		return Receipt{}, err
	}
	return a.atDesk(ctx, c, code, "DeliverToken", func(as act, h history[enrollment.Enrollment]) ([]event.Event, error) {
		received, err := a.receiver(ctx, h.state)
		if err != nil {
			return nil, err
		}
		events, err := enrollment.Deliver{IdentityChecked: in.IdentityChecked, Attorney: attorney, Received: received, By: c.Person, At: as.at}.Decide(h.state)
		if err != nil || len(events) == 0 {
			return events, err
		}
		if err := a.deliverableAfter(ctx, h.state); err != nil {
			return nil, err
		}
		return events, a.deliverable(ctx, c, h.state)
	})
}

// receiver is the attorney who has received the token for the applicant, if one
// has.
func (a *App) receiver(ctx context.Context, e enrollment.Enrollment) (*enrollment.Attorney, error) {
	if e.ReceivedBy == nil {
		return nil, nil
	}
	p, err := e.ReceivedBy.Open(ctx, a.Keeper)
	return &p, err
}

// deliverable reads the token's own stream: it may be lost since, or its seal
// broken, and its PIN have gone by the hands that would deliver it.
func (a *App) deliverable(ctx context.Context, c Caller, e enrollment.Enrollment) error {
	h, err := load(ctx, a, token.Kind, token.Kind.Stream(e.Issuance.Token))
	if err != nil {
		return err
	}
	if e.OnOwnToken() {
		return h.state.HeldBy(e.Form.Person)
	}
	if h.state.Status == token.StatusReserved && h.state.Request == enrollment.Kind.Stream(e.TrackingCode) {
		return nil // at the office that made it: its own stream follows in a moment
	}
	_, place := deskOf(e)
	if err := h.state.Deliverable(place); err != nil {
		return err
	}
	return a.notCarrier(ctx, c, h.state)
}

// AcceptCertificate is the subscriber's own acceptance.
func (a *App) AcceptCertificate(ctx context.Context, c Caller, code string) (Receipt, error) {
	stream := enrollment.Kind.Stream(code)
	h, authority, _, err := a.theirs(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "AcceptCertificate", authority, code)
	held, err := load(ctx, a, token.Kind, token.Kind.Stream(cmp.Or(h.state.Issuance.Token, "none")))
	if err != nil {
		return Receipt{}, err
	}
	within, err := a.acceptableFor(ctx, h.state)
	if err != nil {
		return Receipt{}, err
	}
	accept := enrollment.Accept{Activated: held.state.Status == token.Activated, By: c.Person, Within: within, At: as.at}
	return transactFrom(ctx, a, enrollment.Kind, stream, h, as, just[enrollment.Enrollment](accept))
}

var errReason = fault.New(fault.Invalid, "reason-unknown",
	"چنین دلیلی برای ابطال نیست؛ یکی از دلیل‌های فهرست را برگزینید.",
	"There is no such reason for revocation; choose one of the list.").At("reason")

// RevokeCertificate withdraws trust: the holder his own certificate, the CA's
// operators any (domain §4.4). It is free and immediate.
func (a *App) RevokeCertificate(ctx context.Context, c Caller, serial string, reason certificate.Reason) (Receipt, error) {
	if !reason.Known() {
		return Receipt{}, errReason
	}
	stream := certificate.Kind.Stream(plainSerial(serial))
	h, err := load(ctx, a, certificate.Kind, stream)
	if err != nil {
		return Receipt{}, err
	}
	authority, err := a.mayRevoke(ctx, c, h.state, reason)
	if err != nil {
		return Receipt{}, err
	}
	by := certificate.Operator
	if authority == asSubscriber {
		by = certificate.Holder
	}
	as := a.do(c, "RevokeCertificate", authority, h.state.Issued.Request.ID())
	ask := certificate.Ask{Ground: certificate.GroundOf(reason), By: by}
	revoke := certificate.Revoke{Ask: ask, By: string(c.Person), At: as.at}
	return transact(ctx, a, certificate.Kind, stream, as, just[certificate.Certificate](revoke))
}

// NoteRevoked ends the request of a revoked certificate; a policy asks.
func (a *App) NoteRevoked(ctx context.Context, c Caller, e certificate.Revoked) error {
	if e.Request == "" {
		return nil
	}
	as := a.do(c, "NoteRevoked", "policy", e.Request.ID())
	note := enrollment.NoteRevoked{Serial: e.Serial, At: as.at}
	_, err := transact(ctx, a, enrollment.Kind, e.Request, as, just[enrollment.Enrollment](note))
	return err
}

// plainSerial is the stored form of a serial as people copy it.
func plainSerial(s string) string {
	s = iran.Hexadecimal(s)
	if _, err := hex.DecodeString(s); err != nil || len(s) > 40 {
		return "none"
	}
	return s
}

// StatusOf is the truth about a serial, straight from the log: no view's delay
// makes a revoked certificate good.
func (a *App) StatusOf(ctx context.Context, serial string) (certificate.Certificate, error) {
	h, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(plainSerial(serial)))
	return h.state, err
}
