package commands

import (
	"context"
	"errors"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
)

// RevokeFormally is a revocation on a ground of domain §4.4, with what the asker
// showed for it.
type RevokeFormally struct {
	Ground   certificate.Ground `json:"ground" enum:"key-compromised,pin-known,token-lost,token-stolen,token-broken,data-changed,wrong-data,activity-ended,post-changed,cooperation-ended,holders-wish,organisations-request,replaced,ca-key-compromised,unauthorised-use,forgery,false-information"`
	AskedBy  certificate.Asker  `json:"askedBy" enum:"holder,holder-in-person,attorney,organisation,officer,operator"`
	Identity string             `json:"identityChecked,omitempty" required:"false" enum:"national-card,passport,birth-certificate" doc:"Original seen of whoever stands at the counter"`
	Number   string             `json:"number,omitempty" required:"false" maxLength:"40" doc:"Of the notarised power, or of the organisation's letter"`
	Date     string             `json:"date,omitempty" required:"false" maxLength:"20" doc:"Its date, Jalali"`
	Name     string             `json:"name,omitempty" required:"false" maxLength:"120" doc:"The attorney, or the organisation's representative"`
	Notary   string             `json:"notary,omitempty" required:"false" maxLength:"120" doc:"Who certified the power"`
	Scope    bool               `json:"scope,omitempty" required:"false" doc:"The power names “revocation of electronic certificate”"`
	Seal     bool               `json:"seal,omitempty" required:"false" doc:"The letter bears the organisation's seal"`
}

// RevokeFormally withdraws trust, freely and at once, on a ground that is the
// asker's to give and with its formalities.
func (a *App) RevokeFormally(ctx context.Context, c Caller, serial string, in RevokeFormally) (Receipt, error) {
	ask, err := in.ask(a.Clock())
	if err != nil {
		return Receipt{}, err
	}
	stream := certificate.Kind.Stream(plainSerial(serial))
	h, err := load(ctx, a, certificate.Kind, stream)
	if err != nil {
		return Receipt{}, err
	}
	is, authority, err := a.trustee(ctx, c, h.state)
	if err == nil {
		err = is.mayAsk(ask.By)
	}
	if err == nil && ask.By == certificate.Organisation {
		err = a.affiliated(ctx, h.state)
	}
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "RevokeFormally", authority, h.state.Issued.Request.ID())
	revoke := certificate.Revoke{Ask: ask, By: string(c.Person), At: as.at}
	r, err := transactFrom(ctx, a, certificate.Kind, stream, h, as, just[certificate.Certificate](revoke))
	if errors.Is(err, event.ErrErased) { // nobody's erasure keeps his certificate valid
		return transact(ctx, a, certificate.Kind, stream, as, nameless(revoke))
	}
	return r, err
}

// nameless decides with the names, and stores without: there is no key left to
// seal them with.
func nameless(c certificate.Revoke) func(history[certificate.Certificate]) ([]event.Event, error) {
	return func(h history[certificate.Certificate]) ([]event.Event, error) {
		events, err := c.Decide(h.state)
		for i, e := range events {
			if e, ok := e.(certificate.Revoked); ok {
				e.Names = nil
				events[i] = e
			}
		}
		return events, err
	}
}

// ErrNoOrganization refuses what an organisation asks about somebody who speaks
// for himself.
var ErrNoOrganization = fault.New(fault.Conflict, "certificate-without-organisation",
	"این گواهی از سازمانی نام نمی‌برد و هیچ سازمانی دربارهٔ آن سخن نمی‌گوید؛ خود دارنده یا وکیل او ابطال را می‌خواهد، و نادرستی اطلاعات را می‌توان گزارش کرد.",
	"This certificate names no organisation, so none speaks about it; its holder or his attorney asks for the revocation, and false information can be reported.")

// affiliated refuses it, of a certificate whose form names no organisation; an
// officer's own has none, and speaks of the organisation that appointed him.
func (a *App) affiliated(ctx context.Context, held certificate.Certificate) error {
	if held.Issued.Request == "" {
		return nil
	}
	request, err := load(ctx, a, enrollment.Kind, held.Issued.Request)
	if err == nil && request.state.Form.Organization == "" {
		err = ErrNoOrganization
	}
	return err
}

var errPaperDate = fault.New(fault.Invalid, "paper-date-invalid",
	"تاریخ نامه یا وکالت‌نامه را به صورت سال/ماه/روز جلالی و نه در آینده بنویسید.",
	"Write the date of the letter or the power as Jalali year/month/day, not in the future.").At("date")

// ask gives what was typed its stored shape, or names every wrong field.
func (in RevokeFormally) ask(now time.Time) (certificate.Ask, error) {
	var n normaliser
	optional := func(field, input string) string {
		if input == "" {
			return ""
		}
		return n.text(field, input)
	}
	number, name, notary := optional("number", in.Number), optional("name", in.Name), optional("notary", in.Notary)
	date := ""
	if in.Date != "" {
		date = n.parsed("date", in.Date, writtenBefore(now))
	}
	return certificate.Ask{
		Ground: in.Ground, By: in.AskedBy,
		Formality: certificate.Formality{Identity: in.Identity, Number: number, Date: date, Scope: in.Scope, Seal: in.Seal},
		Names:     certificate.Names{Name: name, Notary: notary},
	}, n.err
}

func writtenBefore(now time.Time) func(string) (string, error) {
	return func(input string) (string, error) {
		d, err := iran.ParseDate(input)
		if err != nil || d.Time().After(now) {
			return "", errPaperDate
		}
		return d.String(), nil
	}
}

// mayAsk tells whether somebody may bring what an asker asks: at the counter are
// the officers of the certificate's office, and the CA's operators.
func (t trustee) mayAsk(as certificate.Asker) error {
	at := map[certificate.Asker][]trustee{
		certificate.Holder: {holder}, certificate.Officer: {officer}, certificate.Operator: {operator},
		certificate.HolderInPerson: {officer, operator}, certificate.Attorney: {officer, operator}, certificate.Organisation: {officer, operator},
	}[as]
	for _, who := range at {
		if who == t {
			return nil
		}
	}
	switch {
	case at == nil:
		return certificate.ErrAsker
	case t == holder:
		return ErrOnlineHolder
	}
	return ErrNotHolder
}

// BlockKey puts the key of a compromised certificate on the block list; a policy
// asks.
func (a *App) BlockKey(ctx context.Context, c Caller, e certificate.Revoked) error {
	if e.Reason != certificate.KeyCompromise {
		return nil
	}
	held, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(e.Serial))
	if err != nil || held.state.Intent.KeyHash == "" {
		return err
	}
	as := a.do(c, "BlockKey", asPolicy, e.Serial)
	block := certificate.Block{Certificate: e.Serial, At: as.at}
	_, err = transact(ctx, a, certificate.Blocklist, certificate.Blocklist.Stream(held.state.Intent.KeyHash), as, just[certificate.Blocked](block))
	return err
}
