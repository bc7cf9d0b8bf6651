package commands

import (
	"cmp"
	"context"
	"regexp"
	"strings"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/fee"
	"govahi/domain/iran"
	"govahi/domain/profile"
	"govahi/domain/tariff"
)

// PublishTariff is a new version of a product's price, in whole rials.
type PublishTariff struct {
	Product      string    `json:"product" doc:"Type of certificate, as the profiles offer it"`
	Level        int       `json:"level,omitempty" required:"false" minimum:"1" maximum:"4" doc:"Assurance level: 1 bronze, 2 silver, 3 gold, 4 platinum; 2 if left out"`
	IssuerKind   string    `json:"issuerKind,omitempty" required:"false" enum:"governmental,non-governmental" doc:"Whose authority issues; governmental if left out"`
	TokenRial    int64     `json:"tokenRial" minimum:"0" maximum:"1000000000000"`
	IssuanceRial int64     `json:"issuanceRial" minimum:"0" maximum:"1000000000000"`
	ValidFrom    time.Time `json:"validFrom"`
}

// PublishTariff adds a version of the approved tariff (S1.9).
func (a *App) PublishTariff(ctx context.Context, c Caller, in PublishTariff) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.Manager, "")
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "PublishTariff", authority, in.Product)
	publish := tariff.Publish{
		Product: in.Product, Level: tariff.Level(cmp.Or(in.Level, int(tariff.Silver))),
		IssuerKind: cmp.Or(tariff.IssuerKind(in.IssuerKind), tariff.Governmental), TokenRial: in.TokenRial, IssuanceRial: in.IssuanceRial,
		ValidFrom: in.ValidFrom, By: string(c.Person), At: as.at,
	}
	return transact(ctx, a, tariff.Kind, tariff.Kind.Stream(in.Product), as, func(h history[tariff.Tariff]) ([]event.Event, error) {
		if _, err := a.Authority.Profiles().Offered(in.Product); err != nil {
			return nil, profile.ErrProduct.At("product")
		}
		return publish.Decide(h.state)
	})
}

// class is what a product's tariff goes by: the assurance level of its profile,
// and whose authority issues it.
func (a *App) class(product string) (tariff.Level, tariff.IssuerKind) {
	p, err := a.Authority.Profiles().Offered(product)
	if err != nil { // the profile was retired since: what was asked for then is priced as ever
		return tariff.Silver, tariff.Governmental
	}
	return tariff.Level(p.Level), tariff.Governmental
}

// InForce is the tariff in force of a product, for whoever asks.
func (a *App) InForce(product string) (tariff.Level, tariff.IssuerKind) { return a.class(product) }

// priced refuses a request that no approved tariff covers: nobody could pay it.
func (a *App) priced(ctx context.Context, product string) error {
	h, err := load(ctx, a, tariff.Kind, tariff.Kind.Stream(product))
	if err == nil {
		_, err = a.price(h.state, product, a.Clock())
	}
	return err
}

// price is the tariff of a product at a moment.
func (a *App) price(t tariff.Tariff, product string, moment time.Time) (tariff.Published, error) {
	level, kind := a.class(product)
	return t.At(moment, level, kind)
}

// RaiseFee fixes the price of a submitted request by the tariff in force when
// it was submitted; a policy asks. One that ended meanwhile costs nothing.
func (a *App) RaiseFee(ctx context.Context, c Caller, request event.Stream, submitted time.Time) error {
	h, err := load(ctx, a, enrollment.Kind, request)
	if err != nil || ended(h.state) {
		return err
	}
	t, err := load(ctx, a, tariff.Kind, tariff.Kind.Stream(h.state.CertificateType))
	if err != nil {
		return err
	}
	price, err := a.price(t.state, h.state.CertificateType, submitted)
	if err != nil {
		return err
	}
	as := a.do(c, "RaiseFee", "policy", request.ID())
	raise := fee.Raise{Raised: fee.Raised{
		Order: request.ID(), Request: request, Product: price.Product, TariffVersion: price.Version,
		AmountRial: due(h.state, price), At: as.at,
	}}
	_, err = transact(ctx, a, fee.Kind, fee.Kind.Stream(request.ID()), as, just[fee.Fee](raise))
	return err
}

// due leaves out the token where the applicant has his already, unless it is all
// that the product costs.
func due(e enrollment.Enrollment, price tariff.Published) int64 {
	if e.OnOwnToken() {
		return cmp.Or(price.IssuanceRial, price.TokenRial)
	}
	return price.TotalRial()
}

// ended tells whether a request ended without a certificate.
func ended(e enrollment.Enrollment) bool {
	return e.Status == enrollment.StatusRejected || e.Status == enrollment.StatusWithdrawn
}

// RecordPayment is the slip of a terminal at the counter.
type RecordPayment struct {
	Provider   string `json:"provider" pattern:"^[a-z0-9]{2,20}$" patternDescription:"lower-case letters and digits" example:"samplebank" doc:"Bank or switch of the terminal"`
	Terminal   string `json:"terminal" maxLength:"20" doc:"شماره پایانه"`
	RRN        string `json:"rrn" maxLength:"30" doc:"شماره مرجع"`
	Trace      string `json:"trace" maxLength:"20" doc:"شماره پیگیری"`
	AmountRial int64  `json:"amountRial" minimum:"1" maximum:"1000000000000" doc:"مبلغ، ریال"`
	Card       string `json:"card,omitempty" required:"false" pattern:"^[0-9]{6}[*]{2,6}[0-9]{4}$" patternDescription:"a masked card number" example:"999999******1234" doc:"شماره کارت پوشیده، چنان‌که روی رسید است؛ هرگز شمارهٔ کامل"`
}

var slipNumber = regexp.MustCompile(`^[0-9]{1,20}$`)

// maskedCard is a card number of which nobody can pay (domain §7.1).
var maskedCard = regexp.MustCompile(`^[0-9]{6}[*]{2,6}[0-9]{4}$`)

var errCard = fault.New(fault.Invalid, "card-not-masked",
	"شمارهٔ کارت را پوشیده بنویسید: شش رقم نخست، ستاره، چهار رقم آخر؛ شمارهٔ کامل نگهداری نمی‌شود.",
	"Write the card number masked: its first six digits, asterisks, its last four; the whole number is not kept.").At("card")

var errProvider = fault.New(fault.Invalid, "provider-reserved",
	"این نام از آنِ حواله‌های بازپرداخت است؛ نام بانک یا سوییچ پایانه را بنویسید.",
	"This name is that of transfers which give money back; write the bank or switch of the terminal.").At("provider")

var errSlip = fault.New(fault.Invalid, "slip-number-invalid",
	"شماره را همان‌گونه که روی رسید است، با رقم بنویسید.", "Write the number in digits, as on the slip.")

func (in RecordPayment) payment() (fee.Payment, error) {
	p := fee.Payment{
		Mode: fee.POS, Terminal: iran.Digits(in.Terminal), RRN: unpadded(iran.Digits(in.RRN)), Trace: iran.Digits(in.Trace),
		Provider: in.Provider, Card: in.Card, AmountRial: in.AmountRial,
	}
	if p.Provider == fee.Transfers { // it names the claims of transfers
		return p, errProvider
	}
	if p.Card != "" && !maskedCard.MatchString(p.Card) {
		return p, errCard
	}
	for field, number := range map[string]string{"terminal": p.Terminal, "rrn": p.RRN, "trace": p.Trace} {
		if !slipNumber.MatchString(number) {
			return p, errSlip.At(field)
		}
	}
	return p, nil
}

// unpadded is a number by one spelling: with leading zeros it would be another
// stream, and settle another order.
func unpadded(digits string) string {
	if short := strings.TrimLeft(digits, "0"); short != "" || digits == "" {
		return short
	}
	return "0"
}

// RecordPayment settles the request's fee at the counter. The reference is
// claimed first, by a stream's name, so that it settles one order (invariant 20).
func (a *App) RecordPayment(ctx context.Context, c Caller, code string, in RecordPayment) (Receipt, error) {
	payment, err := in.payment()
	if err != nil {
		return Receipt{}, err
	}
	request, authority, err := a.ours(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	as := a.do(c, "RecordPayment", authority, code)
	settle := fee.Settle{Payment: payment, By: c.Person, Office: request.state.Office, At: as.at}
	return transactClaiming(ctx, a, fee.Kind, fee.Kind.Stream(code), as, func(order history[fee.Fee]) ([]event.Event, error) {
		if request.state.Channel == enrollment.Inside {
			return nil, errContractPays
		}
		return settle.Decide(order.state)
	}, func() (take func() error, err error) {
		settlement := fee.Settlement.Stream(in.Provider, payment.RRN)
		left, err := a.leftBehind(ctx, settlement, payment)
		if err != nil {
			return nil, err
		}
		return claimable(ctx, a, fee.Settlement, settlement, as, code, fee.Claim{Order: code, Instead: left, At: as.at})
	})
}

// leftBehind is the order that claimed a slip's number and was settled by another
// slip meanwhile: the number was typed for it and came too late.
func (a *App) leftBehind(ctx context.Context, settlement event.Stream, p fee.Payment) (string, error) {
	claimed, err := load(ctx, a, fee.Settlement, settlement)
	if err != nil || claimed.state.Order == "" {
		return "", err
	}
	of, err := load(ctx, a, fee.Kind, fee.Kind.Stream(claimed.state.Order))
	if err != nil || !of.state.DoneWithout(p) {
		return "", err
	}
	return claimed.state.Order, nil
}

// NoteFee takes the payment at a revision of its order into the record; a policy
// asks.
func (a *App) NoteFee(ctx context.Context, c Caller, revision uint64, e fee.Settled) error {
	as := a.do(c, "NoteFee", "policy", e.Request.ID())
	settle := enrollment.SettleFee{Order: e.Order, Revision: revision, AmountRial: e.Payment.AmountRial, At: as.at}
	_, err := transact(ctx, a, enrollment.Kind, e.Request, as, just[enrollment.Enrollment](settle))
	return err
}

// errContractPays reports a payment that nobody owes.
var errContractPays = fault.New(fault.Conflict, "paid-by-contract",
	"هزینهٔ درخواست درون صنعت نفت را شرکت متقاضی با قرارداد می‌پردازد؛ اگر قراردادی جاری نیست، شرکت باید آن را تمدید کند.",
	"The company of the applicant pays for a request from inside the industry, by its contract; where none is in force, the company renews it.")
