package pki_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"govahi/adapters/pki"
	"govahi/domain/certificate"
	"govahi/domain/fault"
)

// book is the log's word on serials.
type book struct {
	mu   sync.Mutex // for the race detector: it does not see that openssl has ended
	by   map[string]pki.Status
	down bool
}

func (b *book) set(serial string, s pki.Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.by[serial] = s
}

func (b *book) Status(_ context.Context, serial string) (pki.Status, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return pki.Status{}, errors.New("down")
	}
	return b.by[serial], nil
}

// counting counts signatures.
type counting struct {
	crypto.Signer
	n    atomic.Int64
	fail error
}

func (c *counting) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if c.fail != nil {
		return nil, c.fail
	}
	c.n.Add(1)
	return c.Signer.Sign(r, digest, o)
}

type world struct {
	ca
	*pki.Responder
	book   *book
	key    *counting
	person *x509.Certificate
	serial string
	clock  time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{ca: newCA(t, p256(t)), book: &book{by: map[string]pki.Status{}}, key: &counting{Signer: p256(t)}}
	w.clock = w.now
	draft := w.draft(t, form(), request(t, p256(t)))
	p, err := w.Prepare(draft)
	must(t, err)
	w.serial = draft.Serial
	w.person, err = x509.ParseCertificate(w.issue(t, p.TBS))
	must(t, err)
	w.file(t, "person.pem", pemOf("CERTIFICATE", w.person.Raw))
	w.Responder, err = pki.NewResponder(w.Certificate(), w.key, w.book, func() time.Time { return w.clock })
	must(t, err)
	return w
}

func (w *world) delegate(t *testing.T) *x509.Certificate {
	t.Helper()
	serial, err := w.NewSerial(time.Now())
	must(t, err)
	spki, err := x509.MarshalPKIXPublicKey(w.key.Public().(*ecdsa.PublicKey))
	must(t, err)
	p, err := w.PrepareResponder(serial, spki, w.now)
	must(t, err)
	c, err := x509.ParseCertificate(w.issue(t, p.TBS))
	must(t, err)
	return c
}

func (w *world) ask(t *testing.T, h crypto.Hash) (*ocsp.Response, pki.Answer) {
	t.Helper()
	q, err := ocsp.CreateRequest(w.person, w.Certificate(), &ocsp.RequestOptions{Hash: h})
	must(t, err)
	a := w.Answer(t.Context(), q)
	r, err := ocsp.ParseResponseForCert(a.Body, w.person, w.Certificate())
	if err != nil {
		return nil, a
	}
	return r, a
}

func TestOCSPSaysWhatTheLogSays(t *testing.T) {
	w := newWorld(t)
	w.Use(w.delegate(t))
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		w.book.set(w.serial, pki.Status{})
		if r, a := w.ask(t, h); r != nil || !bytes.Equal(a.Body, ocsp.UnauthorizedErrorResponse) || a.ETag != "" {
			t.Errorf("unknown serial: %+v", r)
		}
		w.book.set(w.serial, pki.Status{State: pki.Good})
		r, a := w.ask(t, h)
		if r == nil || r.Status != ocsp.Good || r.IssuerHash != h {
			t.Fatalf("good: %+v", r)
		}
		if a.MaxAge != 30*time.Second || !a.Expires.Equal(w.clock.Add(a.MaxAge)) || !strings.HasPrefix(a.ETag, `"`) || a.LastModified != r.ThisUpdate.Format(http.TimeFormat) {
			t.Errorf("cache headers %+v", a)
		}
		w.book.set(w.serial, pki.Status{State: pki.Revoked, Reason: certificate.PrivilegeWithdrawn, RevokedAt: w.now})
		r, _ = w.ask(t, h)
		if r == nil || r.Status != ocsp.Revoked || r.RevocationReason != 9 || !r.RevokedAt.Equal(w.now) {
			t.Errorf("revoked: %+v", r)
		}
	}
}

func TestOCSPAnswersAreKeptAndNeverOutliveTheirStatus(t *testing.T) {
	w := newWorld(t)
	w.Use(w.delegate(t))
	w.book.set(w.serial, pki.Status{State: pki.Good})
	_, first := w.ask(t, crypto.SHA256)
	_, second := w.ask(t, crypto.SHA256)
	if !bytes.Equal(first.Body, second.Body) || w.key.n.Load() != 1 {
		t.Errorf("%d signatures for one answer", w.key.n.Load())
	}
	w.clock = w.clock.Add(pki.AnswerLife - 5*time.Minute)
	if _, renewed := w.ask(t, crypto.SHA256); bytes.Equal(renewed.Body, first.Body) || !renewed.Expires.After(first.Expires) {
		t.Error("an answer was kept almost to its end")
	}
	w.book.set(w.serial, pki.Status{State: pki.Revoked, Reason: certificate.Superseded, RevokedAt: w.now})
	if r, _ := w.ask(t, crypto.SHA256); r.Status != ocsp.Revoked {
		t.Error("an answer from before the revocation")
	}
	w.book.set(w.serial, pki.Status{State: pki.Revoked, Reason: certificate.KeyCompromise, RevokedAt: w.now})
	if r, _ := w.ask(t, crypto.SHA256); r.RevocationReason != 1 {
		t.Error("an answer from before the reason changed")
	}
	signatures := w.key.n.Load()
	w.book.set(w.serial, pki.Status{State: pki.Revoked, Reason: certificate.KeyCompromise, RevokedAt: w.now.In(time.FixedZone("Tehran", 12600))})
	if w.ask(t, crypto.SHA256); w.key.n.Load() != signatures {
		t.Error("signed anew for the same instant in another zone")
	}
}

func TestOCSPRefusesWithoutSigning(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	good, err := ocsp.CreateRequest(w.person, w.Certificate(), nil)
	must(t, err)
	if a := w.Answer(t.Context(), good); !bytes.Equal(a.Body, ocsp.TryLaterErrorResponse) {
		t.Error("answered without a delegated certificate")
	}
	w.Use(w.delegate(t))
	elsewhere, err := ocsp.CreateRequest(other.person, other.Certificate(), nil)
	must(t, err)
	negative, err := (&ocsp.Request{HashAlgorithm: crypto.SHA1, IssuerNameHash: make([]byte, 20), IssuerKeyHash: make([]byte, 20), SerialNumber: big.NewInt(-1)}).Marshal()
	must(t, err)
	for name, q := range map[string]struct{ request, want []byte }{
		"empty":          {nil, ocsp.MalformedRequestErrorResponse},
		"nonsense":       {[]byte("hello"), ocsp.MalformedRequestErrorResponse},
		"trailing":       {append(append([]byte{}, good...), 0), ocsp.MalformedRequestErrorResponse},
		"negative":       {negative, ocsp.MalformedRequestErrorResponse},
		"huge":           {make([]byte, 1<<20), ocsp.MalformedRequestErrorResponse},
		"another issuer": {elsewhere, ocsp.UnauthorizedErrorResponse},
		"not issued":     {good, ocsp.UnauthorizedErrorResponse},
	} {
		if a := w.Answer(t.Context(), q.request); !bytes.Equal(a.Body, q.want) || a.MaxAge != 0 {
			t.Errorf("%s: %x", name, a.Body)
		}
	}
	w.book.down = true
	if a := w.Answer(t.Context(), good); !bytes.Equal(a.Body, ocsp.TryLaterErrorResponse) {
		t.Error("answered without the log")
	}
	w.book.down, w.clock = false, w.clock.AddDate(0, 2, 0)
	if a := w.Answer(t.Context(), good); !bytes.Equal(a.Body, ocsp.TryLaterErrorResponse) {
		t.Error("answered with an expired delegate")
	}
	if w.key.n.Load() != 0 {
		t.Errorf("%d signatures", w.key.n.Load())
	}
}

// TestOCSPWithoutASigner: who asks is told to come again, in bytes that a client
// understands; answers that were signed before are still given.
func TestOCSPWithoutASigner(t *testing.T) {
	w := newWorld(t)
	w.Use(w.delegate(t))
	w.book.set(w.serial, pki.Status{State: pki.Good})
	q, err := ocsp.CreateRequest(w.person, w.Certificate(), nil)
	must(t, err)
	for _, c := range []struct {
		fail error
		want ocsp.ResponseStatus
	}{
		{fault.New(fault.Unavailable, "token-unavailable", "", ""), ocsp.TryLater},
		{errors.Join(fault.New(fault.Unavailable, "signature-outcome-unknown", "", ""), io.EOF), ocsp.TryLater},
		{fault.New(fault.Invalid, "digest-malformed", "", ""), ocsp.InternalError},
		{errors.New("something else"), ocsp.InternalError},
	} {
		w.key.fail = c.fail
		a := w.Answer(t.Context(), q)
		var refused ocsp.ResponseError
		if _, err := ocsp.ParseResponse(a.Body, w.Certificate()); !errors.As(err, &refused) || refused.Status != c.want {
			t.Errorf("%v: answered %v", c.fail, err)
		}
		if a.MaxAge != 0 || a.ETag != "" {
			t.Errorf("%v: to be kept: %+v", c.fail, a)
		}
	}
	w.key.fail = nil
	signed := w.Answer(t.Context(), q)
	w.key.fail = errors.New("away again")
	if again := w.Answer(t.Context(), q); !bytes.Equal(again.Body, signed.Body) {
		t.Error("a signed answer was not given again")
	}
}

func TestGETRequestsInEveryClientsSpelling(t *testing.T) {
	// A serial whose request holds + and / in base64 matters here, so look for one.
	w := newWorld(t)
	var der []byte
	for n := int64(1); ; n++ {
		c := *w.person
		c.SerialNumber = big.NewInt(n << 20)
		q, err := ocsp.CreateRequest(&c, w.Certificate(), &ocsp.RequestOptions{Hash: crypto.SHA256})
		must(t, err)
		if text := base64.StdEncoding.EncodeToString(q); strings.Contains(text, "+") || strings.Contains(text, "/") {
			der = q
			break
		}
	}
	text := base64.StdEncoding.EncodeToString(der)
	for _, spelling := range []string{
		text, "/" + text, strings.TrimRight(text, "="), url.PathEscape(text), url.QueryEscape(text), strings.ReplaceAll(text, "+", " "),
	} {
		if got, err := pki.DecodeGET(spelling); err != nil || !bytes.Equal(got, der) {
			t.Errorf("%q: %v", spelling, err)
		}
	}
	if _, err := pki.DecodeGET("%%%"); err == nil {
		t.Error("decoded nonsense")
	}
}

// TestOpensslAcceptsTheAnswers asks over HTTP, as relying parties do.
func TestOpensslAcceptsTheAnswers(t *testing.T) {
	w := newWorld(t)
	w.clock = time.Now()
	w.Use(w.delegate(t))
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		q, _ := io.ReadAll(in.Body)
		out.Header().Set("Content-Type", "application/ocsp-response")
		_, _ = out.Write(w.Answer(in.Context(), q).Body)
	}))
	defer server.Close()
	ask := func(args ...string) string {
		// openssl exits with 1 where the responder refuses: its text decides.
		out, _ := exec.Command("openssl", append([]string{
			"ocsp", "-url", server.URL, "-issuer", w.dir + "/issuer.pem", "-CAfile", w.dir + "/root.pem",
			"-verify_other", w.dir + "/issuer.pem", "-no_nonce", "-text",
		}, args...)...).CombinedOutput()
		return string(out)
	}
	for status, want := range map[pki.Status]string{
		{State: pki.Good}: "person.pem: good",
		{State: pki.Revoked, Reason: certificate.PrivilegeWithdrawn, RevokedAt: w.now}: "person.pem: revoked",
	} {
		w.book.set(w.serial, status)
		for _, hash := range []string{"-sha1", "-sha256"} {
			out := ask(hash, "-cert", w.dir+"/person.pem")
			if !strings.Contains(out, want) || !strings.Contains(out, "Response verify OK") {
				t.Errorf("%s %s:\n%s", want, hash, out)
			}
		}
	}
	if out := ask("-serial", "0x"+fmt.Sprintf("%x", 12345)); !strings.Contains(out, "unauthorized") {
		t.Errorf("a serial that was never issued:\n%s", out)
	}
}
