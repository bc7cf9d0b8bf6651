package http

import (
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"govahi/adapters/limits"
	"govahi/domain/fault"
)

// Limits are the tries that the door allows. Behind one network stand a whole
// office and its visitors, or a guesser.
type Limits struct {
	Guesses *limits.Tries // of e-mail codes, by network: those that were wrong
	Lookups *limits.Tries // of requests without a token, by network: those that found nothing
	Letters *limits.Tries // asked for, by network
	Reports *limits.Tries // of false information without a token, by network
	Tracked *limits.Tries // second factors, by tracking code: those that were wrong
	Returns *limits.Tries // from a bank's page, by attempt: each asks the bank
}

// DefaultLimits leave a guesser of four digits 240 tries a day at one tracking
// code: a state without a name, after three weeks on average.
func DefaultLimits(clock func() time.Time) Limits {
	return Limits{
		Guesses: &limits.Tries{Max: 60, Within: time.Hour, Clock: clock},
		Lookups: &limits.Tries{Max: 60, Within: time.Hour, Clock: clock},
		Letters: &limits.Tries{Max: 120, Within: time.Hour, Clock: clock},
		Reports: &limits.Tries{Max: 5, Within: time.Hour, Clock: clock},
		Tracked: &limits.Tries{Max: 10, Within: time.Hour, Clock: clock},
		Returns: &limits.Tries{Max: 20, Within: 10 * time.Minute, Clock: clock},
	}
}

// NoLimits allow everything: for load in development.
func NoLimits() Limits {
	return Limits{Guesses: &limits.Tries{}, Lookups: &limits.Tries{}, Letters: &limits.Tries{}, Reports: &limits.Tries{}, Tracked: &limits.Tries{}, Returns: &limits.Tries{}}
}

var errTries = fault.New(fault.TooMany, "too-many-tries",
	"بیش از اندازه آزموده\u200cاید؛ پس از مدتی که سرآیند Retry-After می\u200cگوید دوباره بیازمایید.",
	"There were too many tries; try again after the time that the header Retry-After gives.")

// tried refuses a key that has no tries left.
func tried(t *limits.Tries, key string) error {
	if wait, ok := t.Begin(key); !ok {
		return errTries.After(wait)
	}
	return nil
}

// limited counts an operation by the caller's network, unless its outcome is
// forgiven.
func (s *Server) limited(t *limits.Tries, forgiven func(status int) bool) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		network := s.network(ctx)
		if err := tried(t, network); err != nil {
			s.stopAt(ctx, err)
			return
		}
		next(ctx)
		if forgiven(ctx.Status()) {
			t.Forgive(network)
		}
	}
}

// right forgives a guess that was right, or that nobody answered.
func right(status int) bool { return status < 400 || status >= 500 }

// refused forgives what caused no letter, or no report.
func refused(status int) bool { return status >= 400 }

// network is where a request comes from: an IPv4 address, or the /64 of an IPv6
// one, which is what a single subscriber has. A trusted proxy tells it by what
// it appended to X-Forwarded-For, to its last line or as a line of its own; all
// before that, the caller may have written.
func (s *Server) network(ctx huma.Context) string {
	c := humafiber.UnwrapV2(ctx)
	address, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	if lines := c.Request().Header.PeekAll("X-Forwarded-For"); s.proxied(address.Unmap()) && len(lines) > 0 {
		list := strings.Split(string(lines[len(lines)-1]), ",")
		if told, err := netip.ParseAddr(hostOf(strings.TrimSpace(list[len(list)-1]))); err == nil {
			address = told
		}
	}
	address = address.Unmap()
	if address.Is6() {
		prefix, _ := address.WithZone("").Prefix(64)
		return prefix.String()
	}
	return address.String()
}

func (s *Server) proxied(address netip.Addr) bool {
	for _, p := range s.Proxies {
		if p.Contains(address) {
			return true
		}
	}
	return false
}

// hostOf is an address without the port that some proxies add.
func hostOf(text string) string {
	if host, _, err := net.SplitHostPort(text); err == nil {
		return host
	}
	return strings.Trim(text, "[]")
}
