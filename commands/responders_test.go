package commands_test

import (
	"crypto/x509"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/certificate"
)

// responder is the OCSP responder's key and what it is certified with.
func (h *house) responder(key []byte) *x509.Certificate {
	h.t.Helper()
	der, err := h.EnsureResponder(h.t.Context(), h.ca(), key)
	if err != nil {
		h.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func spki(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(otherKey(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (h *house) delegated() string {
	return state(h, certificate.Delegation, certificate.Delegation.Stream(h.Authority.Issuer())).Serial
}

func TestAResponderIsCertifiedOnce(t *testing.T) {
	h, key := empty(t), spki(t)
	first := h.responder(key)
	if err := first.CheckSignatureFrom(h.ca().Certificate()); err != nil || first.ExtKeyUsage[0] != x509.ExtKeyUsageOCSPSigning {
		t.Errorf("issued %v, %v", first.ExtKeyUsage, err)
	}
	before := h.head()
	for range 3 {
		if again := h.responder(key); !again.Equal(first) {
			t.Error("another certificate")
		}
		h.clock.pass(5 * 24 * time.Hour)
	}
	if h.head() != before {
		t.Error("something was recorded for a certificate that is good")
	}
	h.nothingUnrecorded()
}

func TestAResponderIsRenewedAWeekBeforeItsEnd(t *testing.T) {
	h, key := empty(t), spki(t)
	first := h.responder(key)
	h.clock.now = first.NotAfter.Add(-7*24*time.Hour - time.Second)
	if !h.responder(key).Equal(first) {
		t.Error("renewed too early")
	}
	h.clock.pass(2 * time.Second)
	second := h.responder(key)
	if second.Equal(first) || !second.NotAfter.After(first.NotAfter) {
		t.Error("not renewed in time")
	}
	if !h.responder(key).Equal(second) {
		t.Error("renewed twice")
	}
	h.nothingUnrecorded()
}

func TestAnotherKeyNeedsAnotherCertificate(t *testing.T) {
	h := empty(t)
	h.responder(spki(t))
	key := spki(t)
	c := h.responder(key)
	if got, err := x509.MarshalPKIXPublicKey(c.PublicKey); err != nil || string(got) != string(key) {
		t.Error("the certificate is of the old key: what the new one signs would not verify")
	}
}

func TestAnAttemptForTheResponderThatCrashedIsAbandoned(t *testing.T) {
	h, key := empty(t), spki(t)
	h.steps = func(string) { panic(errCut) }
	func() {
		defer func() { _ = recover() }()
		_, _ = h.EnsureResponder(t.Context(), h.ca(), key)
	}()
	h.steps = func(string) {}
	lost := h.delegated()
	if got := h.serial(lost).Status; got != certificate.Intended {
		t.Fatalf("the attempt is %s", got)
	}
	h.clock.pass(4 * time.Second) // until nobody can still be at work on it
	c := h.responder(key)
	if got := h.serial(lost); got.Status != certificate.Withdrawn || got.Reason != certificate.Superseded {
		t.Errorf("the attempt is %s", got.Status)
	}
	if h.delegated() == lost || h.serial(h.delegated()).Issued.NotAfter != c.NotAfter {
		t.Error("the stream names another serial")
	}
	h.nothingUnrecorded()
}

// TestAnotherProcessLeavesARunningAttemptAlone, and comes again: of two that
// start at once each would else abandon what the other is about to sign.
func TestAnotherProcessLeavesARunningAttemptAlone(t *testing.T) {
	h, key := empty(t), spki(t)
	met := 0
	h.steps = func(string) {
		met++
		if _, err := h.EnsureResponder(t.Context(), h.ca(), key); !errors.Is(err, commands.ErrAttemptRunning) {
			t.Errorf("the second was told %v", err)
		}
	}
	first := h.responder(key)
	if met != 1 || !h.responder(key).Equal(first) {
		t.Errorf("met %d times; another certificate: %v", met, !h.responder(key).Equal(first))
	}
	h.nothingUnrecorded()
}

// TestOneOfManyProcessesCertifiesTheResponder when all notice the need at once.
func TestOneOfManyProcessesCertifiesTheResponder(t *testing.T) {
	h, key := empty(t), spki(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := h.EnsureResponder(t.Context(), h.ca(), key)
			for errors.Is(err, commands.ErrAttemptRunning) {
				runtime.Gosched()
				_, err = h.EnsureResponder(t.Context(), h.ca(), key)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(h.all("delegation.attempted.v1")); n != 1 {
		t.Errorf("%d serials were taken", n)
	}
	h.nothingUnrecorded()
}

func TestASignerThatFailsAbandonsTheRespondersSerial(t *testing.T) {
	h, key := empty(t), spki(t)
	h.signer.fails, h.signer.after = errNoSigner, true
	if _, err := h.EnsureResponder(t.Context(), h.ca(), key); !errors.Is(err, errNoSigner) {
		t.Fatalf("got %v", err)
	}
	if got := h.serial(h.delegated()); got.Status != certificate.Withdrawn {
		t.Errorf("the serial is %s", got.Status)
	}
	h.signer.fails = nil
	h.responder(key)
	h.nothingUnrecorded()
}
