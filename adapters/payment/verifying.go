package payment

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"govahi/commands"
	"govahi/domain/payment"
)

// Verifying is a gateway of the shape request → redirect → callback → verify,
// in JSON. Names and codes are those of the API that its provider publishes
// (www.zarinpal.com/docs/paymentGateway, version 4).
type Verifying struct {
	API      string // URL under which request.json, verify.json, … stand, with a slash at the end
	Start    string // URL of the payer's page, before the authority
	Merchant string // a secret
}

// The provider's codes.
const (
	codeDone      = 100
	codeAgain     = 101 // verified before
	codeDiffers   = -50 // the amount is another
	codeNotPaid   = -51
	codeForeign   = -53 // not this merchant's
	codeAuthority = -54 // there is no such payment
	codeUnknown   = -55
)

// Separate: what is verified is settled.
func (Verifying) Separate() bool { return false }

type verifyingRequest struct {
	Merchant    string            `json:"merchant_id"`
	Amount      int64             `json:"amount,omitempty"`
	Currency    string            `json:"currency,omitempty"`
	Description string            `json:"description,omitempty"`
	Callback    string            `json:"callback_url,omitempty"`
	Authority   string            `json:"authority,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

type verifyingAnswer struct {
	Code      int         `json:"code"`
	Authority string      `json:"authority"`
	RefID     json.Number `json:"ref_id"`
	Card      string      `json:"card_pan"`
	Status    string      `json:"status"`
}

// call sends a request. A refusal comes as an error object beside empty data,
// and, by the operation, with a status of its own.
func (g Verifying) call(ctx context.Context, operation string, r verifyingRequest) (a verifyingAnswer, err error) {
	r.Merchant = g.Merchant
	body, err := json.Marshal(r)
	if err != nil {
		return a, err
	}
	text, err := post(ctx, g.API+operation+".json", "application/json", body, map[string]string{"Accept": "application/json"},
		http.StatusOK, http.StatusCreated, http.StatusBadRequest, http.StatusUnprocessableEntity)
	if err != nil {
		return a, err
	}
	var whole struct{ Data, Errors json.RawMessage }
	if json.Unmarshal(text, &whole) != nil {
		return a, errAnswer
	}
	for _, part := range []json.RawMessage{whole.Data, whole.Errors} { // the empty one is a list
		if json.Unmarshal(part, &a) == nil && a.Code != 0 {
			return a, nil
		}
	}
	return a, errAnswer
}

// Open announces the payment.
func (g Verifying) Open(ctx context.Context, p commands.GatewayPayment, callback string) (string, error) {
	a, err := g.call(ctx, "request", verifyingRequest{
		Amount: p.AmountRial, Currency: "IRR", Description: "هزینهٔ گواهی، درخواست " + p.Order, Callback: callback,
		Metadata: map[string]string{"order_id": p.Order},
	})
	if err == nil && (a.Code != codeDone || a.Authority == "" || len(a.Authority) > 64) {
		err = fmt.Errorf("payment: the bank refuses the request with code %d", a.Code)
	}
	return a.Authority, err
}

// Page is the payer's.
func (g Verifying) Page(reference string) commands.GatewayPage {
	return commands.GatewayPage{Method: http.MethodGet, URL: g.Start + reference}
}

// Read knows the payment by its authority already: a callback brings no hint.
func (Verifying) Read(fields map[string]string) (payment.Claim, string) {
	switch fields["status"] {
	case "ok":
		return payment.ClaimsPaid, ""
	case "nok":
		return payment.ClaimsFailed, ""
	}
	return payment.ClaimsOther, ""
}

// Verify names our amount: the bank compares. That it was verified before is as
// good as verified now, for our own state decides.
func (g Verifying) Verify(ctx context.Context, p commands.GatewayPayment) (commands.Verdict, error) {
	a, err := g.call(ctx, "verify", verifyingRequest{Amount: p.AmountRial, Authority: p.Reference})
	if err != nil {
		return commands.Verdict{}, err
	}
	switch a.Code {
	case codeDone, codeAgain:
		if _, err := strconv.ParseUint(a.RefID.String(), 10, 64); err != nil {
			return commands.Verdict{}, errAnswer
		}
		money := payment.Money{RRN: a.RefID.String(), Card: a.Card, AmountRial: p.AmountRial}
		return commands.Verdict{Standing: commands.Held, Money: money}, nil
	case codeDiffers:
		return commands.Verdict{Standing: commands.Differs}, nil
	case codeNotPaid:
		return commands.Verdict{Standing: commands.Awaited}, nil
	case codeForeign, codeAuthority, codeUnknown:
		return commands.Verdict{Standing: commands.Declined}, nil
	}
	return commands.Verdict{}, fmt.Errorf("%w: code %d", errAnswer, a.Code)
}

// Settle has nothing to do.
func (Verifying) Settle(context.Context, commands.GatewayPayment) (commands.PaymentStanding, error) {
	return commands.Held, nil
}

// Inquire asks where the payment stands.
func (g Verifying) Inquire(ctx context.Context, p commands.GatewayPayment) (commands.PaymentStanding, error) {
	a, err := g.call(ctx, "inquiry", verifyingRequest{Authority: p.Reference})
	if err != nil {
		return "", err
	}
	if a.Code == codeAuthority || a.Code == codeUnknown || a.Code == codeForeign {
		return commands.Declined, nil
	}
	standing, known := map[string]commands.PaymentStanding{
		"PAID": commands.Paid, "VERIFIED": commands.Held, "IN_BANK": commands.Awaited, "FAILED": commands.Declined, "REVERSED": commands.Returned,
	}[a.Status]
	if a.Code != codeDone || !known {
		return "", errAnswer
	}
	return standing, nil
}

// Reverse gives an unverified sum back at once. Where there is nothing to give
// back the bank refuses, which is as well.
func (g Verifying) Reverse(ctx context.Context, p commands.GatewayPayment) error {
	_, err := g.call(ctx, "reverse", verifyingRequest{Authority: p.Reference})
	return err
}
