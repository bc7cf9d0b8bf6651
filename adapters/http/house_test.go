package http

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"govahi/adapters/sso"
	"govahi/commands"
	"govahi/domain/event"
	"govahi/domain/fault"
)

// house is a server on a real listener, with what it needs of the world.
type house struct {
	*Server
	t      testing.TB
	url    string
	issuer *sso.Issuer
	log    *bytes.Buffer
	stop   func() error
}

// open starts a house; declare adds the operations of the test.
func open(t testing.TB, declare func(*Server), change ...func(*Config)) *house {
	t.Helper()
	c := sso.Config{Issuer: "http://localhost/dev/oidc", Audience: "govahi", Clock: time.Now}
	issuer, err := sso.NewIssuer(sso.Development, t.TempDir(), c)
	if err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	config := Config{
		Version: "1.2.3", Verifier: sso.Static(c, issuer.PublicKey()), People: &people{}, Waiter: waiter{},
		Head: func(context.Context) (event.Position, error) { return logEnd, nil }, Health: healthy{}, Limits: NoLimits(), Log: slog.New(slog.NewTextHandler(&locked{w: log}, nil)), DevIssuer: issuer,
	}
	for _, f := range change {
		f(&config)
	}
	h := &house{Server: New(config), t: t, issuer: issuer, log: log}
	declare(h.Server)
	h.serve()
	return h
}

func (h *house) serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.url = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, listener) }()
	h.stop = sync.OnceValue(func() error { cancel(); return <-served })
	h.t.Cleanup(func() {
		if err := h.stop(); err != nil {
			h.t.Error("stopping:", err)
		}
	})
}

// said is the log so far; the server must have stopped.
func (h *house) said() string {
	if err := h.stop(); err != nil {
		h.t.Error(err)
	}
	return h.log.String()
}

// answer is a whole response.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) json(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
}

func (a answer) problem(t testing.TB) Problem {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != problemType {
		t.Fatalf("%d %s: %s", a.StatusCode, got, a.body)
	}
	var p Problem
	a.json(t, &p)
	return p
}

// ask sends a request; headers come in pairs.
func (h *house) ask(method, path, body string, headers ...string) answer {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	var all io.Reader = response.Body
	if response.Header.Get("Content-Type") == streamType {
		all = io.LimitReader(all, int64(len(comeBack))) // it begins, and would not end
	}
	read, err := io.ReadAll(all)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{response, read}
}

// as is the header of a persona's token.
func (h *house) as(persona string) []string {
	h.t.Helper()
	if _, word := beside[persona]; word {
		return []string{"Authorization", "Bearer " + persona}
	}
	token, err := h.issuer.Token(persona, time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + token}
}

// commanding is the headers of a command.
func (h *house) commanding(persona, key string) []string {
	return append(h.as(persona), "Idempotency-Key", key)
}

type locked struct {
	sync.Mutex
	w io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.w.Write(p)
}

// people gives out the code's last digits as a pseudonym.
type people struct{}

func (*people) Person(_ context.Context, code string) (event.Subject, error) {
	return event.Subject("person-" + code[6:]), nil
}

// waiter shows positions up to 100; what is beyond never comes, though the log
// ends later.
type waiter struct{}

const logEnd = 200

func (waiter) Wait(_ context.Context, projection string, p event.Position) error {
	if projection != "things" {
		return fault.New(fault.Internal, "which-view", "", "")
	}
	if p > 100 {
		return context.DeadlineExceeded
	}
	return nil
}

func (waiter) Next() <-chan struct{} { return nil }

func (waiter) Heard(...string) uint64 { return 0 }

func (waiter) Position(context.Context, ...string) (event.Position, error) { return 100, nil }

type healthy []Part

func (h healthy) Parts(context.Context) []Part { return h }

// thing is what the tests' operations are about.
type thing struct {
	Name  string   `json:"name" minLength:"2" maxLength:"10"`
	Count int      `json:"count" minimum:"1"`
	Kind  string   `json:"kind,omitempty" enum:"red,green"`
	Parts []detail `json:"parts,omitempty"`
}

type detail struct {
	Code string `json:"code" pattern:"^[a-z]+$" example:"abc"`
}

type thingAnswer struct {
	Person event.Subject `json:"person"`
	Key    string        `json:"key"`
	Thing  thing         `json:"thing"`
}

type makeThing struct {
	ID   string `path:"id"`
	Body thing
}

var makeOperation = Operation{
	ID: "make-thing", Method: "POST", Path: "/things/{id}", Tag: "Things", Summary: "Make a thing", Status: 201,
}

// things declares a command that echoes, and a query.
func things(s *Server) {
	Command(s, makeOperation, func(_ context.Context, c commands.Caller, in *makeThing) (commands.Receipt, thingAnswer, error) {
		return commands.Receipt{Position: 42}, thingAnswer{c.Person, c.Key, in.Body}, nil
	})
	get := Operation{ID: "get-thing", Method: "GET", Path: "/things/{id}", Tag: "Things", View: "things", Summary: "See a thing"}
	Query(s, get, func(_ context.Context, i Identity, in *struct {
		ID    string `path:"id"`
		Limit int    `query:"limit" maximum:"50"`
	},
	) (thingAnswer, error) {
		return thingAnswer{Person: i.Person, Key: in.ID}, nil
	})
}

// failing declares a public operation that ends in an error, or worse.
func failing(do func() error) func(*Server) {
	return func(s *Server) {
		op := Operation{ID: "fail", Method: "GET", Path: "/fail/{secret}"}
		Public(s, op, func(context.Context, *struct {
			Secret string `path:"secret"`
		},
		) (Nothing, error) {
			return Nothing{}, do()
		})
	}
}
