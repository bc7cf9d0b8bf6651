package main

import (
	"net/netip"
	"strings"
	"time"

	"govahi/adapters/http"
	"govahi/adapters/limits"
	"govahi/adapters/mail"
	"govahi/commands"
	"govahi/domain/fault"
	"govahi/domain/limit"
)

// The limits on one-time codes: ten a day for a person, six an hour for an
// address. They can be switched off in development, where one persona may be
// a thousand people.

func (s settings) unlimited() bool { return s.Limits == "off" }

func (s settings) codeLimit() limit.Rule {
	if s.unlimited() {
		return limit.Rule{}
	}
	return limit.Rule{Name: "codes", Max: 10, Within: 24 * time.Hour}
}

func (s settings) limits() http.Limits {
	if s.unlimited() {
		return http.NoLimits()
	}
	return http.DefaultLimits(now)
}

func (s settings) limitedMail(m commands.Mailer) commands.Mailer {
	if s.unlimited() {
		return m
	}
	return mail.Proofs{Mailer: m, Tries: &limits.Tries{Max: 6, Within: time.Hour, Clock: now}}
}

var errProxies = fault.Remark("GOVAHI_PROXIES",
	"نشانی یا شبکهٔ پراکسی‌های مورد اعتماد را بنویسید، مانند 192.0.2.1,2001:db8::/64؛ هر که در میان آن‌هاست می‌تواند بگوید درخواست از کجا می‌آید.",
	"it lists the trusted proxies, by address or network, such as 192.0.2.1,2001:db8::/64: whoever is among them may say where a request comes from")

// proxies are networks, or single addresses.
func (s settings) proxies() (list []netip.Prefix, err error) {
	for _, text := range strings.FieldsFunc(s.Proxies, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(text)
		if one, wrong := netip.ParseAddr(text); wrong == nil {
			p, err = one.Prefix(one.BitLen())
		}
		if err != nil {
			return nil, errProxies
		}
		list = append(list, p)
	}
	return list, nil
}
