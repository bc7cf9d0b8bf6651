package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Verifying is the face of the shape request → redirect → callback → verify, in
// JSON; see payment.Verifying. Under /api/ are its operations, under /start/ is
// the payer's page.
func Verifying(b *Bank) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/{operation}", func(w http.ResponseWriter, r *http.Request) {
		operation := strings.TrimSuffix(r.PathValue("operation"), ".json")
		b.answer(w, operation, func(t Trouble) (string, string) { return "application/json", b.verifying(operation, t, r) })
	})
	mux.HandleFunc("GET /start/{reference}", func(w http.ResponseWriter, r *http.Request) { b.page(w, r.PathValue("reference")) })
	mux.HandleFunc("POST /start/{reference}", func(w http.ResponseWriter, r *http.Request) {
		s, claims, comes := b.acts(w, r, r.PathValue("reference"))
		if !comes {
			return
		}
		status := map[bool]string{true: "OK", false: "NOK"}[claims]
		http.Redirect(w, r, s.Callback+"?Authority="+s.Reference+"&Status="+status, http.StatusSeeOther)
	})
	return mux
}

// answer does an operation with the trouble that is due.
func (b *Bank) answer(w http.ResponseWriter, operation string, do func(Trouble) (contentType, body string)) {
	t := b.trouble(operation)
	switch t {
	case Broken:
		http.Error(w, "the bank is broken", http.StatusInternalServerError)
		return
	case Garbage:
		_, _ = w.Write([]byte("<html>\xff{]"))
		return
	case Slow, Lies:
		b.Delay()
	}
	contentType, body := do(t)
	if t == Lost {
		panic(http.ErrAbortHandler) // the connection breaks off
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write([]byte(body))
}

func (b *Bank) verifying(operation string, t Trouble, r *http.Request) string {
	var in struct {
		Merchant  string `json:"merchant_id"`
		Amount    int64  `json:"amount"`
		Callback  string `json:"callback_url"`
		Authority string `json:"authority"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.Merchant == "" {
		return failure(-9)
	}
	if operation == "request" {
		s, _ := b.open("", in.Callback, in.Amount, false)
		return success(map[string]any{"code": 100, "message": "Success", "authority": s.Reference})
	}
	told := failure(-54)
	b.with(func(s *Sale) bool { return s.Reference == in.Authority }, func(s *Sale) {
		switch operation {
		case "verify":
			told = verifySale(s, in.Amount, t)
		case "inquiry":
			told = success(map[string]any{"code": 100, "status": map[state]string{
				begun: "IN_BANK", paid: "PAID", verified: "VERIFIED", cancelled: "FAILED", reversed: "REVERSED",
			}[s.state]})
		case "reverse":
			told = failure(-60)
			if s.state == paid {
				s.state, told = reversed, success(map[string]any{"code": 100})
			}
		}
	})
	return told
}

func verifySale(s *Sale, amount int64, t Trouble) string {
	yes := func(code int) string {
		return success(map[string]any{"code": code, "ref_id": json.Number(s.RRN), "card_pan": "999999******1234"})
	}
	switch {
	case t == Lies && s.RRN != "" && s.state == reversed:
		return yes(100)
	case s.state == verified && t == Again:
		return yes(100)
	case s.state == verified:
		return yes(101)
	case s.state != paid:
		return failure(-51)
	case s.Paid != amount:
		return failure(-50)
	}
	s.state = verified
	return yes(100)
}

func success(data map[string]any) string {
	text, _ := json.Marshal(map[string]any{"data": data, "errors": []any{}}) // plain values
	return string(text)
}

func failure(code int) string {
	text, _ := json.Marshal(map[string]any{"data": []any{}, "errors": map[string]any{"code": code, "message": "refused", "validations": []any{}}})
	return string(text)
}
