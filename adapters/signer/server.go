// Package signer is the signing process, from both ends: a Server that holds
// the CA's token and signs what the log says was intended, once, and nothing
// else (pki.md §5.3), and a Client for everybody else.
package signer

import (
	"context"
	"crypto"
	"crypto/x509"
	"net/http"
	"sync/atomic"
	"time"

	"govahi/commands"
	"govahi/commands/kept"
	"govahi/domain/event"
	"govahi/domain/profile"
)

// Keys are the keys on the token.
type Keys struct {
	Responder crypto.Signer // of the OCSP responder
	Wrapping  Wrapping
	AtOnce    int              // how many operations the token does side by side
	Lost      func(error) bool // whether only a new process will reach the token again
}

// Wrapping encrypts 32-byte keys under one that stays on the token.
type Wrapping interface {
	Wrap(plain []byte) ([]byte, error)
	Unwrap(wrapped []byte) ([]byte, error)
}

// Signatures verifies what an officer signed: over the statement, by the key of
// the certificate, DER.
type Signatures interface {
	Check(signature, statement, certificate []byte) error
}

// Config is what a Server works with.
type Config struct {
	ID          string // of this process, for SigningStarted
	Log         event.Log
	Issuers     []Issuer    // the first came first
	Profiles    profile.Set // its own, whatever the caller's say
	Keys        Keys
	Signatures  Signatures // verifies those of officers
	Clock       func() time.Time
	Exit        func(error) // has the process end, once; called when the token is lost
	Development bool        // honours GOVAHI_CRASH
}

// Server signs what is recorded.
type Server struct {
	Config
	issuers  map[string]by
	kept     *kept.Streams // what many signatures rest on
	officers officers
	places   slots // of signatures announced and not finished
	turns    slots // of operations on the token
	probes   slots // of operations that only ask how it does
	failing  atomic.Bool
	lost     atomic.Bool
	routes   *http.ServeMux
}

// New checks that the keys on the token are those that the issuers' certificates
// name.
func New(c Config) (*Server, error) {
	issuers, err := issuersOf(c.Issuers)
	if err != nil {
		return nil, err
	}
	atOnce := max(1, c.Keys.AtOnce)
	s := &Server{Config: c, issuers: issuers, kept: commands.NewStanding(c.Log), places: make(slots, announced*atOnce), turns: make(slots, atOnce), probes: make(slots, 1)}
	s.failing.Store(true) // nothing is known of the token yet: the first signature comes after a probe
	s.routes = http.NewServeMux()
	s.routes.HandleFunc("POST /certificate", answer(s.signCertificate))
	s.routes.HandleFunc("POST /crl", s.signCRL)
	s.routes.HandleFunc("POST /responder", answer(s.signAnswer))
	s.routes.HandleFunc("POST /wrap", answer(s.wrap))
	s.routes.HandleFunc("POST /unwrap", answer(s.unwrap))
	s.routes.HandleFunc("POST /info", answer(s.info))
	return s, nil
}

// ServeHTTP answers a Client.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.routes.ServeHTTP(w, r) }

func (s *Server) signAnswer(ctx context.Context, q digestRequest) (bytesReply, error) {
	hash := crypto.Hash(q.Hash)
	if !hash.Available() || len(q.Digest) != hash.Size() {
		return bytesReply{}, ErrDigest
	}
	out, err := s.token(ctx, func() ([]byte, error) { return s.Keys.Responder.Sign(nil, q.Digest, hash) })
	return bytesReply{out}, err
}

func (s *Server) wrap(ctx context.Context, q bytesRequest) (bytesReply, error) {
	out, err := s.token(ctx, func() ([]byte, error) { return s.Keys.Wrapping.Wrap(q.Data) })
	return bytesReply{out}, err
}

func (s *Server) unwrap(ctx context.Context, q bytesRequest) (bytesReply, error) {
	out, err := s.token(ctx, func() ([]byte, error) { return s.Keys.Wrapping.Unwrap(q.Data) })
	return bytesReply{out}, err
}

// info answers only if the token works.
func (s *Server) info(ctx context.Context, _ struct{}) (infoReply, error) {
	if err := s.probe(ctx, infoWithin); err != nil {
		return infoReply{}, untried(err)
	}
	responder, err := x509.MarshalPKIXPublicKey(s.Keys.Responder.Public())
	reply := infoReply{Signer: s.ID, ResponderKey: responder}
	for _, i := range s.Issuers {
		reply.Issuers = append(reply.Issuers, i.Certificate.Raw)
	}
	return reply, err
}
