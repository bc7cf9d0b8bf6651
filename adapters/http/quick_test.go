package http

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/event"
)

// knows is a house whose responder knows one certificate.
func knows(t *testing.T, change ...func(*Config)) (l *life, request []byte, run func()) {
	l = bare(t)
	const serial = "6701"
	proposed, err := certificate.Kind.Encode(t.Context(), nil, certificate.Kind.Stream(serial), event.Meta{CommandID: "issued"}, []event.Event{
		certificate.Issued{Serial: serial},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.log.Append(t.Context(), certificate.Kind.Stream(serial), event.NoStream, proposed...); err != nil {
		t.Fatal(err)
	}
	r := l.responder(t)
	l.open(t, House{Responder: pki.Responders{r}}, change...)
	der, err := ocsp.CreateRequest(l.ca.Certificate(), l.ca.Certificate(), nil)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := ocsp.ParseRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	asked.SerialNumber = serialOf(serial)
	if request, err = asked.Marshal(); err != nil {
		t.Fatal(err)
	}
	return l, request, func() {
		s := commands.NewStandings(l.log)
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		all.Go(func() { _ = s.Run(ctx) })
		all.Go(func() { _ = r.Run(ctx, Knowledge{s.Watch(l.ca.Issuer(), true)}) })
		t.Cleanup(func() { cancel(); all.Wait() })
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if _, ok := r.Ready(request); ok {
				return
			}
		}
		t.Fatal("no answer is at hand")
	}
}

// TestAnAnswerAtHandIsAsTheLongWaysOne compares both, header by header.
func TestAnAnswerAtHandIsAsTheLongWaysOne(t *testing.T) {
	var timed []string
	l, request, run := knows(t, func(c *Config) {
		c.Timed = func(operation string, _ int, _ time.Duration) { timed = append(timed, operation) }
	})
	path := "/pki/ocsp/" + url.PathEscape(base64.StdEncoding.EncodeToString(request))
	ask := func() []answer {
		return []answer{l.ask("GET", path, ""), l.ask("POST", "/pki/ocsp", string(request), "Content-Type", "application/ocsp-request")}
	}
	long := ask()
	run()
	quick := ask()
	if n := strings.Count(l.said(), "msg=request"); n != 2 {
		t.Errorf("%d went the long way", n)
	}
	for i := range long {
		s, err := ocsp.ParseResponse(quick[i].body, l.ca.Certificate())
		if err != nil || s.Status != ocsp.Good || quick[i].StatusCode != 200 {
			t.Fatalf("%d %v", quick[i].StatusCode, err)
		}
		for name := range long[i].Header {
			same := quick[i].Header.Get(name) == long[i].Header.Get(name)
			if !same && name != "Date" && name != "Expires" && name != "Etag" && name != "Last-Modified" || len(quick[i].Header.Values(name)) != 1 {
				t.Errorf("%s is %q, the long way %q", name, quick[i].Header.Values(name), long[i].Header.Get(name))
			}
		}
		if len(quick[i].Header) != len(long[i].Header) {
			t.Errorf("headers %v, the long way %v", quick[i].Header, long[i].Header)
		}
	}
	if got := strings.Join(timed, " "); got != "get-ocsp post-ocsp get-ocsp post-ocsp" {
		t.Errorf("timed %s", got)
	}
}

// TestOddRequestsGoTheLongWay: what the long way refuses is refused.
func TestOddRequestsGoTheLongWay(t *testing.T) {
	l, request, run := knows(t)
	run()
	path := "/pki/ocsp/" + url.PathEscape(base64.StdEncoding.EncodeToString(request))
	const kind = "application/ocsp-request"
	for name, c := range map[string]struct {
		a    answer
		want int
	}{
		"a query":           {l.ask("GET", path+"?a=b", ""), http.StatusBadRequest},
		"a coded body":      {l.ask("POST", "/pki/ocsp", string(request), "Content-Type", kind, "Content-Encoding", "gzip"), http.StatusBadRequest},
		"another type":      {l.ask("POST", "/pki/ocsp", string(request), "Content-Type", "text/plain"), http.StatusBadRequest},
		"two types":         {l.ask("POST", "/pki/ocsp", string(request), "Content-Type", kind, "Content-Type", "text/plain"), http.StatusBadRequest},
		"no such operation": {l.ask("PUT", "/pki/ocsp", string(request), "Content-Type", kind), http.StatusMethodNotAllowed},
		"a longer name":     {l.ask("GET", "/pki/ocspx", ""), http.StatusNotFound},
	} {
		if c.a.StatusCode != c.want {
			t.Errorf("%s: %d, not %d", name, c.a.StatusCode, c.want)
		}
	}
}
