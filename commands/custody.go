package commands

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"

	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/office"
	"govahi/domain/token"
)

var sealPattern = regexp.MustCompile(`^[0-9A-Za-z-]{1,20}$`)

func sealNumber(typed string) (string, error) {
	if !sealPattern.MatchString(typed) {
		return "", token.ErrSeal
	}
	return typed, nil
}

var errEnvelope = fault.New(fault.Invalid, "envelope-number-invalid",
	"شمارهٔ پاکت ۱ تا ۲۰ حرف لاتین و رقم است.", "An envelope's number is 1 to 20 Latin letters and digits.").At("envelope")

// IssuePIN says by which way a PIN envelope travels.
type IssuePIN struct {
	Envelope string `json:"envelope" maxLength:"20" doc:"شماره پاکت رمز"`
	Via      string `json:"via" maxLength:"40" doc:"post, or the code of a place that never has the token"`
}

// IssuePIN is done by the office that made the key. What would close the token's
// own way is refused here, while another can still be chosen.
func (a *App) IssuePIN(ctx context.Context, c Caller, serial string, in IssuePIN) (Receipt, error) {
	if !sealPattern.MatchString(in.Envelope) {
		return Receipt{}, errEnvelope
	}
	h, authority, err := a.held(ctx, c, serial, func(s token.Token) string { return s.Office })
	if err != nil {
		return Receipt{}, err
	}
	if in.Via != token.Post {
		if err := a.beside(ctx, h.state, in.Via); err != nil {
			return Receipt{}, err
		}
	}
	as := a.do(c, "IssuePIN", authority, serial)
	return transactFrom(ctx, a, token.Kind, token.Kind.Stream(serial), h, as, func(h history[token.Token]) ([]event.Event, error) {
		events, err := token.IssuePIN{Envelope: in.Envelope, Via: in.Via, By: c.Person, At: as.at}.Decide(h.state)
		if err == nil && len(events) > 0 {
			err = a.apartFrom(ctx, h.state.Hands, in.Via)
		}
		return events, err
	})
}

// beside wants a place that the token will not come by: neither the origin of
// its request, nor the unit, nor a unit of the company (invariant 6).
func (a *App) beside(ctx context.Context, t token.Token, place string) error {
	h, err := load(ctx, a, office.Kind, office.Kind.Stream(place))
	if err != nil {
		return err
	}
	if h.state.Code == "" {
		return office.ErrNotFound.At("via")
	}
	if t.Request == "" {
		return nil
	}
	request, err := load(ctx, a, enrollment.Kind, t.Request)
	e := request.state
	if err == nil && (place == e.Origin || place == e.Unit || h.state.Sort == office.CompanyUnit && h.state.Company == e.Form.Organization) {
		err = token.ErrPINTogether.At("via")
	}
	return err
}

// apartFrom wants a place where nobody is an officer who had the token in his
// hands: the envelope would come to the same person (invariant 6).
func (a *App) apartFrom(ctx context.Context, hands []event.Subject, place string) error {
	for _, person := range hands {
		s, err := a.standing(ctx, Caller{Person: person})
		if err != nil {
			return err
		}
		if _, ok := s.postAt(place); ok {
			return token.ErrPINTogether.At("via")
		}
	}
	return nil
}

// HandOverToken sends a token on, sealed.
type HandOverToken struct {
	To   string `json:"to" maxLength:"40" doc:"The next place of the way back: the origin of the request, its unit, a unit of the company"`
	Seal string `json:"seal" maxLength:"20" doc:"شماره مهروموم"`
}

// HandOverToken is done by an officer of the place that has it. The way is that
// of the request: back to its origin and nowhere else (S1.21), to its unit, and
// to a unit of the company once the CPMIS user is defined (S1.23).
func (a *App) HandOverToken(ctx context.Context, c Caller, serial string, in HandOverToken) (Receipt, error) {
	seal, err := sealNumber(in.Seal)
	if err != nil {
		return Receipt{}, err
	}
	h, authority, err := a.held(ctx, c, serial, func(s token.Token) string { return s.Holder.Place })
	if err != nil {
		return wentOn(ctx, a, act{Caller: c, name: "HandOverToken", at: a.Clock(), about: serial}, h, err)
	}
	as := a.do(c, "HandOverToken", authority, serial)
	return transactFrom(ctx, a, token.Kind, token.Kind.Stream(serial), h, as, func(h history[token.Token]) ([]event.Event, error) {
		events, err := token.HandOver{From: h.state.Holder.Place, To: in.To, Seal: seal, By: c.Person, At: as.at}.Decide(h.state)
		if err != nil || len(events) == 0 {
			return events, err
		}
		if err := a.notCarrier(ctx, c, h.state); err != nil {
			return nil, err
		}
		return events, a.goesTo(ctx, h.state, in.To)
	})
}

// ErrWrongWay reports a destination that is not the next place of the way.
var ErrWrongWay = fault.New(fault.Conflict, "wrong-destination",
	"توکن تنها به مقصد بعدی همین درخواست می‌رود: از دفتر به مبدأ درخواست، از مبدأ به واحد پژوهش و فناوری آن، و سپس به واحد همان شرکت.",
	"A token goes only to the next place of its request: from the office to the request's origin, from there to its research unit, and then to a unit of the same company.").At("to")

func (a *App) goesTo(ctx context.Context, t token.Token, to string) error {
	request, err := load(ctx, a, enrollment.Kind, t.Request)
	if err != nil {
		return err
	}
	place, company, err := request.state.NextPlace()
	switch {
	case err != nil:
		return err
	case t.Holder.Place != cmp.Or(request.state.TokenAt, request.state.Office): // the request is yet to learn where it is
		return ErrWrongWay
	case !company && place != to:
		return ErrWrongWay
	case !company:
		return nil
	}
	unit, err := load(ctx, a, office.Kind, office.Kind.Stream(to))
	if err == nil && (unit.state.Sort != office.CompanyUnit || unit.state.Company != request.state.Form.Organization) {
		err = ErrWrongWay
	}
	return err
}

// TakeToken is the receipt of a hand-over.
type TakeToken struct {
	SealIntact bool `json:"sealIntact" doc:"Whether the seal was whole"`
}

// TakeToken is done by an officer of the place that it was sent to. A broken
// seal ends the token and its certificate.
func (a *App) TakeToken(ctx context.Context, c Caller, serial string, in TakeToken) (Receipt, error) {
	h, authority, place, err := a.sentTo(ctx, c, serial)
	if err != nil {
		return wentOn(ctx, a, act{Caller: c, name: "TakeToken", at: a.Clock(), about: serial}, h, err)
	}
	as := a.do(c, "TakeToken", authority, serial)
	take := token.Take{Place: place, SealIntact: in.SealIntact, By: c.Person, At: as.at}
	return transactFrom(ctx, a, token.Kind, token.Kind.Stream(serial), h, as, just[token.Token](take))
}

// sentTo finds the caller's own place at the end of the present leg, or, for a
// repetition, where the token is now.
func (a *App) sentTo(ctx context.Context, c Caller, serial string) (h history[token.Token], authority, place string, err error) {
	if h, err = load(ctx, a, token.Kind, token.Kind.Stream(serial)); err != nil {
		return h, "", "", err
	}
	s, err := a.standing(ctx, c)
	if err != nil {
		return h, "", "", err
	}
	place = cmp.Or(h.state.To, h.state.Holder.Place) // while it travels, its sender receives nothing
	if role, ok := s.postAt(place); ok {
		authority, _ = s.by(role, place)
		if err = a.notOwn(ctx, h.state, c.Person); err == nil && s.carriedPIN(h.state) {
			err = ErrCarriesPIN
		}
		return h, authority, place, err
	}
	return h, "", "", a.unseen(s, h.state, ErrNotReceiver)
}

// ErrCarriesPIN keeps an officer of two places from having both (invariant 6).
var ErrCarriesPIN = fault.New(fault.Forbidden, "pin-carrier",
	"پاکت رمز این توکن از جایی رفته است که شما نیز مأمور آنید؛ همکار دیگری توکن را بگیرد، بفرستد یا تحویل دهد.",
	"The PIN envelope of this token went by a place where you are an officer too; a colleague must receive the token, send it on or deliver it.")

// notCarrier asks at each act with the token anew: he may have become an officer
// of the other place since he, or a colleague, received it.
func (a *App) notCarrier(ctx context.Context, c Caller, t token.Token) error {
	s, err := a.standing(ctx, c)
	if err == nil && s.carriedPIN(t) {
		err = ErrCarriesPIN
	}
	return err
}

// carriedPIN tells whether an envelope of the token's PIN went by a place of his.
func (s standing) carriedPIN(t token.Token) bool {
	return slices.ContainsFunc(t.PINWays, func(place string) bool { _, ok := s.postAt(place); return ok })
}

// unseen tells who has no part in a token's way that it is not there, and others
// whose business it is.
func (a *App) unseen(s standing, t token.Token, refusal error) error {
	for _, place := range append([]string{t.Office, t.To}, t.Route...) {
		if _, ok := s.postAt(place); ok {
			return refusal
		}
	}
	if t.Status != token.None && (s.oversees() || t.Holder.Person != "" && t.Holder.Person == s.person) {
		return refusal
	}
	return token.ErrNotFound
}

// held reads a token for an officer of a place that it names.
func (a *App) held(ctx context.Context, c Caller, serial string, whose func(token.Token) string) (history[token.Token], string, error) {
	h, err := load(ctx, a, token.Kind, token.Kind.Stream(serial))
	if err != nil {
		return h, "", err
	}
	s, err := a.standing(ctx, c)
	if err != nil {
		return h, "", err
	}
	if role, ok := s.postAt(whose(h.state)); ok {
		authority, _ := s.by(role, whose(h.state))
		return h, authority, a.notOwn(ctx, h.state, c.Person)
	}
	return h, "", a.unseen(s, h.state, ErrNotTokenHolder)
}

// notOwn keeps an officer from the token of his own request: he would have it
// before its delivery (invariant 6).
func (a *App) notOwn(ctx context.Context, t token.Token, person event.Subject) error {
	if t.Request == "" {
		return nil
	}
	request, err := load(ctx, a, enrollment.Kind, t.Request)
	if err == nil && own(request.state, person) {
		err = enrollment.ErrOwnRequest
	}
	return err
}

// ErrNotTokenHolder reports an officer of a place that has not the token.
var ErrNotTokenHolder = fault.New(fault.Forbidden, "not-the-holder",
	"این کار با دارندهٔ کنونی توکن است.", "This is done by the present holder of the token.")

// ActivateToken is the applicant's proof that he alone commands his token: it
// signed this for him, with his PIN (invariant 6; E-commerce Law, Art. 10).
func (a *App) ActivateToken(ctx context.Context, c Caller, code string, signature []byte) (Receipt, error) {
	request, authority, _, err := a.theirs(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	if request.state.Form.Person != c.Person {
		return Receipt{}, enrollment.ErrNotYours
	}
	serial := request.state.Issuance.Token
	if serial == "" || request.state.Serial == "" {
		return Receipt{}, enrollment.WrongState(request.state, enrollment.StatusDelivered, enrollment.StatusAccepted)
	}
	as := a.do(c, "ActivateToken", authority, code)
	return transact(ctx, a, token.Kind, token.Kind.Stream(serial), as, func(h history[token.Token]) ([]event.Event, error) {
		events, err := token.Activate{By: c.Person, At: as.at}.Decide(h.state)
		if err == nil && len(events) > 0 {
			err = a.provesToken(ctx, request.state, signature)
		}
		return events, err
	})
}

// ActivationStatement is what the holder's token signs at its activation.
func ActivationStatement(code, serial string) []byte {
	return fmt.Appendf(nil, "Govahi: token activated by its holder\nrequest %s\ncertificate %s\n", code, serial)
}

func (a *App) provesToken(ctx context.Context, e enrollment.Enrollment, signature []byte) error {
	h, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(e.Serial))
	if err != nil {
		return err
	}
	if h.state.Issued.Certificate == nil || h.state.Status != certificate.Valid {
		return h.state.NotValid()
	}
	held, err := h.state.Issued.Certificate.Open(ctx, a.Keeper)
	if err != nil {
		return err
	}
	return a.Signatures.Check(signature, ActivationStatement(e.TrackingCode, e.Serial), held.DER)
}

// NotePIN is the applicant's word that the PIN envelope came, closed. Nobody says
// it for him: who had the token may not have the PIN (invariant 6).
func (a *App) NotePIN(ctx context.Context, c Caller, code string) (Receipt, error) {
	request, authority, _, err := a.theirs(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	if request.state.Form.Person != c.Person {
		return Receipt{}, enrollment.ErrNotYours
	}
	serial := request.state.Issuance.Token
	if serial == "" {
		return Receipt{}, enrollment.WrongState(request.state, enrollment.StatusIssued)
	}
	as := a.do(c, "NotePIN", authority, code)
	return transact(ctx, a, token.Kind, token.Kind.Stream(serial), as, just[token.Token](token.NotePIN{By: c.Person, At: as.at}))
}

// ReportTokenLost is the word of its holder, of the place that misses it, or of
// an operator of the CA. Its certificate is revoked at once.
func (a *App) ReportTokenLost(ctx context.Context, c Caller, serial string) (Receipt, error) {
	h, authority, err := a.partakes(ctx, c, serial)
	if err != nil {
		return wentOn(ctx, a, act{Caller: c, name: "ReportTokenLost", at: a.Clock(), about: serial}, h, err)
	}
	as := a.do(c, "ReportTokenLost", authority, serial)
	return transactFrom(ctx, a, token.Kind, token.Kind.Stream(serial), h, as, just[token.Token](token.ReportLost{By: string(c.Person), At: as.at}))
}

// ReportTokenDefective is the word of who tried it.
func (a *App) ReportTokenDefective(ctx context.Context, c Caller, serial string) (Receipt, error) {
	h, authority, err := a.partakes(ctx, c, serial)
	if err != nil {
		return wentOn(ctx, a, act{Caller: c, name: "ReportTokenDefective", at: a.Clock(), about: serial}, h, err)
	}
	as := a.do(c, "ReportTokenDefective", authority, serial)
	return transactFrom(ctx, a, token.Kind, token.Kind.Stream(serial), h, as, just[token.Token](token.ReportDefective{By: c.Person, At: as.at}))
}

// partakes: so do its holder, its office, the place that has it or waits for it,
// and the CA's operators. Who handed it on has no say any more: it would revoke
// a certificate that is in another's hand.
func (a *App) partakes(ctx context.Context, c Caller, serial string) (history[token.Token], string, error) {
	h, err := load(ctx, a, token.Kind, token.Kind.Stream(serial))
	if err != nil {
		return h, "", err
	}
	if h.state.Holder.Person != "" && h.state.Holder.Person == c.Person {
		return h, asSubscriber, nil
	}
	s, err := a.standing(ctx, c)
	if err != nil {
		return h, "", err
	}
	for _, place := range []string{h.state.Office, h.state.Holder.Place, h.state.To} {
		if role, ok := s.postAt(place); ok {
			authority, _ := s.by(role, place)
			return h, authority, nil
		}
	}
	authority, operator := s.by(appointment.CAOperator, "")
	if operator && h.state.Status != token.None {
		return h, authority, nil
	}
	return h, "", a.unseen(s, h.state, ErrNotTokenHolder)
}

// ReturnToken says that the token's office has it back.
func (a *App) ReturnToken(ctx context.Context, c Caller, serial string) (Receipt, error) {
	h, authority, err := a.held(ctx, c, serial, func(s token.Token) string { return s.Office })
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "ReturnToken", authority, serial)
	back := token.Return{Office: h.state.Office, By: c.Person, At: as.at}
	return transactFrom(ctx, a, token.Kind, token.Kind.Stream(serial), h, as, just[token.Token](back))
}

// DestroyToken ends a token, and its key with it.
func (a *App) DestroyToken(ctx context.Context, c Caller, serial string) (Receipt, error) {
	h, authority, err := a.held(ctx, c, serial, func(s token.Token) string { return s.Office })
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "DestroyToken", authority, serial)
	end := token.Destroy{Office: h.state.Office, By: c.Person, At: as.at}
	return transactFrom(ctx, a, token.Kind, token.Kind.Stream(serial), h, as, just[token.Token](end))
}

// WatchToken raises what is overdue; a worker asks.
func (a *App) WatchToken(ctx context.Context, c Caller, serial string) error {
	stream := token.Kind.Stream(serial)
	h, err := load(ctx, a, token.Kind, stream)
	if err != nil {
		return err
	}
	c.Key = fmt.Sprintf("%s@%d", serial, len(h.records))
	as := a.do(c, "WatchToken", asPolicy, serial)
	_, err = transactFrom(ctx, a, token.Kind, stream, h, as, just[token.Token](token.Watch{Terms: a.Terms.Custody.Times(), By: as.actor(), At: as.at}))
	return err
}

// NoteTokenArrived tells the request where its token is; a policy asks.
func (a *App) NoteTokenArrived(ctx context.Context, c Caller, serial, place string) error {
	h, err := load(ctx, a, token.Kind, token.Kind.Stream(serial))
	if err != nil || h.state.Request == "" {
		return err
	}
	as := a.do(c, "NoteTokenArrived", asPolicy, h.state.Request.ID())
	_, err = transact(ctx, a, enrollment.Kind, h.state.Request, as,
		just[enrollment.Enrollment](enrollment.NoteTokenArrived{Place: place, At: as.at}))
	return err
}

// RevokeForToken follows what happened to a token: lost, of a broken seal,
// defective, or too late; a policy asks. A token that holds no certificate ends
// alone.
func (a *App) RevokeForToken(ctx context.Context, c Caller, tokenSerial string, ground certificate.Ground) error {
	h, err := load(ctx, a, token.Kind, token.Kind.Stream(tokenSerial))
	if err != nil || h.state.Request == "" {
		return err
	}
	serial, err := a.certificateOn(ctx, h.state)
	if err != nil || serial == "" {
		return err
	}
	as := a.do(c, "RevokeForToken", asPolicy, tokenSerial)
	revoke := certificate.Revoke{
		Ask: certificate.Ask{Ground: ground, By: certificate.House}, Case: token.Kind.Stream(tokenSerial), By: as.actor(), At: as.at,
	}
	_, err = transact(ctx, a, certificate.Kind, certificate.Kind.Stream(serial), as, just[certificate.Certificate](revoke))
	if f, refused := fault.Of(err); refused && f.Code == certificate.ErrAlreadyRevoked.Code {
		return nil
	}
	return err
}

// goneFor is on which ground a certificate ends whose token is in such a state.
var goneFor = map[token.Status]certificate.Ground{
	token.StatusLost: certificate.TokenLost, token.Defective: certificate.TokenBroken,
	token.StatusReturned: certificate.TokenBroken, token.StatusDestroyed: certificate.TokenBroken,
}

// RevokeForGoneToken looks back once a certificate was issued: what happened to its
// token while the request lay at the CA found nothing to revoke; a policy asks.
func (a *App) RevokeForGoneToken(ctx context.Context, c Caller, request event.Stream) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil {
		return err
	}
	held, err := load(ctx, a, token.Kind, token.Kind.Stream(h.state.Issuance.Token))
	ground, gone := goneFor[held.state.Status]
	if err != nil || !gone {
		return err
	}
	return a.RevokeForToken(ctx, c, h.state.Issuance.Token, ground)
}

// certificateOn is what the token carries, or what was issued for its key and
// not yet written.
func (a *App) certificateOn(ctx context.Context, t token.Token) (string, error) {
	if t.Certificate != "" {
		return t.Certificate, nil
	}
	request, err := load(ctx, a, enrollment.Kind, t.Request)
	if request.state.Issuance.Token != t.Serial {
		return "", err
	}
	return request.state.Serial, err
}

// RecallToken follows a revocation; a policy asks.
func (a *App) RecallToken(ctx context.Context, c Caller, serial string) error {
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(serial))
	if err != nil || held.state.Intent.Token == "" || held.state.Issued.Serial == "" {
		return err
	}
	as := a.do(c, "RecallToken", asPolicy, serial)
	recall := token.Recall{Certificate: serial, By: as.actor(), At: as.at}
	_, err = transact(ctx, a, token.Kind, token.Kind.Stream(held.state.Intent.Token), as, just[token.Token](recall))
	return err
}
