package commands

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"govahi/domain/fault"
	"govahi/domain/payment"
)

// Gateway is a bank's page where people pay (domain §5.5). An error is a bank
// out of reach, or one that cannot be understood: nothing is known then.
type Gateway interface {
	// Separate tells whether the bank settles in a step of its own.
	Separate() bool
	// Open announces a payment, and returns the name by which the bank knows it.
	Open(ctx context.Context, p GatewayPayment, callback string) (reference string, err error)
	// Page is where the payer is sent.
	Page(reference string) GatewayPage
	// Read understands what came to the callback's address: a hint.
	Read(fields map[string]string) (claim payment.Claim, hint string)
	// Verify makes a payment final. It may be asked again and again.
	Verify(ctx context.Context, p GatewayPayment) (Verdict, error)
	// Settle has a verified payment paid out to us. It may be asked again.
	Settle(ctx context.Context, p GatewayPayment) (PaymentStanding, error)
	// Inquire changes nothing.
	Inquire(ctx context.Context, p GatewayPayment) (PaymentStanding, error)
	// Reverse gives back what was not settled yet; what cannot be reversed by us
	// the bank reverses by itself, unless it was verified.
	Reverse(ctx context.Context, p GatewayPayment) error
}

// GatewayPayment is how we name a payment to a bank. The amount is ours.
type GatewayPayment struct {
	Attempt, Order  string
	Reference, Hint string
	AmountRial      int64
}

// GatewayPage is where a payer's browser goes, and with what.
type GatewayPage struct {
	Method string            `json:"method" enum:"GET,POST"`
	URL    string            `json:"url"`
	Fields map[string]string `json:"fields,omitempty" doc:"Form fields of a POST"`
}

// PaymentStanding is where a payment stands with a bank.
type PaymentStanding string

// The standings.
const (
	Awaited  PaymentStanding = "awaited"  // not paid, as far as the bank knows now
	Paid     PaymentStanding = "paid"     // and not verified
	Held     PaymentStanding = "held"     // verified or settled: ours
	Declined PaymentStanding = "declined" // it failed, for good
	Returned PaymentStanding = "returned" // the payer has his money again
	Differs  PaymentStanding = "differs"  // it is another amount than ours
)

// Verdict is a bank's answer to a verification.
type Verdict struct {
	Standing PaymentStanding
	Money    payment.Money // of what is held
}

// Gateways are those that the house is connected to, and its patience.
type Gateways struct {
	Named map[string]Gateway
	Base  string        // public URL of our door, for callbacks
	Look  time.Duration // after it a payment that says nothing is looked at
	End   time.Duration // after it no verification begins: before the bank reverses by itself
}

// Names lists them.
func (g Gateways) Names() []string { return slices.Sorted(maps.Keys(g.Named)) }

// The patience of a house that was told none: banks reverse after 15 to 30
// minutes (domain §5.5).
const (
	DefaultLook = 5 * time.Minute
	DefaultEnd  = 14 * time.Minute
)

func (g Gateways) named(name string) (Gateway, error) {
	if one, ok := g.Named[name]; ok {
		return one, nil
	}
	if len(g.Named) == 0 {
		return nil, errNoGateway
	}
	names := strings.Join(g.Names(), ", ")
	return nil, fault.New(fault.Invalid, "provider-unknown",
		"چنین درگاهی نیست؛ یکی از این‌ها را برگزینید: "+names+".",
		"There is no such gateway; choose one of: "+names+".").At("provider")
}

var errNoGateway = fault.New(fault.Unavailable, "gateway-not-connected",
	"پرداخت برخط در دسترس نیست؛ در پیشخوان دفتر بپردازید.",
	"Online payment is not available; pay at the office's counter.")

// ErrGateway reports a bank out of reach.
var ErrGateway = fault.New(fault.Unavailable, "gateway-unavailable",
	"درگاه بانک پاسخ نمی‌دهد؛ لحظه‌ای دیگر دوباره بفرستید یا درگاه دیگری برگزینید.",
	"The bank's gateway does not answer; send again in a moment, or choose another gateway.")
