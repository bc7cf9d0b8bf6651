package commands

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"

	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/fee"
	"govahi/domain/payment"
)

// StartPayment asks for a bank's page.
type StartPayment struct {
	Provider string `json:"provider" pattern:"^[a-z0-9]{2,20}$" patternDescription:"lower-case letters and digits" example:"bank1" doc:"Gateway; GET /gateways lists them"`
}

// PaymentStarted is where the payer goes now.
type PaymentStarted struct {
	Attempt string      `json:"attempt"`
	Page    GatewayPage `json:"page"`
}

// ErrAttemptOver reports that an attempt came to nothing before its payer was
// sent to the bank.
var ErrAttemptOver = fault.New(fault.Conflict, "attempt-over",
	"این پرداخت پیش از رفتن به درگاه بسته شد؛ با کلید تازه‌ای پرداخت دیگری آغاز کنید.",
	"This payment was closed before it reached the bank; begin another with a new key.")

// StartPayment sends the applicant of a submitted request to a bank's page. The
// attempt follows from caller and key, so that a repetition meets its own; it is
// recorded before the bank hears of it, and the fee has to allow it.
func (a *App) StartPayment(ctx context.Context, c Caller, code string, in StartPayment) (Receipt, PaymentStarted, error) {
	request, authority, counter, err := a.theirs(ctx, c, code)
	if err == nil && counter {
		err = enrollment.ErrNotYours
	}
	if err != nil {
		return Receipt{}, PaymentStarted{}, err
	}
	as := a.do(c, "StartPayment", authority, code)
	id := a.attemptID(c)
	stream := payment.Kind.Stream(id)
	h, err := load(ctx, a, payment.Kind, stream)
	if err != nil {
		return Receipt{}, PaymentStarted{}, err
	}
	r, again, err := repeated(ctx, a, as, h)
	if err == nil && !again {
		r, err = a.requestPayment(ctx, &as, request, h, stream, in)
	}
	if err != nil {
		return Receipt{}, PaymentStarted{}, err
	}
	page, err := a.openPayment(ctx, as, stream)
	return r, PaymentStarted{id, page}, err
}

func (a *App) attemptID(c Caller) string {
	return hex.EncodeToString(a.Secrets.Derive("payment", c.actor(), c.Key)[:16])
}

// requestPayment records the wish, if the fee is due.
func (a *App) requestPayment(ctx context.Context, as *act, request history[enrollment.Enrollment], h history[payment.Payment], stream event.Stream, in StartPayment) (Receipt, error) {
	gateway, err := a.Gateways.named(in.Provider)
	if err == nil {
		err = request.state.Payable()
	}
	if err == nil && request.state.Channel == enrollment.Inside {
		err = errContractPays
	}
	if err != nil {
		return Receipt{}, err
	}
	code := request.state.TrackingCode
	order, err := load(ctx, a, fee.Kind, fee.Kind.Stream(code))
	if err != nil {
		return Receipt{}, err
	}
	if _, err := (fee.StartAttempt{Attempt: stream.ID(), Provider: in.Provider, At: as.at}).Decide(order.state); err != nil {
		return Receipt{}, err
	}
	if first, ok, err := once(ctx, a, as, stream, h, false); ok || err != nil {
		return first, err
	}
	ask := payment.Request{Requested: payment.Requested{
		Attempt: stream.ID(), Order: code, Request: enrollment.Kind.Stream(code), Provider: in.Provider, Separate: gateway.Separate(),
		AmountRial: order.state.Raised.AmountRial, Until: as.at.Add(a.Gateways.End), DueAt: as.at.Add(a.Gateways.Look), By: as.Person, At: as.at,
	}}
	return transactFrom(ctx, a, payment.Kind, stream, h, *as, just[payment.Payment](ask))
}

// openPayment brings a recorded attempt to the bank's page, however far it came
// before. The payer goes nowhere before the fee knows of the attempt.
func (a *App) openPayment(ctx context.Context, as act, stream event.Stream) (GatewayPage, error) {
	a.Step("payment:requested")
	h, err := load(ctx, a, payment.Kind, stream)
	if err != nil {
		return GatewayPage{}, err
	}
	asked := h.state.Requested
	gateway, err := a.Gateways.named(asked.Provider)
	if err != nil {
		return GatewayPage{}, err
	}
	if h.state.Status == payment.StatusOpen {
		if err := a.announce(ctx, as, stream, gateway, asked); err != nil {
			return GatewayPage{}, err
		}
		if h, err = load(ctx, a, payment.Kind, stream); err != nil {
			return GatewayPage{}, err
		}
	}
	if h.state.Reference == "" {
		return GatewayPage{}, ErrAttemptOver
	}
	return gateway.Page(h.state.Reference), nil
}

// announce tells fee and bank of an attempt. Whatever happens to the answer, the
// payer is sent only to the page that was recorded first.
func (a *App) announce(ctx context.Context, as act, stream event.Stream, gateway Gateway, asked payment.Requested) error {
	start := fee.StartAttempt{Attempt: asked.Attempt, Provider: asked.Provider, At: as.at}
	err := claim(ctx, a, fee.Kind, fee.Kind.Stream(asked.Order), as, asked.Attempt, start)
	if f, refused := fault.Of(err); refused && f.Kind != fault.Unavailable { // paid or closed meanwhile
		fail := payment.Fail{Cause: f.Code, At: as.at}
		return errors.Join(err, claim(ctx, a, payment.Kind, stream, as, "fail", fail))
	} else if err != nil {
		return err
	}
	a.Step("payment:attempted")
	reference, err := gateway.Open(ctx, GatewayPayment{Attempt: asked.Attempt, Order: asked.Order, AmountRial: asked.AmountRial}, a.callback(asked.Attempt))
	if err != nil {
		if h, again := load(ctx, a, payment.Kind, stream); again == nil && h.state.Reference != "" {
			return nil // another of the same key was quicker
		}
		return errors.Join(ErrGateway, err)
	}
	a.Step("payment:opened")
	return claim(ctx, a, payment.Kind, stream, as, "redirect", payment.Redirect{Reference: reference, At: as.at})
}

// callback is the address that a bank calls for an attempt. Nobody else can
// guess it, and it is no proof.
func (a *App) callback(attempt string) string {
	return a.Gateways.Base + "/payments/" + attempt + "/callback/" + a.callbackToken(attempt)
}

func (a *App) callbackToken(attempt string) string {
	return hex.EncodeToString(a.Secrets.Derive("payment-callback", attempt)[:16])
}

// KnowsCallback tells whether an address is that of a callback. It reads nothing:
// an invented address costs us no more than this.
func (a *App) KnowsCallback(attempt, token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(a.callbackToken(attempt))) == 1
}

// ErrNoAttempt reports an address that leads to no payment.
var ErrNoAttempt = fault.New(fault.NotFound, "payment-not-found",
	"پرداختی با این نشانی نیست؛ وضعیت هزینه را در پروندهٔ درخواست ببینید.",
	"There is no payment at this address; look at the fee of the request.")

// PaymentShown is what the payer who comes back may see.
type PaymentShown struct {
	Order      string
	Status     payment.Status
	AmountRial int64
	RRN        string
}

// PaymentCallback takes the hint that a payer came back from the bank's page,
// and finds out what is so. Whoever knows the address may come as often as he
// likes. Trouble with the bank is no trouble of his: a worker goes on.
func (a *App) PaymentCallback(ctx context.Context, attempt, token string, fields map[string]string) (PaymentShown, error) {
	if !a.KnowsCallback(attempt, token) {
		return PaymentShown{}, ErrNoAttempt
	}
	stream := payment.Kind.Stream(attempt)
	h, err := load(ctx, a, payment.Kind, stream)
	if err != nil {
		return PaymentShown{}, err
	}
	gateway := a.Gateways.Named[h.state.Requested.Provider]
	if gateway == nil {
		return PaymentShown{}, ErrNoAttempt
	}
	as := a.do(Caller{Policy: "callback", Key: attempt}, "NoteCallback", asPolicy, h.state.Requested.Order)
	said, hint := gateway.Read(fields)
	note := payment.NoteCallback{Claim: said, Hint: hint, At: as.at}
	if err := claim(ctx, a, payment.Kind, stream, as, "callback", note); err != nil {
		return PaymentShown{}, err
	}
	a.Step("payment:noted")
	if err := a.AdvancePayment(ctx, Caller{Policy: "callback"}, attempt); err != nil && !isUnavailable(err) {
		return PaymentShown{}, err
	}
	h, err = load(ctx, a, payment.Kind, stream)
	s := h.state
	return PaymentShown{s.Requested.Order, s.Status, s.Requested.AmountRial, s.Verified.Money.RRN}, err
}

func isUnavailable(err error) bool {
	f, ok := fault.Of(err)
	return ok && f.Kind == fault.Unavailable
}

// EndAttempt tells the fee that an attempt brought no money; a policy asks.
func (a *App) EndAttempt(ctx context.Context, c Caller, stream event.Stream, cause string) error {
	h, err := load(ctx, a, payment.Kind, stream)
	if err != nil {
		return err
	}
	order := h.state.Requested.Order
	as := a.do(c, "EndAttempt", asPolicy, order)
	end := fee.EndAttempt{Attempt: stream.ID(), Cause: cause, At: as.at}
	_, err = transact(ctx, a, fee.Kind, fee.Kind.Stream(order), as, just[fee.Fee](end))
	return err
}
