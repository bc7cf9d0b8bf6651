package payment

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"govahi/commands"
	"govahi/domain/iran"
	"govahi/domain/payment"
)

// Settling is a gateway of the shape request → redirect → callback → verify →
// settle, in SOAP. Names and codes are those of public clients of its provider
// (bpPayRequest and its kin, domain §5.5).
type Settling struct {
	Service        string // URL of the SOAP service
	Start          string // URL of the payer's page, to which the reference is posted
	Terminal       string
	User, Password string // secrets
	Clock          func() time.Time
}

// The provider's codes.
const (
	resDone        = "0"
	resCancelled   = "17"
	resNoSale      = "42"
	resVerified    = "43" // before
	resNotVerified = "44"
	resSettled     = "45" // before
	resNotSettled  = "46"
	resReversed    = "48"
	resNoReference = "54"
)

// namespace of the provider's operations.
const namespace = "http://interfaces.core.sw.bps.com/"

// Separate: what is verified is still to be settled.
func (Settling) Separate() bool { return true }

type field struct{ name, value string }

// call sends one operation and returns its answer: a code, and what follows it.
func (g Settling) call(ctx context.Context, operation string, more ...field) (code, rest string, err error) {
	fields := append([]field{{"terminalId", g.Terminal}, {"userName", g.User}, {"userPassword", g.Password}}, more...)
	text, err := post(ctx, g.Service, "text/xml; charset=utf-8", envelope(operation, fields), map[string]string{"SOAPAction": `""`}, http.StatusOK)
	if err != nil {
		return "", "", err
	}
	var answer struct {
		Body struct {
			Response struct {
				Return string `xml:"return"`
			} `xml:",any"`
		} `xml:"Body"`
	}
	if xml.Unmarshal(text, &answer) != nil {
		return "", "", errAnswer
	}
	code, rest, _ = strings.Cut(strings.TrimSpace(answer.Body.Response.Return), ",")
	if _, err := strconv.ParseInt(code, 10, 32); err != nil {
		return "", "", errAnswer
	}
	return code, strings.TrimSpace(rest), nil
}

func envelope(operation string, fields []field) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:int="` + namespace +
		`"><soapenv:Body><int:` + operation + `>`)
	for _, f := range fields {
		b.WriteString("<" + f.name + ">")
		_ = xml.EscapeText(&b, []byte(f.value)) // into memory: cannot fail
		b.WriteString("</" + f.name + ">")
	}
	b.WriteString(`</int:` + operation + `></soapenv:Body></soapenv:Envelope>`)
	return b.Bytes()
}

// Number is the number by which this bank knows an attempt: 60 bits of it.
func Number(attempt string) string {
	n, err := strconv.ParseInt(attempt[:min(15, len(attempt))], 16, 64)
	if err != nil {
		return "0"
	}
	return strconv.FormatInt(n, 10)
}

// Open announces the payment.
func (g Settling) Open(ctx context.Context, p commands.GatewayPayment, callback string) (string, error) {
	now := g.Clock().In(iran.Tehran())
	code, reference, err := g.call(ctx, "bpPayRequest", field{"orderId", Number(p.Attempt)}, field{"amount", strconv.FormatInt(p.AmountRial, 10)},
		field{"localDate", now.Format("20060102")}, field{"localTime", now.Format("150405")}, field{"additionalData", p.Order},
		field{"callBackUrl", callback}, field{"payerId", "0"})
	if err == nil && (code != resDone || reference == "" || len(reference) > 64) {
		err = fmt.Errorf("payment: the bank refuses the request with code %s", code)
	}
	return reference, err
}

// Page is the payer's; the reference is posted to it.
func (g Settling) Page(reference string) commands.GatewayPage {
	return commands.GatewayPage{Method: http.MethodPost, URL: g.Start, Fields: map[string]string{"RefId": reference}}
}

var saleReference = regexp.MustCompile(`^[0-9]{1,20}$`)

// Read takes the sale's reference, without which this bank verifies nothing.
func (Settling) Read(fields map[string]string) (payment.Claim, string) {
	hint := fields["salereferenceid"]
	if !saleReference.MatchString(hint) || strings.Trim(hint, "0") == "" {
		hint = ""
	}
	switch code := fields["rescode"]; {
	case code == resDone && hint != "":
		return payment.ClaimsPaid, hint
	case code == resDone || code == "":
		return payment.ClaimsOther, hint
	}
	return payment.ClaimsFailed, hint
}

// sale is how an operation names the payment.
func sale(p commands.GatewayPayment) []field {
	n := Number(p.Attempt)
	return []field{{"orderId", n}, {"saleOrderId", n}, {"saleReferenceId", p.Hint}}
}

// Verify makes the sale of the reference ours. The bank compares nothing with
// our amount, for it took the amount from our own request.
func (g Settling) Verify(ctx context.Context, p commands.GatewayPayment) (commands.Verdict, error) {
	if p.Hint == "" {
		return commands.Verdict{Standing: commands.Awaited}, nil
	}
	code, _, err := g.call(ctx, "bpVerifyRequest", sale(p)...)
	if err != nil {
		return commands.Verdict{}, err
	}
	switch code {
	case resDone, resVerified, resSettled:
		money := payment.Money{RRN: p.Hint, Trace: Number(p.Attempt), AmountRial: p.AmountRial}
		return commands.Verdict{Standing: commands.Held, Money: money}, nil
	}
	standing, err := standingOf(code)
	return commands.Verdict{Standing: standing}, err
}

// standingOf is what a refusal says of the sale. A sale that the bank does not
// know by this reference may be known by another one.
func standingOf(code string) (commands.PaymentStanding, error) {
	switch code {
	case resNoSale, resNoReference, resNotVerified:
		return commands.Awaited, nil
	case resCancelled:
		return commands.Declined, nil
	case resReversed:
		return commands.Returned, nil
	}
	return "", fmt.Errorf("%w: code %s", errAnswer, code)
}

// Settle has the sale paid out; that it was before is as good.
func (g Settling) Settle(ctx context.Context, p commands.GatewayPayment) (commands.PaymentStanding, error) {
	code, _, err := g.call(ctx, "bpSettleRequest", sale(p)...)
	if err != nil {
		return "", err
	}
	if code == resDone || code == resSettled {
		return commands.Held, nil
	}
	return standingOf(code)
}

// Inquire asks where the sale of the reference stands: this bank says whether it
// is verified.
func (g Settling) Inquire(ctx context.Context, p commands.GatewayPayment) (commands.PaymentStanding, error) {
	if p.Hint == "" {
		return commands.Awaited, nil
	}
	code, _, err := g.call(ctx, "bpInquiryRequest", sale(p)...)
	switch {
	case err != nil:
		return "", err
	case code == resDone || code == resVerified || code == resSettled || code == resNotSettled:
		return commands.Held, nil
	case code == resNotVerified:
		return commands.Paid, nil
	}
	return standingOf(code)
}

// Reverse gives back what was not settled.
func (g Settling) Reverse(ctx context.Context, p commands.GatewayPayment) error {
	if p.Hint == "" {
		return nil
	}
	_, _, err := g.call(ctx, "bpReversalRequest", sale(p)...)
	return err
}
