package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
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
	for word, change := range map[string]func(*settings){
		"GOVAHI_LIMITS":  func(s *settings) { s.Limits = "off" },
		"GOVAHI_PROXIES": func(s *settings) { s.Proxies = "somewhere" },
		"https URL":      func(s *settings) { s.OIDCKeys = "http://sso.example.ir/jwks" },
	} {
		s := sound
		change(&s)
		if err := s.check(); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
}
