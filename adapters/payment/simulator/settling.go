package simulator

import (
	"encoding/xml"
	"net/http"
	"strconv"
)

// Settling is the face of the shape with a settlement of its own, in SOAP; see
// payment.Settling. At /service is the service, at /start the payer's page.
func Settling(b *Bank) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /service", func(w http.ResponseWriter, r *http.Request) {
		var in call
		if xml.NewDecoder(r.Body).Decode(&in) != nil || in.Body.Operation.User == "" {
			http.Error(w, "no call", http.StatusBadRequest)
			return
		}
		asked := in.Body.Operation
		b.answer(w, operations[asked.XMLName.Local], func(t Trouble) (string, string) {
			return "text/xml; charset=utf-8", returned(asked.XMLName.Local, b.settling(asked, t))
		})
	})
	start := func(w http.ResponseWriter, r *http.Request) {
		reference := r.FormValue("RefId")
		if r.FormValue("act") == "" {
			b.page(w, reference)
			return
		}
		if s, claims, comes := b.acts(w, r, reference); comes {
			back(w, s, claims)
		}
	}
	mux.HandleFunc("GET /start", start)
	mux.HandleFunc("POST /start", start)
	return mux
}

// operations are our short names of theirs.
var operations = map[string]string{
	"bpPayRequest": "request", "bpVerifyRequest": "verify", "bpSettleRequest": "settle", "bpInquiryRequest": "inquiry",
	"bpReversalRequest": "reverse",
}

type call struct {
	Body struct {
		Operation operation `xml:",any"`
	} `xml:"Body"`
}

type operation struct {
	XMLName       xml.Name
	User          string `xml:"userName"`
	Order         string `xml:"orderId"`
	Amount        int64  `xml:"amount"`
	Callback      string `xml:"callBackUrl"`
	SaleOrder     string `xml:"saleOrderId"`
	SaleReference string `xml:"saleReferenceId"`
}

func (b *Bank) settling(asked operation, t Trouble) string {
	if asked.XMLName.Local == "bpPayRequest" {
		s, fresh := b.open(asked.Order, asked.Callback, asked.Amount, true)
		if !fresh {
			return "41"
		}
		return "0," + s.Reference
	}
	told := "42"
	b.with(func(s *Sale) bool { return s.Number == asked.SaleOrder }, func(s *Sale) {
		if s.RRN == "" || s.RRN != asked.SaleReference {
			return // no sale of this reference
		}
		switch operations[asked.XMLName.Local] {
		case "verify":
			told = verifySettling(s, t)
		case "settle":
			told = settleSale(s)
		case "inquiry":
			told = map[state]string{paid: "44", verified: "43", settled: "45", reversed: "48"}[s.state]
		case "reverse":
			if told = "45"; s.state != settled {
				s.state, told = reversed, "0"
			}
		}
	})
	return told
}

func verifySettling(s *Sale, t Trouble) string {
	switch {
	case t == Lies && s.state == reversed, t == Again && s.Held():
		return "0"
	case s.Held():
		return "43"
	case s.state == reversed:
		return "48"
	}
	s.state = verified
	return "0"
}

func settleSale(s *Sale) string {
	switch s.state {
	case verified:
		s.state = settled
		return "0"
	case settled:
		return "45"
	case reversed:
		return "48"
	}
	return "44"
}

func returned(operation, code string) string {
	return xml.Header + `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><ns2:` + operation +
		`Response xmlns:ns2="http://interfaces.core.sw.bps.com/"><return>` + code + `</return></ns2:` + operation + `Response></S:Body></S:Envelope>`
}

// Fields are those by which this bank calls the merchant.
func (s Sale) Fields(claims bool) map[string]string {
	fields := map[string]string{"RefId": s.Reference, "SaleOrderId": s.Number, "ResCode": "17"}
	if claims {
		fields["ResCode"], fields["SaleReferenceId"] = "0", s.RRN
		fields["CardHolderPan"], fields["FinalAmount"] = "999999******1234", strconv.FormatInt(s.Paid, 10)
	}
	return fields
}
