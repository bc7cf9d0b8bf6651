package pki_test

import (
	"bytes"
	"context"
	"crypto"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"govahi/adapters/pki"
	"govahi/domain/certificate"
)

// knowledge is what a test says is known.
type knowledge struct {
	mu      sync.Mutex
	by      map[string]pki.Status
	old     bool
	changed []string
	wake    chan struct{}
}

func (k *knowledge) set(serial string, s pki.Status) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.by[serial], k.changed = s, append(k.changed, serial)
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *knowledge) Known(serial string) (pki.Status, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.by[serial]
	return s, ok && !k.old
}

func (k *knowledge) Serials() iter.Seq[string] {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Values(slices.Collect(maps.Keys(k.by)))
}

func (k *knowledge) Changes() <-chan struct{} { return k.wake }

func (k *knowledge) TakeChanges() (changed []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed, k.changed = k.changed, nil
	return changed
}

// knowing is a world in which answers are signed beforehand.
func knowing(t *testing.T) (*world, *knowledge) {
	w, k := newWorld(t), &knowledge{by: map[string]pki.Status{}, wake: make(chan struct{}, 1)}
	w.Use(w.delegate(t))
	k.by[w.serial] = pki.Status{State: pki.Good}
	ctx, cancel := context.WithCancel(context.Background())
	var over sync.WaitGroup
	over.Go(func() { _ = w.Run(ctx, k) })
	t.Cleanup(func() { cancel(); over.Wait() })
	return w, k
}

func (w *world) question(t *testing.T, h crypto.Hash) []byte {
	t.Helper()
	q, err := ocsp.CreateRequest(w.person, w.Certificate(), &ocsp.RequestOptions{Hash: h})
	must(t, err)
	return q
}

// ready waits for an answer that is at hand and says this.
func (w *world) ready(t *testing.T, h crypto.Hash, want int) *ocsp.Response {
	t.Helper()
	q := w.question(t, h)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		a, ok := w.Ready(q)
		if !ok {
			continue
		}
		r, err := ocsp.ParseResponseForCert(a.Body, w.person, w.Certificate())
		must(t, err)
		if r.Status == want && r.IssuerHash == h {
			return r
		}
	}
	t.Fatal("there is no answer")
	return nil
}

func TestAnswersAreSignedBeforeTheyAreAskedFor(t *testing.T) {
	w, k := knowing(t)
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		w.ready(t, h, ocsp.Good)
	}
	k.set(w.serial, pki.Status{State: pki.Revoked, Reason: certificate.CertificateHold, RevokedAt: w.now})
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		if r := w.ready(t, h, ocsp.Revoked); r.RevocationReason != ocsp.CertificateHold || !r.RevokedAt.Equal(w.now) {
			t.Errorf("%+v", r)
		}
	}
	if n := w.key.n.Load(); n != 4 {
		t.Errorf("%d signatures", n)
	}
}

func TestAnswersOfOldKnowledgeAreNotAtHand(t *testing.T) {
	w, k := knowing(t)
	w.ready(t, crypto.SHA256, ocsp.Good)
	k.mu.Lock()
	k.old = true
	k.mu.Unlock()
	if _, ok := w.Ready(w.question(t, crypto.SHA256)); ok {
		t.Error("what is known too little is answered")
	}
	w.book.set(w.serial, pki.Status{State: pki.Revoked, Reason: certificate.Superseded, RevokedAt: w.now}) // the log knows better
	if r, _ := w.ask(t, crypto.SHA256); r == nil || r.Status != ocsp.Revoked {
		t.Errorf("%+v", r)
	}
	w.book.mu.Lock()
	w.book.down = true
	w.book.mu.Unlock()
	if _, a := w.ask(t, crypto.SHA256); !bytes.Equal(a.Body, ocsp.TryLaterErrorResponse) {
		t.Errorf("with neither, the answer is %x", a.Body)
	}
}

func TestOnlyOrdinaryRequestsAreAnsweredAtOnce(t *testing.T) {
	w, _ := knowing(t)
	w.ready(t, crypto.SHA256, ocsp.Good)
	q := w.question(t, crypto.SHA256)
	for i := range q {
		wrong := slices.Clone(q)
		wrong[i] ^= 1
		if a, ok := w.Ready(wrong); ok {
			if _, err := ocsp.ParseRequest(wrong); err != nil || i < len(q)-30 {
				t.Errorf("byte %d changed: %x", i, a.Body[:8])
			}
		}
	}
	for n := range q {
		if _, ok := w.Ready(q[:n]); ok {
			t.Errorf("%d bytes are answered", n)
		}
	}
}
