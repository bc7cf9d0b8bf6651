package commands

import (
	"context"
	"encoding/base64"

	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/credential"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/domain/office"
	"govahi/domain/profile"
)

// ErrNotOfficers reports a signature by a certificate that does not make its
// holder a registration officer.
var ErrNotOfficers = fault.New(fault.Invalid, "certificate-not-officers",
	"امضا باید با گواهی مأمور ثبت‌نام خود شما باشد که هنوز معتبر است؛ اگر ندارید آن را از مرکز صدور بخواهید.",
	"Sign with your own certificate as a registration officer, still valid; if you have none, ask the CA for one.").At("signature")

// ErrNoOfficers reports a house that certifies no registration officers.
var ErrNoOfficers = fault.New(fault.Conflict, "no-officers-profile",
	"این مرکز نمایه‌ای برای گواهی مأموران ثبت‌نام ندارد.", "This CA has no certificate profile for registration officers.")

// unconfirmed are refusals after which another officer must confirm: the
// signer's words about the confirmation.
var unconfirmed = map[string]bool{
	ErrNotOfficers.Code: true, ErrConfirmationVoid.Code: true,
}

// ErrConfirmationVoid is a signer's word that a confirmation does not hold: its
// signature, the officer's certificate or appointment, or the office's licence.
var ErrConfirmationVoid = fault.New(fault.Conflict, "confirmation-void",
	"تأیید این پرونده دیگر برقرار نیست (امضا، گواهی یا انتصاب مأمور، یا پروانهٔ دفتر)؛ مأموری با گواهی و انتصاب معتبر باید آن را از نو تأیید کند.",
	"The confirmation of this record does not hold (signature, the officer's certificate or appointment, or the office's licence); an officer whose certificate and appointment are in force must confirm it again.")

// RequestCredential is an officer's wish for his own certificate: particulars,
// and a key that was born on his token.
type RequestCredential struct {
	Office         string `json:"office" maxLength:"40"`
	GivenName      string `json:"givenName" maxLength:"256" doc:"نام، فارسی"`
	Surname        string `json:"surname" maxLength:"256" doc:"نام خانوادگی، فارسی"`
	LatinGivenName string `json:"latinGivenName" maxLength:"256" doc:"نام، لاتین"`
	LatinSurname   string `json:"latinSurname" maxLength:"256" doc:"نام خانوادگی، لاتین"`
	PersonCode     string `json:"personCode" maxLength:"40" doc:"کد ملی"`
	Email          string `json:"email" maxLength:"254" doc:"پست الکترونیک"`
}

// normalise gives the particulars their stored shape, or names every wrong field:
// what the CA could not certify is refused before an operator vouches for it.
func (in RequestCredential) normalise(set profile.Set) (credential.Particulars, error) {
	n := normaliser{}
	p := credential.Particulars{
		GivenName:      n.checked("givenName", in.GivenName, iran.IsPersianName, errPersianName),
		Surname:        n.checked("surname", in.Surname, iran.IsPersianName, errPersianName),
		LatinGivenName: n.checked("latinGivenName", in.LatinGivenName, iran.IsLatinName, errLatinName),
		LatinSurname:   n.checked("latinSurname", in.LatinSurname, iran.IsLatinName, errLatinName),
		PersonCode:     n.parsed("personCode", in.PersonCode, personCode),
		Email:          n.parsed("email", in.Email, iran.Email),
	}
	if officers, ok := set.Officer(); ok {
		n.commonName("latinSurname", officers, p.LatinGivenName+" "+p.LatinSurname)
	}
	return p, n.err
}

// RequestCredential opens a request for an officer's own certificate (domain
// §4.5). The key is claimed for it: no applicant's certificate will have it.
func (a *App) RequestCredential(ctx context.Context, c Caller, in RequestCredential, csr []byte) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.RegistrationOfficer, in.Office)
	if err != nil {
		return Receipt{}, err
	}
	particulars, err := in.normalise(a.Authority.Profiles())
	if err != nil {
		return Receipt{}, err
	}
	if err := a.himself(ctx, c, particulars.PersonCode); err != nil {
		return Receipt{}, err
	}
	keyHash, err := a.Authority.CheckCSR(csr)
	if err != nil {
		return Receipt{}, err
	}
	particulars.CSR = csr
	number, err := a.numberFor(ctx, c, "credential", "RequestCredential", credential.Kind.Category)
	if err != nil {
		return Receipt{}, err
	}
	stream := credential.Kind.Stream(number)
	as := a.do(c, "RequestCredential", authority, number)
	request := credential.Request{Number: number, Office: in.Office, KeyHash: keyHash, Person: c.Person, Particulars: particulars, At: as.at}
	h, err := load(ctx, a, credential.Kind, stream)
	if err != nil {
		return Receipt{}, err
	}
	if first, ok, err := repeated(ctx, a, as, h); ok || err != nil {
		return first, err
	}
	take, err := claimable(ctx, a, certificate.Key, certificate.Key.Stream(keyHash), as, number, certificate.ClaimKey{Request: stream, At: as.at})
	if err != nil {
		return Receipt{}, err
	}
	if first, ok, err := once(ctx, a, &as, stream, h, false); ok || err != nil {
		return first, err
	}
	if err := take(); err != nil {
		return Receipt{}, err
	}
	return transactFrom(ctx, a, credential.Kind, stream, h, as, just[credential.Credential](request))
}

// himself refuses the code of somebody else.
func (a *App) himself(ctx context.Context, c Caller, code string) error {
	person, _, err := a.People.Lookup(ctx, code)
	if err == nil && person != c.Person {
		err = ErrOtherPerson
	}
	return err
}

// ApproveCredential is an operator's word that he knows the officer: his
// appointment and his papers.
func (a *App) ApproveCredential(ctx context.Context, c Caller, number string) (Receipt, error) {
	return a.closeCredential(ctx, c, "ApproveCredential", number, true)
}

// RefuseCredential ends the request.
func (a *App) RefuseCredential(ctx context.Context, c Caller, number string) (Receipt, error) {
	return a.closeCredential(ctx, c, "RefuseCredential", number, false)
}

func (a *App) closeCredential(ctx context.Context, c Caller, name, number string, approved bool) (Receipt, error) {
	stream := credential.Kind.Stream(number)
	authority, err := a.must(ctx, c, appointment.CAOperator, "")
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, name, authority, number)
	return transact(ctx, a, credential.Kind, stream, as, just[credential.Credential](credential.Close{Approved: approved, By: c.Person, At: as.at}))
}

// IssueCredential is the issuance handler of an officer's own certificate; a
// policy asks.
func (a *App) IssueCredential(ctx context.Context, c Caller, stream event.Stream) error {
	h, err := load(ctx, a, credential.Kind, stream)
	if err != nil || h.state.Status != credential.StatusApproved {
		return err
	}
	return issuance{App: a, caller: c, paper: &vouched{App: a, stream: stream, state: h.state, records: h.records}}.run(ctx)
}

// vouched is an officer's credential on its way to its certificate.
type vouched struct {
	*App
	stream  event.Stream
	state   credential.Credential
	records []event.Recorded
}

func (p *vouched) place() event.Stream { return p.stream }

func (p *vouched) last() lastAttempt {
	return lastAttempt{p.state.Attempt.Serial, p.state.Attempt.Handler, p.state.Attempt.At}
}

func (p *vouched) attempt(ctx context.Context, as act, serial, handler string) error {
	try := credential.Attempt{Serial: serial, Previous: p.state.Attempt.Serial, Handler: handler, At: as.at}
	_, err := transact(ctx, p.App, credential.Kind, p.stream, as, just[credential.Credential](try))
	return err
}

// draft takes office and town from the office itself.
func (p *vouched) draft(ctx context.Context) (Draft, event.Subject, error) {
	officers, ok := p.Authority.Profiles().Officer()
	if !ok {
		return Draft{}, "", ErrNoOfficers
	}
	who, err := p.state.Request.Particulars.Open(ctx, p.Keeper)
	if err != nil {
		return Draft{}, "", err
	}
	at, err := load(ctx, p.App, office.Kind, office.Kind.Stream(p.state.Request.Office))
	form := enrollment.Form{
		GivenName: who.GivenName, Surname: who.Surname, LatinGivenName: who.LatinGivenName, LatinSurname: who.LatinSurname,
		PersonCode: who.PersonCode, Email: who.Email, Province: at.state.Province, City: at.state.City,
		OrganizationName: at.state.Name, Post: "مأمور ثبت‌نام",
	}
	return Draft{Profile: officers, Form: form, CSR: who.CSR}, p.state.Request.Person, err
}

func (p *vouched) cite(_ context.Context, i *certificate.IssuanceIntended) error {
	for _, r := range p.records {
		if e, err := credential.Catalog.Open(r); err == nil && e == event.Event(p.state.Vouched) {
			i.Record = &certificate.Citation{Stream: p.stream}
			i.Confirmation = &certificate.Citation{Stream: p.stream, Revision: r.Revision}
		}
	}
	return nil
}

// officer is nobody: the operator's word is in the log.
func (p *vouched) officer(context.Context) ([]byte, error) { return nil, nil }

func (p *vouched) issued(ctx context.Context, as act, serial, fingerprint string) error {
	note := credential.NoteIssued{Serial: serial, Fingerprint: fingerprint, At: as.at}
	_, err := transact(ctx, p.App, credential.Kind, p.stream, as, just[credential.Credential](note))
	return err
}

func (p *vouched) failed(ctx context.Context, as act, serial string, refusal *fault.Fault) error {
	fail := credential.Fail{Serial: serial, Code: refusal.Code, At: as.at}
	_, err := transact(ctx, p.App, credential.Kind, p.stream, as, just[credential.Credential](fail))
	return err
}

func (p *vouched) follow(context.Context, func(name, serial string) act, string, uint64) error {
	return nil
}

// signedBy checks an officer's signature: by his own certificate as a
// registration officer, still valid, over the statement. It returns that
// certificate's serial.
func (a *App) signedBy(ctx context.Context, officer event.Subject, signature, statement []byte) (serial string, err error) {
	if serial, err = a.Signatures.Serial(signature); err != nil {
		return "", err
	}
	h, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(serial))
	switch {
	case err != nil:
		return "", err
	case !h.state.IsOfficers() || h.state.Issued.Subject != officer || !a.Clock().Before(h.state.Issued.NotAfter):
		return "", ErrNotOfficers
	}
	held, err := h.state.Issued.Certificate.Open(ctx, a.Keeper)
	if err != nil {
		return "", err
	}
	return serial, a.Signatures.Check(signature, statement, held.DER)
}

func encoded(signature []byte) string { return base64.StdEncoding.EncodeToString(signature) }
