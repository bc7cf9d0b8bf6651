package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	door "govahi/adapters/http"
	"govahi/adapters/payment/simulator"
	"govahi/commands"
)

// TestHealthAndMetricsKnowTheBanks: which of them answered last and when, and how
// many payments wait for their word, by age. A bank that is away is outside: the
// house serves on.
func TestHealthAndMetricsKnowTheBanks(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	book := simulator.New(func() time.Time { return time.Now().UTC() })
	server := httptest.NewServer(simulator.Verifying(book))
	defer server.Close()
	verifying, settling := till{book, server.URL}, openBank(t, simulator.Settling)
	i, address := measured(t, troubleHook+"="+outside, "GOVAHI_GATEWAYS="+gatewaysFile(t, verifying, settling), "TEST_MERCHANT=merchant")
	shows := func(s scrape, at string, waiting map[string]float64) bool {
		all := s.values[fmt.Sprintf("%s{part=%q}", partReady.name, "gateway:sade")] == map[string]float64{"up": 1}[at]
		for _, age := range []string{"5m", "15m", "1h", "longer"} {
			n, there := s.values[fmt.Sprintf("%s{age=%q,gateway=%q}", bankUnverified.name, age, "sade")]
			all = all && there && n == waiting[age]
		}
		return all
	}
	s := telling(t, i, "banks")
	awaitMetrics(t, address, "nothing waits", func(m scrape) bool { return shows(m, "up", nil) })
	must(t, s.tell(t.Context(), untilReserved(s, 0)[:6]))
	awaitFee(t, s, "raised")
	begin := func(key, provider string) error {
		return s.post(t.Context(), "applicant", s.name+key, "/requests/"+s.code+"/payments", map[string]string{"provider": provider}, nil)
	}
	must(t, begin("-first", "sade"))
	m := awaitMetrics(t, address, "a payment waits", func(m scrape) bool { return shows(m, "up", map[string]float64{"5m": 1}) })
	if at := m.values[bankAnswered.name+`{gateway="sade"}`]; time.Since(time.Unix(int64(at), 0)) > within {
		t.Errorf("the bank answered at %v", at)
	}
	m.wants(t, bankAnswered.name+`{gateway="dogam"}`, 0)
	m.wants(t, bankOldest.name+`{gateway="dogam"}`, 0)

	server.Close()
	if err := begin("-second", "sade"); err == nil {
		t.Error("a bank that is away took a payment")
	}
	awaitMetrics(t, address, "the bank is away", func(m scrape) bool { return shows(m, "away", map[string]float64{"5m": 2}) })
	if p := i.part(t, "gateway:sade"); p.State != door.Failed || !p.Outside || !strings.Contains(p.Detail, "unverified payments: 2, the oldest for ") {
		t.Errorf("away: %+v", p)
	}
	if p := i.part(t, "gateway:dogam"); p.State != door.Ready || p.Detail != "" {
		t.Errorf("beside it: %+v", p)
	}
	if p := i.part(t, ""); p.State != door.Ready {
		t.Errorf("without a bank the house is %s", p.State)
	}
	const later = 10 * time.Minute // before they end: nobody brought them back, and then the bank gives back what it holds
	makes(t, outside, "clock", later.String())
	m = awaitMetrics(t, address, "the payments grow old", func(m scrape) bool { return shows(m, "away", map[string]float64{"15m": 2}) })
	if oldest := m.values[bankOldest.name+`{gateway="sade"}`]; oldest < later.Seconds() || oldest > (later+5*within).Seconds() {
		t.Errorf("%v later the oldest is of %v s", later, oldest)
	}
	makes(t, outside, "clock", "2h")
	awaitMetrics(t, address, "they are over", func(m scrape) bool { return shows(m, "away", nil) })
}

// gone is a bank that does not answer, whose caller leaves.
type gone struct{ commands.Gateway }

func (gone) Verify(ctx context.Context, _ commands.GatewayPayment) (commands.Verdict, error) {
	return commands.Verdict{}, errors.Join(http.ErrHandlerTimeout, ctx.Err())
}

// TestACallerWhoLeavesIsNoTroubleOfTheBanks, an answer that does not come is.
func TestACallerWhoLeavesIsNoTroubleOfTheBanks(t *testing.T) {
	heard := &outcome{}
	bank := heardGateway{gone{}, heard}
	left, leave := context.WithCancel(t.Context())
	leave()
	_, _ = bank.Verify(left, commands.GatewayPayment{})
	if _, err := heard.last(); err != nil {
		t.Errorf("a caller left: %v", err)
	}
	_, _ = bank.Verify(t.Context(), commands.GatewayPayment{})
	if _, err := heard.last(); err == nil {
		t.Error("the bank did not answer")
	}
}
