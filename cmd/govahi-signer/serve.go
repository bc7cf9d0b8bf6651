package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"govahi/adapters/eventstore"
	"govahi/adapters/signer"
	"govahi/adapters/token"
)

// exitLost tells the supervisor that the token was lost: start me again.
const exitLost = 3

// serve signs for the processes that reach the socket.
type serve struct {
	reach
	Socket      string `required:"" help:"Unix socket to listen on, for this user alone."`
	Log         string `required:"" help:"The event log: a Unix socket, or an esdb:// string."`
	Tethered    bool   `help:"Stop when standard input closes, as it does when the parent dies."`
	Development bool   `help:"Honour GOVAHI_CRASH, for tests of crashes."`
}

// Run serves until it is told to stop. The token is not closed at the end:
// SoftHSM 2.6.1 may crash in C_Finalize (pki.md §1, problem 8), and the end of a
// process closes everything.
func (s serve) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if s.Tethered {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	t, err := s.open()
	if err != nil {
		return err
	}
	log, err := eventstore.Open(s.Log)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	server, err := s.server(t, log)
	if err != nil {
		return err
	}
	listener, err := signer.Listen(s.Socket)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return signer.Serve(ctx, listener, server)
}

func (s serve) server(t *token.Token, log *eventstore.Log) (*signer.Server, error) {
	k, err := find(t)
	if err != nil {
		return nil, err
	}
	h := home(s.Dir)
	issuer, err := h.certificate(h.issuerFile())
	if err != nil {
		return nil, err
	}
	return signer.New(signer.Config{
		ID:     fmt.Sprintf("%s-%d", labelToken, os.Getpid()),
		Log:    log,
		Issuer: issuer,
		Keys: signer.Keys{
			CA: k.issuer, Responder: k.responder, Wrapping: k.wrapping, AtOnce: s.Sessions - 1, Lost: token.Lost,
		},
		Clock:       time.Now,
		Exit:        exit,
		Development: s.Development,
	})
}

// exit ends the process at once: whoever waits for an answer learns that the
// outcome is unknown, which is the truth.
func exit(err error) {
	slog.Error("the token is lost; exiting to be started again", "error", err)
	os.Exit(exitLost)
}
