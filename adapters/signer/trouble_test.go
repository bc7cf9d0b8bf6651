package signer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/pkcs11"

	"govahi/adapters/signer"
)

func TestLostTokenEndsTheProcess(t *testing.T) {
	h := newHouse(t, newMemory())
	stream, revision, tbs := h.intend(t, asIs)
	h.ca.fail = pkcs11.Error(pkcs11.CKR_SESSION_HANDLE_INVALID)
	_, _, err := h.client.SignCertificate(t.Context(), stream, revision, tbs, h.by.DER)
	if !errors.Is(err, signer.ErrToken) || errors.Is(err, signer.ErrUnavailable) {
		t.Errorf("begun, and got %v", err)
	}
	h.ca.fail = nil
	stream, revision, tbs = h.intend(t, asIs)
	_, _, err = h.client.SignCertificate(t.Context(), stream, revision, tbs, h.by.DER)
	if !errors.Is(err, signer.ErrToken) || !errors.Is(err, signer.ErrUnavailable) {
		t.Errorf("after the loss, and got %v", err)
	}
	if n := len(h.read(t, stream)); n != 1 {
		t.Errorf("began after the loss: %d events", n)
	}
	select {
	case err := <-h.exits:
		if !errors.Is(err, pkcs11.Error(pkcs11.CKR_SESSION_HANDLE_INVALID)) {
			t.Errorf("exit for %v", err)
		}
	default:
		t.Error("the process goes on")
	}
}

// TestFailingTokenIsTriedWithSomethingElseFirst: a failed signature costs its
// serial, so the next waits until the token works.
func TestFailingTokenIsTriedWithSomethingElseFirst(t *testing.T) {
	h := newHouse(t, newMemory())
	answers := &counting{Signer: hsm.responder}
	config := h.config("failing")
	config.Keys.Responder = answers
	s, err := signer.New(config)
	must(t, err)
	client := h.serve(t, s)
	h.ca.fail = pkcs11.Error(pkcs11.CKR_FUNCTION_FAILED)
	answers.fail = h.ca.fail
	stream, revision, tbs := h.intend(t, asIs)
	sign := func() error {
		_, _, err := client.SignCertificate(t.Context(), stream, revision, tbs, h.by.DER)
		return err
	}
	for range 3 {
		if err := sign(); !errors.Is(err, signer.ErrToken) || !errors.Is(err, signer.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	}
	if n := len(h.read(t, stream)); n != 1 || len(h.exits) != 0 {
		t.Errorf("%d events, %d exits", n, len(h.exits))
	}
	h.ca.fail, answers.fail = nil, nil
	must(t, sign())
}

// asked asks the server without a socket, for a bubble of time has none.
func asked(s *signer.Server, path string, q any) string {
	body, _ := json.Marshal(q)
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest("POST", path, bytes.NewReader(body)))
	var refusal struct{ Code string }
	_ = json.Unmarshal(answer.Body.Bytes(), &refusal)
	return refusal.Code
}

// TestHangingTokenHoldsNobodyForEver: who asks how the signer does hears of it
// within two seconds, who waits for a signature soon, and the process ends.
func TestHangingTokenHoldsNobodyForEver(t *testing.T) {
	h := newHouse(t, newMemory())
	synctest.Test(t, func(t *testing.T) {
		stuck := gate{hsm.responder, make(chan struct{})}
		defer close(stuck.open)
		exits := make(chan error, 1)
		config := h.config("hanging")
		config.Keys.Responder, config.Exit = stuck, func(err error) { exits <- err }
		s, err := signer.New(config)
		must(t, err)
		began := time.Now()
		if code := asked(s, "/info", struct{}{}); code != signer.ErrSlow.Code || time.Since(began) > 2*time.Second {
			t.Errorf("info: %q after %v", code, time.Since(began))
		}
		digest := map[string]any{"digest": make([]byte, 32), "hash": 5}
		if code := asked(s, "/responder", digest); code != signer.ErrToken.Code || time.Since(began) > 15*time.Second {
			t.Errorf("answer: %q after %v", code, time.Since(began))
		}
		if len(exits) != 1 {
			t.Error("the process goes on")
		}
	})
}

// TestFrontSaysWhyThereIsNoServer, and that nothing was begun.
func TestFrontSaysWhyThereIsNoServer(t *testing.T) {
	h := newHouse(t, newMemory())
	front := &signer.Front{}
	client := h.serve(t, front)
	for _, step := range []struct {
		do   func()
		want error
	}{
		{func() {}, signer.ErrToken},
		{func() { front.Refuse(signer.ErrPIN) }, signer.ErrPIN},
		{func() { front.Use(h.server) }, nil},
	} {
		step.do()
		err := client.Ready(t.Context())
		if !errors.Is(err, step.want) || (step.want != nil && !errors.Is(err, signer.ErrUnavailable)) {
			t.Errorf("got %v, want %v", err, step.want)
		}
	}
}

// TestAskingHowItDoesLeavesTheTokenToOthers: however many ask, one turn of the
// token at most is theirs.
func TestAskingHowItDoesLeavesTheTokenToOthers(t *testing.T) {
	h := newHouse(t, newMemory())
	synctest.Test(t, func(t *testing.T) {
		slow := gate{hsm.responder, make(chan struct{})}
		config := h.config("slow")
		config.Keys.Responder, config.Keys.AtOnce = slow, 2
		s, err := signer.New(config)
		must(t, err)
		for range 5 {
			if code := asked(s, "/info", struct{}{}); code != signer.ErrSlow.Code {
				t.Errorf("info: %q", code)
			}
		}
		if code := asked(s, "/wrap", map[string]any{"data": make([]byte, 32)}); code != "" {
			t.Errorf("wrap: %q", code)
		}
		close(slow.open)
		synctest.Wait()
		if code := asked(s, "/info", struct{}{}); code != "" {
			t.Errorf("info, later: %q", code)
		}
	})
}
