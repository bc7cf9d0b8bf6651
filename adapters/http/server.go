// Package http is the door: the command and query API, its OpenAPI document,
// the public answers of the certificate authority, and the pages.
//
// Each operation is declared by Command, Query, Public or one of their raw
// kin, which say who may ask. A route declared in any other way stops the
// program at its start.
package http

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"govahi/domain/event"
)

// Config is what the door needs of the house.
type Config struct {
	Version  string // of the program, for the OpenAPI document
	Verifier Verifier
	People   People
	Waiter   Waiter
	Head     func(context.Context) (event.Position, error) // of the log
	Health   Health
	Limits   Limits
	Proxies  []netip.Prefix // whose X-Forwarded-For is believed
	Log      *slog.Logger
	// Timed, if there is one, hears of every answer before it is sent: to which
	// operation, by its ID, or NoOperation.
	Timed func(operation string, status int, took time.Duration)
	// DevIssuer is served under /dev/oidc/; nil outside development mode.
	DevIssuer DevIssuer
	// DevBank is served under /dev/bank/; nil outside development mode.
	DevBank http.Handler
}

// Server is the door. Declare all operations before Serve.
type Server struct {
	Config
	app      *fiber.App
	api      huma.API
	streams  *hub
	declared map[string]bool // method and path
	document []byte          // the OpenAPI document, once all is declared
	status   quickly         // of certificates; nil where nobody answers
}

// The limits of one request.
const (
	bodyLimit   = 1 << 20          // bytes
	headerLimit = 16 << 10         // bytes; a national SSO's token is long
	readWithin  = 10 * time.Second // head and body
	writeWithin = time.Minute      // an answer, to who reads slowly
	idleWithin  = time.Minute
	doneWithin  = 30 * time.Second // fasthttp does not notice a caller who left
	stopWithin  = 2 * time.Second  // what is being answered, before all stops
)

// New opens the door with its own routes: health, the OpenAPI document and its
// page, and in development the issuer's documents.
func New(c Config) *Server {
	s := &Server{Config: c, streams: newHub(c.Waiter), declared: map[string]bool{}}
	s.app = fiber.New(fiber.Config{
		Immutable:             true, // else stored values change with the next request
		BodyLimit:             bodyLimit,
		ReadBufferSize:        headerLimit,
		ReadTimeout:           readWithin,
		WriteTimeout:          writeWithin,
		Concurrency:           connections(),
		IdleTimeout:           idleWithin,
		CaseSensitive:         true,
		StrictRouting:         true,
		DisableStartupMessage: true,
		ErrorHandler:          s.unread,
		// No operation takes a multipart form: it is refused like any other type.
		DisablePreParseMultipartForm: true,
	})
	s.app.Server().Handler = s.known(s.app.Server().Handler)
	s.app.Use(s.logged, s.refusing, headed, s.guarded, hardened, uncompressed, unrepeated)
	s.api = humafiber.NewV2(s.app, openAPI(c.Version))
	s.declareHealth()
	s.declareDocs()
	if c.DevIssuer != nil {
		s.declareDevIssuer()
	}
	if c.DevBank != nil {
		s.declareDevBank(c.DevBank)
	}
	return s
}

// Serve answers on the listener until the context ends; then it finishes what
// it is answering, for at most 2 s: all that stands behind it has to stop as well.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	s.seal()
	var waking sync.WaitGroup
	defer waking.Wait()
	defer s.streams.end()
	waking.Go(s.streams.run)
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { stopped <- s.stop(listener) })
	err := s.app.Listener(patient{listener})
	if stop() { // it ended by itself
		return err
	}
	return <-stopped
}

// stop also closes the listener itself: a shutdown that comes before the
// server began to listen would be forgotten. Streams would not end by themselves.
func (s *Server) stop(listener net.Listener) error {
	s.streams.end()
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	err := s.app.ShutdownWithContext(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // who still waits is cut off, as said
	}
	if closed := listener.Close(); closed != nil && !errors.Is(closed, net.ErrClosed) {
		err = errors.Join(err, closed)
	}
	return err
}

// seal ends the declarations: it panics over a route that bypassed them.
func (s *Server) seal() {
	for _, route := range s.app.GetRoutes(true) {
		if !s.declared[route.Method+" "+route.Path] {
			panic("http: " + route.Method + " " + route.Path + " was declared without saying who may ask")
		}
	}
	s.document = s.describeAll()
}
