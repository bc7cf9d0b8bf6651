package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"govahi/adapters/cms"
	"govahi/adapters/eventstore"
	"govahi/adapters/pki/profiles"
	"govahi/adapters/signer"
	"govahi/adapters/token"
)

// lost tells the supervisor that the token was lost: start me again.
type lost struct{ error }

// ExitCode is the process's, by which the loss is told from other ends.
func (lost) ExitCode() int { return 3 }

// garbagePercent has the process collect its garbage seldom: it lives on a few
// megabytes, and would else collect all the time while it signs.
const garbagePercent = 400

// serve signs for the processes that reach the socket.
type serve struct {
	reach
	Socket      string `required:"" help:"Unix socket to listen on, for this user alone."`
	Log         string `required:"" env:"GOVAHI_LOG" help:"The event log: a Unix socket, or an esdb:// string."`
	Profiles    string `type:"path" env:"GOVAHI_PROFILES" help:"Directory of certificate profiles, the same as the house's; those that come with the program if empty."`
	Tethered    bool   `help:"Stop when standard input closes, as it does when the parent dies."`
	Development bool   `help:"Honour GOVAHI_CRASH, for tests of crashes."`
}

// Run serves until it is told to stop. The token is not closed at the end:
// SoftHSM 2.6.1 may crash in C_Finalize (pki.md §1, problem 8), and the end of a
// process closes everything.
func (s serve) Run() error {
	debug.SetGCPercent(garbagePercent)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if s.Tethered {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	log, err := eventstore.Open(s.Log)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	listener, err := signer.Listen(s.Socket)
	if err != nil {
		return err
	}
	// From here the socket answers, if only that there is no token and why. Who
	// asks learns of a loss before the process ends.
	working, end := context.WithCancelCause(ctx)
	front := &signer.Front{}
	go s.begin(working, front, log, end)
	if err := signer.Serve(working, listener, front); err != nil || ctx.Err() != nil {
		return err
	}
	return context.Cause(working)
}

// begin has the front answer as soon as the token is open.
func (s serve) begin(ctx context.Context, front *signer.Front, log *eventstore.Log, end func(error)) {
	k, err := s.patiently(ctx, front)
	if err != nil {
		end(err)
		return
	}
	server, err := s.server(k, log, func(err error) { end(lost{fmt.Errorf("the token is lost: %w", err)}) })
	if err != nil {
		end(err)
		return
	}
	front.Use(server)
	fmt.Println("ready")
}

func (s serve) server(k keys, log *eventstore.Log, exit func(error)) (*signer.Server, error) {
	set, err := profiles.Load(s.Profiles)
	if err != nil {
		return nil, err
	}
	issuers, err := issuersOf(home(s.Dir), k)
	if err != nil {
		return nil, err
	}
	return signer.New(signer.Config{
		ID:      fmt.Sprintf("%s-%d", labelToken, os.Getpid()),
		Log:     log,
		Issuers: issuers, Profiles: set,
		Keys: signer.Keys{
			Responder: k.responder, Wrapping: k.wrapping, AtOnce: s.Sessions - 1, Lost: token.Lost,
		},
		Signatures:  cms.Verifier{},
		Clock:       time.Now,
		Exit:        exit,
		Development: s.Development,
	})
}

// issuersOf are the issuers of a CA's directory with their keys.
func issuersOf(h home, k keys) ([]signer.Issuer, error) {
	seats, err := h.seats()
	if err != nil {
		return nil, err
	}
	if len(seats) > len(k.issuers) {
		return nil, errors.New("an issuer's certificate came while the token was opened: start again")
	}
	var all []signer.Issuer
	for i, s := range seats {
		certificate, err := s.certificate(s.issuerFile())
		if err != nil {
			return nil, err
		}
		ended, err := s.ended()
		if err != nil {
			return nil, err
		}
		one := signer.Issuer{Certificate: certificate, Ended: ended}
		if k.issuers[i] != nil {
			one.Key = k.issuers[i]
		}
		all = append(all, one)
	}
	return all, nil
}
