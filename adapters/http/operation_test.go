package http

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"

	"govahi/commands"
)

func TestACommandKnowsItsCallerAndSaysItsPosition(t *testing.T) {
	h := open(t, things)
	a := h.ask("POST", "/things/7", `{"name":"anvil","count":1}`, h.commanding("applicant", "key-1")...)
	if a.StatusCode != 201 || a.Header.Get("Govahi-Position") != "42" {
		t.Fatalf("%d, position %q: %s", a.StatusCode, a.Header.Get("Govahi-Position"), a.body)
	}
	var got thingAnswer
	a.json(t, &got)
	if got.Person != "person-9098" || got.Key != "key-1" || got.Thing.Name != "anvil" {
		t.Fatalf("got %+v", got)
	}
	if strings.Contains(string(a.body), "$schema") || a.Header.Get("Link") != "" {
		t.Error("huma's schema link is in the answer")
	}
}

func TestACommandWithoutStatusIsAccepted(t *testing.T) {
	h := open(t, func(s *Server) {
		Command(s, Operation{ID: "do", Method: "POST", Path: "/do"},
			func(context.Context, commands.Caller, *struct{}) (commands.Receipt, Nothing, error) {
				return commands.Receipt{}, Nothing{}, nil
			})
	})
	if a := h.ask("POST", "/do", "", h.commanding("applicant", "k")...); a.StatusCode != 202 || string(a.body) != "{}\n" {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
}

func TestACommandNeedsItsKey(t *testing.T) {
	h := open(t, things)
	for name, key := range map[string]string{
		"none": "", "with a space": "a b", "Persian": "کلید", "too long": strings.Repeat("k", 129),
	} {
		a := h.ask("POST", "/things/7", `{"name":"anvil","count":1}`, h.commanding("applicant", key)...)
		if p := a.problem(t); p.Status != 400 || p.Code != "idempotency-key-missing" || p.Field != "Idempotency-Key" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	a := h.ask("POST", "/things/7", `{"name":"anvil","count":1}`, h.commanding("applicant", strings.Repeat("k", 128))...)
	if a.StatusCode != 201 {
		t.Errorf("the longest key: %s", a.body)
	}
}

func TestAQueryKnowsItsCaller(t *testing.T) {
	h := open(t, things)
	var got thingAnswer
	h.ask("GET", "/things/7?limit=3", "", h.as("officer-1")...).json(t, &got)
	if got.Person != "person-5051" || got.Key != "7" {
		t.Fatalf("got %+v", got)
	}
}

func TestAfterWaitsForTheView(t *testing.T) {
	h := open(t, things)
	for query, want := range map[string]string{
		"after=100": "", "after=101": "view-behind", "after=200": "view-behind", "after=201": "position-ahead", "after=1x": "position-invalid", "after=-1": "position-invalid",
	} {
		a := h.ask("GET", "/things/7?"+query, "", h.as("officer-1")...)
		if want == "" {
			if a.StatusCode != 200 {
				t.Errorf("%s: %s", query, a.body)
			}
			continue
		}
		if p := a.problem(t); p.Code != want {
			t.Errorf("%s: %+v", query, p)
		}
	}
}

func TestNobodyWaitsForARefusal(t *testing.T) {
	h := open(t, things)
	if p := h.ask("GET", "/things/7?after=101&limit=51", "", h.as("officer-1")...).problem(t); p.Field != "limit" {
		t.Fatalf("got %+v", p)
	}
}

func TestMistypedQueryParametersAreRefused(t *testing.T) {
	h := open(t, things)
	p := h.ask("GET", "/things/7?limits=3", "", h.as("officer-1")...).problem(t)
	if p.Status != 400 || p.Code != "field-unknown" || p.Field != "*" || !strings.Contains(p.Detail, "after, limit") {
		t.Fatalf("got %+v", p)
	}
}

func TestRawAnswers(t *testing.T) {
	h := open(t, func(s *Server) {
		crl := Operation{ID: "get-crl", Method: "GET", Path: "/crl", Type: "application/pkix-crl"}
		PublicRaw(s, crl, func(context.Context, *struct{}) (Raw, error) {
			return Raw{Body: []byte{0x30, 0}, Cache: "public, max-age=60", Header: map[string]string{"ETag": `"7"`}}, nil
		})
		ocsp := Operation{ID: "ask-ocsp", Method: "POST", Path: "/ocsp", Type: "application/ocsp-response"}
		PublicRaw(s, ocsp, func(_ context.Context, in *struct {
			RawBody []byte `contentType:"application/ocsp-request"`
		},
		) (Raw, error) {
			return Raw{Body: append([]byte("re:"), in.RawBody...)}, nil
		})
		get := Operation{ID: "get-ocsp", Method: "GET", Path: "/ocsp/*", Type: "application/ocsp-response"}
		PublicRaw(s, get, func(_ context.Context, in *struct {
			Request string `path:"*"`
		},
		) (Raw, error) {
			return Raw{Body: []byte(in.Request)}, nil
		})
		mine := Operation{ID: "get-mine", Method: "GET", Path: "/mine", Type: "text/plain"}
		QueryRaw(s, mine, func(_ context.Context, i Identity, _ *struct{}) (Raw, error) {
			return Raw{Body: []byte(i.Person), Status: 203}, nil
		})
	})
	a := h.ask("GET", "/crl", "")
	if a.Header.Get("Content-Type") != "application/pkix-crl" || a.Header.Get("ETag") != `"7"` ||
		a.Header.Get("Cache-Control") != "public, max-age=60" || string(a.body) != "0\x00" {
		t.Errorf("CRL: %v %q", a.Header, a.body)
	}
	if a := h.ask("POST", "/ocsp", "\x30\x01", "Content-Type", "application/ocsp-request"); string(a.body) != "re:\x30\x01" {
		t.Errorf("OCSP: %d %q", a.StatusCode, a.body)
	}
	if a := h.ask("GET", "/ocsp/MEIw//+a=", ""); string(a.body) != "MEIw//+a=" {
		t.Errorf("OCSP by GET: %d %q", a.StatusCode, a.body)
	}
	if a := h.ask("GET", "/mine", "", h.as("applicant")...); a.StatusCode != 203 || string(a.body) != "person-9098" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("mine: %d %v %q", a.StatusCode, a.Header, a.body)
	}
	if a := h.ask("GET", "/mine", ""); a.StatusCode != 401 {
		t.Errorf("mine without a token: %d", a.StatusCode)
	}
}

func TestARawOperationMustSayItsType(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was declared")
		}
	}()
	PublicRaw(New(Config{}), Operation{ID: "x", Method: "GET", Path: "/x"}, func(context.Context, *struct{}) (Raw, error) { return Raw{}, nil })
}

func TestARouteThatBypassesTheDeclarationsStopsTheStart(t *testing.T) {
	for name, bypass := range map[string]func(*Server){
		"through huma": func(s *Server) {
			huma.Register(s.api, huma.Operation{Method: "GET", Path: "/back", OperationID: "back"},
				func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
		},
		"through Fiber": func(s *Server) { s.app.Get("/back", func(*fiber.Ctx) error { return nil }) },
	} {
		t.Run(name, func(t *testing.T) {
			s := New(Config{})
			bypass(s)
			defer func() {
				if value, _ := recover().(string); !strings.Contains(value, "/back") {
					t.Errorf("got %q", value)
				}
			}()
			s.seal()
		})
	}
}

func TestValuesOutliveTheirRequest(t *testing.T) {
	var kept []string
	h := open(t, func(s *Server) {
		Public(s, Operation{ID: "keep", Method: "GET", Path: "/keep/{name}"}, func(_ context.Context, in *struct {
			Name string `path:"name"`
		},
		) (Nothing, error) {
			kept = append(kept, in.Name)
			return Nothing{}, nil
		})
	})
	for _, name := range []string{"first", "other", "third"} {
		h.ask("GET", "/keep/"+name, "")
	}
	if strings.Join(kept, " ") != "first other third" {
		t.Fatalf("kept %q", kept)
	}
}

func TestEveryAnswerIsHardened(t *testing.T) {
	h := open(t, things)
	for _, path := range []string{"/health/live", "/nowhere", "/things/1"} {
		a := h.ask("GET", path, "")
		if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Content-Security-Policy") == "" ||
			a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Server") != "" {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
}

func TestServeEndsWithWhatItIsAnswering(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	h := open(t, func(s *Server) {
		Public(s, Operation{ID: "slow", Method: "GET", Path: "/slow"}, func(context.Context, *struct{}) (Nothing, error) {
			close(entered)
			<-release
			return Nothing{}, nil
		})
	})
	status := make(chan int, 1)
	go func() {
		response, err := http.Get(h.url + "/slow")
		if err != nil {
			status <- 0
			return
		}
		response.Body.Close()
		status <- response.StatusCode
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- h.stop() }()
	for refused := false; !refused; { // until the listener is closed
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(h.url + "/health/live")
		if refused = err != nil; !refused {
			response.Body.Close()
		}
	}
	close(release)
	if got := <-status; got != 200 {
		t.Errorf("the answer under way was cut off: %d", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestWhoDoesNotReadHisAnswerIsLeft: else each such caller keeps a connection,
// and what he asked for in memory, as long as he likes.
func TestWhoDoesNotReadHisAnswerIsLeft(t *testing.T) {
	h := open(t, func(s *Server) {
		PublicRaw(s, Operation{ID: "get-much", Method: "GET", Path: "/much", Type: "text/plain"}, func(context.Context, *struct{}) (Raw, error) {
			return Raw{Body: make([]byte, 64<<20)}, nil // more than the sockets take
		})
		own := s.app.Server()
		own.WriteTimeout = min(own.WriteTimeout, 100*time.Millisecond) // as it is, but sooner
	})
	conn := h.dial()
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /much HTTP/1.1\r\nHost: h\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); h.app.Server().GetOpenConnectionsCount() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the server still holds the connection")
		}
	}
}

func TestEveryAnswerIsTimedOnceByItsOperation(t *testing.T) {
	var mu sync.Mutex
	heard := map[string]int{}
	timed := func(operation string, status int, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if took < 0 || took > time.Minute {
			t.Errorf("%s took %v", operation, took)
		}
		heard[fmt.Sprint(operation, " ", status)]++
	}
	h := open(t, things, func(c *Config) { c.Timed = timed })
	for range 2 {
		h.ask("POST", "/things/7", `{"name":"anvil","count":1}`, h.commanding("applicant", "key-1")...)
	}
	h.ask("POST", "/things/7", `{"name":`, h.commanding("applicant", "key-2")...)
	h.ask("POST", "/things/7", `{}`)
	h.ask("GET", "/things/9992009098", "", h.as("applicant")...)
	h.ask("HEAD", "/health/live", "")
	h.ask("GET", "/nowhere", "")
	h.ask("BREW", "/things/7", "")
	mu.Lock()
	defer mu.Unlock()
	want := map[string]int{
		"make-thing 201": 2, "make-thing 400": 1, "make-thing 401": 1, "get-thing 200": 1, "get-live 204": 1, "none 404": 1, "none 405": 1,
	}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Error(diff)
	}
}
