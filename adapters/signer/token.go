package signer

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"govahi/domain/fault"
)

// announced is how many signatures may be recorded as started for each that the
// token does at a time: enough that the log can write several starts in one go,
// few enough that none waits long for the token.
const announced = 8

const (
	hungAfter  = 10 * time.Second        // an operation that takes longer will not end
	infoWithin = 1500 * time.Millisecond // a token that takes longer, or its queue, is worth a word to operators
)

var errHung = errors.New("signer: an operation on the token does not end")

// slots is a number of places to be taken in turn.
type slots chan struct{}

// take waits for a place, as long as the caller does.
func (s slots) take(ctx context.Context) (leave func(), err error) {
	select {
	case s <- struct{}{}:
		return func() { <-s }, nil
	case <-ctx.Done():
		return nil, ErrBusy
	}
}

type outcome struct {
	out []byte
	err error
}

// token does something on the token, in turn. A caller may give up waiting; the
// operation cannot be stopped, and keeps its turn until it ends.
func (s *Server) token(ctx context.Context, do func() ([]byte, error)) ([]byte, error) {
	leave, err := s.turns.take(ctx)
	if err != nil {
		return nil, err
	}
	done := make(chan outcome, 2)
	go func() {
		defer leave()
		watch := time.AfterFunc(hungAfter, func() { done <- outcome{nil, s.checked(errHung)} })
		defer watch.Stop()
		out, err := do()
		done <- outcome{out, s.checked(err)}
	}()
	select {
	case o := <-done:
		return o.out, o.err
	case <-ctx.Done():
		return nil, ErrSlow
	}
}

// checked tells the token's failures from refusals, and ends the process when
// the token is lost: crypto11 would fail for ever, and a new process is the one
// recovery that always works (pki.md §1).
func (s *Server) checked(err error) error {
	if _, refused := fault.Of(err); err == nil || refused {
		s.failing.Store(false)
		return err
	}
	s.failing.Store(true)
	slog.Warn("signer: the token fails", "error", err)
	if (errors.Is(err, errHung) || s.Keys.Lost(err)) && !s.lost.Swap(true) {
		s.Exit(err)
	}
	return errors.Join(ErrToken, err)
}

// works keeps signatures from being begun on a token that failed last: each
// would cost a serial.
func (s *Server) works(ctx context.Context) error {
	switch {
	case s.lost.Load():
		return untried(ErrToken)
	case !s.failing.Load():
		return nil
	}
	if err := s.probe(ctx, hungAfter); err != nil {
		return untried(err)
	}
	return nil
}

// probe has the token sign something meaningless, with the responder's key: the
// CA's signs nothing but what was intended. One probe at a time is enough, and
// leaves a slow token to who has work for it.
func (s *Server) probe(ctx context.Context, within time.Duration) error {
	limit, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	leave, err := s.probes.take(limit)
	if err != nil {
		return ErrSlow
	}
	nonce := make([]byte, crypto.SHA256.Size())
	_, _ = rand.Read(nonce) // never fails
	_, err = s.token(limit, func() ([]byte, error) {
		defer leave()
		return s.Keys.Responder.Sign(nil, nonce, crypto.SHA256)
	})
	if errors.Is(err, ErrBusy) { // it got no turn
		leave()
		return ErrSlow
	}
	return err
}
