package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/domain/fault/faulttest"
)

func TestProxiesAreNetworksOrAddresses(t *testing.T) {
	got, err := settings{Proxies: "10.0.0.0/8, 192.0.2.1,2001:db8::/32 ::1"}.proxies()
	want := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"),
		netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("::1/128"),
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSettingsThatWouldWeakenTheHouseAreRefused(t *testing.T) {
	sound := settings{Listen: "127.0.0.1:1", Mode: "production", Limits: "on", OIDCIssuer: "i", OIDCKeys: "https://sso.example.ir/jwks"}
	local := sound
	local.OIDCKeys = "http://127.0.0.1:9/jwks"
	for _, s := range []settings{sound, local} {
		if err := s.check(); err != nil {
			t.Fatal(err)
		}
	}
	for says, c := range map[string]struct {
		name   string
		change func(*settings)
	}{
		"off is for development":         {"GOVAHI_LIMITS", func(s *settings) { s.Limits = "off" }},
		"lists the trusted proxies":      {"GOVAHI_PROXIES", func(s *settings) { s.Proxies = "somewhere" }},
		"https URL":                      {"GOVAHI_OIDC_KEYS", func(s *settings) { s.OIDCKeys = "http://sso.example.ir/jwks" }},
		"who signs bearer tokens":        {"GOVAHI_OIDC_ISSUER", func(s *settings) { s.OIDCIssuer = "" }},
		"the public http URL":            {"GOVAHI_BASE", func(s *settings) { s.Base = "https://ca.example.ir" }},
		"banks give back":                {"GOVAHI_PAYMENT_END", func(s *settings) { s.PaymentEnd = 15 * time.Minute }},
		"must be looked for in time":     {"GOVAHI_PAYMENT_LOOK", func(s *settings) { s.PaymentLook = time.Hour }},
		"without TLS":                    {"GOVAHI_NATS", func(s *settings) { s.NATS = "nats://bus.example.ir" }},
		"nothing was started with these": {"GOVAHI_LIMITS", func(s *settings) { s.Limits, s.Proxies = "off", "somewhere" }},
	} {
		s := sound
		c.change(&s)
		err := s.check()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
			continue
		}
		if err := faulttest.Remarked(err.Error(), c.name); err != nil {
			t.Error(err)
		}
	}
}
