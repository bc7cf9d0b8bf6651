package http

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"govahi/adapters/limits"
	"govahi/commands"
	"govahi/domain/enrollment"
)

// guessing declares an operation whose right answer is "right".
func guessing(s *Server) {
	op := Operation{ID: "guess", Method: "POST", Path: "/guess/{word}", Tag: "Things", Summary: "Guess", Limit: Guesses}
	Public(s, op, func(_ context.Context, in *struct {
		Word string `path:"word"`
	},
	) (Nothing, error) {
		if in.Word != "right" {
			return Nothing{}, enrollment.ErrEmailCode
		}
		return Nothing{}, nil
	})
	op = Operation{ID: "send", Method: "POST", Path: "/send/{word}", Tag: "Things", Summary: "Send", Limit: Letters}
	Command(s, op, func(_ context.Context, _ commands.Caller, in *struct {
		Word string `path:"word"`
	},
	) (commands.Receipt, Nothing, error) {
		if in.Word != "x" {
			return commands.Receipt{}, Nothing{}, enrollment.ErrNotFound
		}
		return commands.Receipt{}, Nothing{}, nil
	})
}

func threeAnHour(c *Config) {
	three := func() *limits.Tries { return &limits.Tries{Max: 3, Within: time.Hour, Clock: time.Now} }
	c.Limits = Limits{Guesses: three(), Lookups: three(), Letters: three(), Reports: three(), Tracked: three(), Returns: three()}
	c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

func TestWrongGuessesEndAndRightOnesAreFree(t *testing.T) {
	h := open(t, guessing, threeAnHour)
	for range 5 {
		if a := h.ask("POST", "/guess/right", ""); a.StatusCode != 200 {
			t.Fatalf("a right one: %d", a.StatusCode)
		}
	}
	for range 3 {
		if p := h.ask("POST", "/guess/wrong", "").problem(t); p.Code != "email-code-wrong" {
			t.Fatalf("a wrong one: %+v", p)
		}
	}
	for _, word := range []string{"wrong", "right"} {
		a := h.ask("POST", "/guess/"+word, "")
		seconds, _ := strconv.Atoi(a.Header.Get("Retry-After"))
		if p := a.problem(t); p.Status != 429 || p.Code != "too-many-tries" || seconds < 3500 || seconds > 3600 {
			t.Errorf("%s: %+v, Retry-After %q", word, p, a.Header.Get("Retry-After"))
		}
	}
}

// TestLettersCountEachTime, for each costs somebody something. What is refused
// causes none: nobody locks a whole office out by asking for what he may not.
func TestLettersCountEachTime(t *testing.T) {
	h := open(t, guessing, threeAnHour)
	for n := range 5 {
		if a := h.ask("POST", "/send/refused", "", h.commanding("applicant", fmt.Sprint("r", n))...); a.StatusCode != 404 {
			t.Errorf("refused %d: %d", n, a.StatusCode)
		}
	}
	for n := range 4 {
		want := 202
		if n == 3 {
			want = 429
		}
		if a := h.ask("POST", "/send/x", "", h.commanding("applicant", fmt.Sprint("k", n))...); a.StatusCode != want {
			t.Errorf("letter %d: %d", n, a.StatusCode)
		}
	}
	for range 5 { // who is not known costs nobody's tries
		if a := h.ask("POST", "/send/x", "", "X-Forwarded-For", "192.0.2.1"); a.StatusCode != 401 {
			t.Errorf("a stranger: %d", a.StatusCode)
		}
	}
	if a := h.ask("POST", "/send/x", "", append(h.commanding("applicant", "k"), "X-Forwarded-For", "192.0.2.1")...); a.StatusCode != 202 {
		t.Errorf("another network: %d", a.StatusCode)
	}
}

// TestANetworkIsWhatTheProxySays, not what the caller says.
func TestANetworkIsWhatTheProxySays(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string
		same          bool
	}{
		"another address":          {"192.0.2.1", "192.0.2.2", false},
		"invented by the caller":   {"192.0.2.1", "203.0.113.7, 192.0.2.1", true},
		"with a port":              {"192.0.2.1", "192.0.2.1:4711", true},
		"one subscriber's IPv6":    {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		"two subscribers' IPv6":    {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		"IPv4 in IPv6":             {"192.0.2.1", "::ffff:192.0.2.1", true},
		"IPv6 in brackets":         {"2001:db8::1", "[2001:db8::1]:80", true},
		"nonsense is the proxy":    {"nonsense", "other nonsense", true},
		"empty is the proxy, too":  {"", "nonsense", true},
		"another zone, same place": {"fe80::1%eth0", "fe80::1%eth1", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, guessing, threeAnHour)
			for range 3 {
				h.ask("POST", "/guess/wrong", "", "X-Forwarded-For", c.first)
			}
			if a := h.ask("POST", "/guess/wrong", "", "X-Forwarded-For", c.second); (a.StatusCode == 429) != c.same {
				t.Errorf("got %d", a.StatusCode)
			}
		})
	}
	h := open(t, guessing, threeAnHour, func(c *Config) { c.Proxies = nil })
	for n := range 4 {
		a := h.ask("POST", "/guess/wrong", "", "X-Forwarded-For", fmt.Sprint("192.0.2.", n))
		if (a.StatusCode == 429) != (n == 3) {
			t.Errorf("without a proxy, guess %d: %d", n, a.StatusCode)
		}
	}
}

// TestAProxyMayAddALineOfItsOwn instead of a word to the caller's line.
func TestAProxyMayAddALineOfItsOwn(t *testing.T) {
	h := open(t, guessing, threeAnHour)
	for n := range 4 {
		request, err := http.NewRequestWithContext(t.Context(), "POST", h.url+"/guess/wrong", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header["X-Forwarded-For"] = []string{fmt.Sprint("203.0.113.", n), "192.0.2.1"}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if (response.StatusCode == 429) != (n == 3) {
			t.Errorf("guess %d: %d", n, response.StatusCode)
		}
	}
}

func TestManyGuessesAtOnceAreCounted(t *testing.T) {
	h := open(t, guessing, threeAnHour)
	var wrong atomic.Int64
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if h.ask("POST", "/guess/wrong", "").StatusCode != 429 {
				wrong.Add(1)
			}
		})
	}
	all.Wait()
	if wrong.Load() != 3 {
		t.Errorf("%d guesses were answered", wrong.Load())
	}
}
