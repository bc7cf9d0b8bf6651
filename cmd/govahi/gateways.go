package main

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"govahi/adapters/payment"
	"govahi/adapters/payment/simulator"
	pkiprofiles "govahi/adapters/pki/profiles"
	"govahi/adapters/sso"
	"govahi/commands"
	"govahi/domain/fault"
)

// leastBeforeReversal is when a bank may begin to give back what was not
// verified (domain §5.5).
const leastBeforeReversal = 15 * time.Minute

// checkPayments refuses a patience with which money would be lost: a
// verification after the bank's own reversal.
func (s settings) checkPayments(w *fault.Remarks) {
	look, end := s.patience()
	w.Need(end < leastBeforeReversal, "GOVAHI_PAYMENT_END", "کمتر از 15m بنویسید؛ بانک‌ها از آن پس وجه تأییدنشده را برمی‌گردانند.",
		"it must be below 15m: banks give back from then on what was not verified")
	w.Need(look > 0 && look < end, "GOVAHI_PAYMENT_LOOK", "بیش از صفر و کمتر از GOVAHI_PAYMENT_END بنویسید؛ پرداختِ کسی که بازنگشته است باید به هنگام پیگیری شود.",
		"it must be above zero and below GOVAHI_PAYMENT_END: who never came back must be looked for in time")
}

func (s settings) patience() (look, end time.Duration) {
	return cmp.Or(s.PaymentLook, commands.DefaultLook), cmp.Or(s.PaymentEnd, commands.DefaultEnd)
}

// gateways are the configured ones; in development, without a configuration, a
// simulated bank of each shape.
func (h *house) gateways() (commands.Gateways, error) {
	g := commands.Gateways{Base: h.base()}
	g.Look, g.End = h.patience()
	var err error
	switch {
	case h.Gateways != "":
		g.Named, err = openGateways(h.Gateways)
	case h.Mode == sso.Development:
		h.banks = banks{simulator.New(now), simulator.New(now)}
		g.Named = h.banks.gateways("http://"+h.listener.Addr().String(), h.base())
	}
	return h.heard(g), err
}

// checkGateways opens them before anything is made.
func (s settings) checkGateways() error {
	if s.Gateways == "" {
		return nil
	}
	_, err := openGateways(s.Gateways)
	return err
}

// openGateways reads the file of the gateways. A secret that stands in it by
// mistake is not repeated.
func openGateways(file string) (map[string]commands.Gateway, error) {
	var c payment.Configuration
	text, err := pkiprofiles.ReadPath(file)
	if err == nil {
		err = pkiprofiles.DecodeDiscreetly(text, &c)
	}
	var named map[string]commands.Gateway
	if err == nil {
		named, err = c.Open(now)
	}
	if err != nil {
		return nil, fmt.Errorf("درگاه‌های پرداخت به کار نمی‌آیند؛ پرونده، خانه و علت:\nthe payment gateways cannot be used:\n%s:\n%w", file, err)
	}
	return named, nil
}

// banks are the simulated ones.
type banks struct{ verifying, settling *simulator.Bank }

const devBank = "/dev/bank"

// gateways lead to the banks: the house by its own address, the payer by the
// public one.
func (b banks) gateways(here, public string) map[string]commands.Gateway {
	return map[string]commands.Gateway{
		"bank1": payment.Verifying{API: here + devBank + "/bank1/api/", Start: public + devBank + "/bank1/start/", Merchant: "development"},
		"bank2": payment.Settling{
			Service: here + devBank + "/bank2/service", Start: public + devBank + "/bank2/start", Terminal: "1",
			User: "development", Password: "development", Clock: now,
		},
	}
}

// door serves the banks, if they are simulated.
func (b banks) door() http.Handler {
	if b.verifying == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("/bank1/", http.StripPrefix("/bank1", simulator.Verifying(b.verifying)))
	mux.Handle("/bank2/", http.StripPrefix("/bank2", simulator.Settling(b.settling)))
	return mux
}
