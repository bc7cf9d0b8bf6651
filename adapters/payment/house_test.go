package payment_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"govahi/adapters/payment"
	"govahi/adapters/payment/simulator"
	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/commands/policies"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/fee"
	domain "govahi/domain/payment"
)

var noon = time.Date(2026, time.November, 1, 8, 30, 0, 0, time.UTC)

const amount = 3_445_110

// failer is a test, or one try of a property.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// house is what payments need, with a bank of each shape behind real HTTP.
type house struct {
	*commands.App
	t     failer
	log   event.Log
	mu    sync.Mutex
	clock time.Time
	banks map[string]*simulator.Bank
	crash string // the step at which the process dies, once
	read  event.Position
	keys  int
}

// servers are the banks' faces, which live as long as the test; the books behind
// them are a house's own.
type servers struct {
	urls map[string]string
	mu   sync.Mutex
	now  *house
}

func serve(t *testing.T) *servers {
	s := &servers{urls: map[string]string{}}
	for name, face := range faces {
		server := httptest.NewServer(via(func() *simulator.Bank {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.now.banks[name]
		}, face))
		t.Cleanup(server.Close)
		s.urls[name] = server.URL
	}
	return s
}

func (s *servers) house(t failer) *house {
	h := &house{t: t, log: memlog.New(), clock: noon, banks: map[string]*simulator.Bank{}}
	for name := range faces {
		b := simulator.New(h.now)
		b.Delay = func() { h.pass(6 * time.Minute) }
		h.banks[name] = b
	}
	h.App = &commands.App{
		Log: h.log, Keeper: spec.NewKeeper(), Secrets: secrets{}, Clock: h.now, Step: h.step,
		Gateways: commands.Gateways{
			Base: "http://door.example.ir", Look: commands.DefaultLook, End: commands.DefaultEnd, Named: map[string]commands.Gateway{
				"bank1": payment.Verifying{API: s.urls["bank1"] + "/api/", Start: s.urls["bank1"] + "/start/", Merchant: "merchant"},
				"bank2": payment.Settling{
					Service: s.urls["bank2"] + "/service", Start: s.urls["bank2"] + "/start", Terminal: "1", User: "u", Password: "p&<", Clock: h.now,
				},
			},
		},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = h
	return h
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

// died is how a process ends in the middle.
type died struct{}

func (h *house) step(point string) {
	if h.crash != "" && h.crash == point {
		h.crash = ""
		panic(died{})
	}
}

// dying does something that may be cut off by a crash.
func dying(do func() error) (crashed bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			if _, ours := v.(died); !ours {
				panic(v)
			}
			crashed = true
		}
	}()
	return false, do()
}

type secrets struct{}

func (secrets) Derive(purpose string, parts ...string) []byte {
	a, b := event.DeriveID(append([]string{purpose}, parts...)...), event.DeriveID(append([]string{"more", purpose}, parts...)...)
	return append(a[:], b[:]...)
}

const payer event.Subject = "p-payer"

// order is a submitted request whose fee is due.
func (h *house) order(code string) string {
	form := enrollment.Form{GivenName: "سارا", Surname: "نمونه"}
	put(h, enrollment.Kind, code,
		enrollment.Opened{TrackingCode: code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: payer, At: noon},
		enrollment.FormCompleted{Version: 1, Person: payer, Organization: "10999001013", EnteredBy: payer, Form: event.About(payer, form), At: noon},
		enrollment.Submitted{Office: "office-1", FormVersion: 1, At: noon})
	put(h, fee.Kind, code, fee.Raised{Order: code, Request: enrollment.Kind.Stream(code), Product: "cpmis-signature", TariffVersion: 1, AmountRial: amount, At: noon})
	return code
}

func put[S any](h *house, kind event.Kind[S], id string, events ...event.Event) {
	h.t.Helper()
	stream, at := kind.Stream(id), -1
	for range h.stream(kind.Stream(id)) {
		at++
	}
	h.keys++
	meta := event.Meta{CommandID: fmt.Sprint("put/", h.keys), Actor: "test", At: h.now(), Correlation: id}
	proposed, err := kind.Encode(context.Background(), h.Keeper, stream, meta, events)
	if err == nil {
		_, err = h.log.Append(context.Background(), stream, event.Expected(at), proposed...)
	}
	if err != nil {
		h.t.Fatalf("%v", err)
	}
}

func (h *house) stream(s event.Stream) (all []event.Recorded) {
	for r, err := range h.log.Read(context.Background(), s, 0) {
		if err != nil {
			h.t.Fatalf("%v", err)
		}
		all = append(all, r)
	}
	return all
}

func state[S any](h *house, kind event.Kind[S], id string) (s S) {
	h.t.Helper()
	for _, r := range h.stream(kind.Stream(id)) {
		e, err := kind.Catalog.Open(r)
		if err != nil {
			h.t.Fatalf("%v", err)
		}
		s = kind.Evolve(s, e)
	}
	return s
}

// start sends the payer to a bank's page.
func (h *house) start(code, bank, key string) (commands.PaymentStarted, error) {
	_, started, err := h.StartPayment(context.Background(), commands.Caller{Person: payer, Key: key}, code, commands.StartPayment{Provider: bank})
	return started, err
}

// reference is the bank's own name, as it stands in the page's address or form.
func reference(p commands.GatewayPage) string {
	if r := p.Fields["RefId"]; r != "" {
		return r
	}
	return path.Base(p.URL)
}

// comesBack is a callback for an attempt, with the bank's fields.
func (h *house) comesBack(attempt string, fields map[string]string) (commands.PaymentShown, error) {
	lower := map[string]string{}
	for name, value := range fields {
		lower[strings.ToLower(name)] = strings.ToLower(value)
	}
	token := fmt.Sprintf("%x", secrets{}.Derive("payment-callback", attempt)[:16])
	return h.PaymentCallback(context.Background(), attempt, token, lower)
}

func fieldsOf(bank string, s simulator.Sale, claims bool) map[string]string {
	if bank == "bank2" {
		return s.Fields(claims)
	}
	return map[string]string{"Authority": s.Reference, "Status": map[bool]string{true: "OK", false: "NOK"}[claims]}
}

// attempts lists all that were ever begun.
func (h *house) attempts() (ids []string) {
	for r, err := range h.log.ReadAll(context.Background(), 0, "payment.requested.v1") {
		if err != nil {
			h.t.Fatalf("%v", err)
		}
		ids = append(ids, r.Stream.ID())
	}
	return ids
}

// work lets the worker and the policies do what is due; what crashes is taken
// up again the next time.
func (h *house) work() {
	h.t.Helper()
	for _, id := range h.attempts() {
		_, err := dying(func() error {
			return h.ReconcilePayment(context.Background(), commands.Caller{Policy: "reconcile"}, id)
		})
		if err != nil {
			h.t.Fatalf("reconciling: %v", err)
		}
	}
	all, err := event.ReadBatch(context.Background(), h.log, h.read, 10_000)
	if err != nil {
		h.t.Fatalf("%v", err)
	}
	for _, r := range all {
		for _, p := range []policies.Policy{policies.EndAttemptOnEnded(), policies.CloseFeeOnOver()} {
			if err := p.Handle(context.Background(), h.App, r); err != nil {
				h.t.Fatalf("%s: %v", p.Name, err)
			}
		}
		h.read = r.Position
	}
}

// tillTheEnd lets time pass until nothing is open.
func (h *house) tillTheEnd() {
	h.t.Helper()
	for range 40 {
		h.work()
		open := 0
		for _, id := range h.attempts() {
			if !state(h, domain.Kind, id).Status.Over() {
				open++
			}
		}
		if open == 0 {
			h.work()
			return
		}
		h.pass(2 * time.Minute)
	}
	for _, id := range h.attempts() {
		h.t.Errorf("%s is %+v", id, state(h, domain.Kind, id))
	}
	h.t.Fatalf("an attempt never ends")
}
