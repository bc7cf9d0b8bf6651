package main

import (
	"context"
	"fmt"
	"time"

	"govahi/adapters/http"
	"govahi/commands"
	"govahi/queries"
)

// heardGateway remembers how the last call to a bank went. A caller who left is
// no fault of the bank's.
type heardGateway struct {
	commands.Gateway
	heard *outcome
}

func (g heardGateway) note(ctx context.Context, err error) {
	if err == nil || ctx.Err() == nil {
		g.heard.note(err)
	}
}

// Open announces a payment.
func (g heardGateway) Open(ctx context.Context, p commands.GatewayPayment, callback string) (string, error) {
	reference, err := g.Gateway.Open(ctx, p, callback)
	g.note(ctx, err)
	return reference, err
}

// Verify makes a payment final.
func (g heardGateway) Verify(ctx context.Context, p commands.GatewayPayment) (commands.Verdict, error) {
	v, err := g.Gateway.Verify(ctx, p)
	g.note(ctx, err)
	return v, err
}

// Settle has a verified payment paid out.
func (g heardGateway) Settle(ctx context.Context, p commands.GatewayPayment) (commands.PaymentStanding, error) {
	s, err := g.Gateway.Settle(ctx, p)
	g.note(ctx, err)
	return s, err
}

// Inquire changes nothing.
func (g heardGateway) Inquire(ctx context.Context, p commands.GatewayPayment) (commands.PaymentStanding, error) {
	s, err := g.Gateway.Inquire(ctx, p)
	g.note(ctx, err)
	return s, err
}

// Reverse gives back what was not settled.
func (g heardGateway) Reverse(ctx context.Context, p commands.GatewayPayment) error {
	err := g.Gateway.Reverse(ctx, p)
	g.note(ctx, err)
	return err
}

// heard wraps each bank, so that health and metrics know of it.
func (h *house) heard(g commands.Gateways) commands.Gateways {
	h.banksHeard = map[string]*outcome{}
	for name, bank := range g.Named {
		h.banksHeard[name] = &outcome{}
		g.Named[name] = heardGateway{bank, h.banksHeard[name]}
	}
	return g
}

// callsBanks tells whether this process does: for who pays, or for who paid.
func (h *house) callsBanks() bool { return h.has(roleAPI, rolePolicy) }

// bankParts are outside: people pay at the counter, or wait.
func (h *house) bankParts(ctx context.Context) (parts []http.Part) {
	waiting, _ := h.unverified(ctx) // its error is PostgreSQL's, which speaks for itself
	for _, name := range h.app.Gateways.Names() {
		p := outsidePart("gateway:"+name, h.banksHeard[name])
		if w := waiting[name]; w.Count > 0 {
			if p.Detail != "" {
				p.Detail += "; "
			}
			p.Detail += fmt.Sprintf("unverified payments: %d, the oldest for %v", w.Count, w.Age(now()).Truncate(time.Second))
		}
		parts = append(parts, p)
	}
	return parts
}

func (h *house) unverified(ctx context.Context) (map[string]queries.Unverified, error) {
	list, err := h.queries.Unverified(ctx, now())
	waiting := map[string]queries.Unverified{}
	for _, w := range list {
		waiting[w.Provider] = w
	}
	return waiting, err
}

var (
	bankAnswered = gauge("govahi_gateway_last_success_timestamp_seconds",
		"When the bank last answered a call of this process; 0 if it never did.", "gateway")
	bankUnverified = gauge("govahi_gateway_unverified_payments",
		"Payments that are neither verified nor over, by how long ago they were begun: up to 5m, 15m, 1h, or longer.", "gateway", "age")
	bankOldest = gauge("govahi_gateway_oldest_unverified_seconds",
		"Age of the oldest of those payments; 0 if there is none.", "gateway")

	bankFamilies = []family{bankAnswered, bankUnverified, bankOldest}
)

func (h *house) tellBanks(ctx context.Context, is tell) {
	if !h.callsBanks() {
		return
	}
	waiting, err := h.unverified(ctx)
	for _, name := range h.app.Gateways.Names() {
		if good, _ := h.banksHeard[name].last(); good.IsZero() {
			is(bankAnswered, 0, name)
		} else {
			is(bankAnswered, float64(good.UnixMilli())/1000, name)
		}
		if err != nil {
			continue
		}
		w := waiting[name]
		for age, n := range map[string]int{"5m": w.Count - w.Due, "15m": w.Due - w.Late, "1h": w.Late - w.Old, "longer": w.Old} {
			is(bankUnverified, float64(n), name, age)
		}
		is(bankOldest, w.Age(now()).Seconds(), name)
	}
}
