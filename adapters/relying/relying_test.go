package relying_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"govahi/adapters/relying"
	"govahi/queries/auditor"
)

// house is an issuer, who answers for it, and the door at which both are asked.
type house struct {
	*testing.T
	issuer, responder *x509.Certificate
	key, responderKey crypto.Signer
	answers           []func(*ocsp.Request) []byte // one after the other, the last for ever
	asked             []*ocsp.Request
	list              []byte
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func key(t *testing.T) crypto.Signer {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return k
}

// certified makes a certificate of a CA, or by one.
func certified(t *testing.T, name string, public crypto.PublicKey, parent *x509.Certificate, by crypto.Signer, usages ...x509.ExtKeyUsage) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x67), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: parent == nil, BasicConstraintsValid: true, ExtKeyUsage: usages, SubjectKeyId: []byte(name),
	}
	if parent == nil {
		parent, template.KeyUsage = template, x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return c
}

func open(t *testing.T) (*house, *relying.Party) {
	h := &house{T: t, key: key(t), responderKey: key(t)}
	h.issuer = certified(t, "issuer", h.key.Public(), nil, h.key)
	h.responder = certified(t, "responder", h.responderKey.Public(), h.issuer, h.key, x509.ExtKeyUsageOCSPSigning)
	door := http.NewServeMux()
	door.HandleFunc("GET /own/issuer.crl", func(w http.ResponseWriter, _ *http.Request) {
		if h.list == nil {
			http.Error(w, "none", http.StatusNotFound)
		}
		_, _ = w.Write(h.list)
	})
	door.HandleFunc("POST /own/ocsp", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request, wrong := ocsp.ParseRequest(body)
		if err != nil || wrong != nil || r.Header.Get("Content-Type") != "application/ocsp-request" {
			t.Errorf("%v %v", err, wrong)
			return
		}
		h.asked = append(h.asked, request)
		_, _ = w.Write(h.answers[0](request))
		h.answers = h.answers[min(1, len(h.answers)-1):]
	})
	s := httptest.NewServer(door)
	t.Cleanup(s.Close)
	p := relying.New(s.URL+"/own/issuer.crl", s.URL+"/own/ocsp", h.issuer)
	t.Cleanup(p.Close)
	return h, p
}

var (
	serial = big.NewInt(0x6701020304)
	at     = time.Now().UTC().Truncate(time.Second).Add(-time.Minute)
)

// says makes an answer, which may be changed before it is signed.
func (h *house) says(change ...func(*ocsp.Response)) func(*ocsp.Request) []byte {
	return func(q *ocsp.Request) []byte {
		r := ocsp.Response{
			Status: ocsp.Good, SerialNumber: q.SerialNumber, IssuerHash: q.HashAlgorithm, ThisUpdate: at, NextUpdate: at.Add(time.Hour), Certificate: h.responder,
		}
		for _, c := range change {
			c(&r)
		}
		body, err := ocsp.CreateResponse(h.issuer, h.responder, r, h.responderKey)
		must(h.T, err)
		return body
	}
}

func fixed(body []byte) func(*ocsp.Request) []byte {
	return func(*ocsp.Request) []byte { return body }
}

func TestWhatTheResponderSays(t *testing.T) {
	h, p := open(t)
	by := hex.EncodeToString(h.responder.SerialNumber.Bytes())
	for name, c := range map[string]struct {
		answer func(*ocsp.Request) []byte
		want   auditor.Answer
	}{
		"good": {h.says(), auditor.Answer{State: auditor.Good, By: by}},
		"revoked": {h.says(func(r *ocsp.Response) {
			r.Status, r.RevokedAt, r.RevocationReason = ocsp.Revoked, at, ocsp.Superseded
		}), auditor.Answer{State: auditor.Revoked, Reason: ocsp.Superseded, At: at, By: by}},
		"unknown, signed": {h.says(func(r *ocsp.Response) { r.Status = ocsp.Unknown }), auditor.Answer{State: auditor.Unknown, By: by}},
		"not authorised":  {fixed(ocsp.UnauthorizedErrorResponse), auditor.Answer{State: auditor.Unknown}},
	} {
		h.answers, h.asked = []func(*ocsp.Request) []byte{c.answer}, nil
		got, err := p.Status(t.Context(), serial)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if len(h.asked) != 1 || h.asked[0].HashAlgorithm != crypto.SHA256 || h.asked[0].SerialNumber.Cmp(serial) != 0 {
			t.Errorf("%s: asked %+v", name, h.asked)
		}
	}
}

// TestNothingIsBelievedThatTheIssuerDidNotDelegate, nor what is about something
// else, or old.
func TestNothingIsBelievedThatTheIssuerDidNotDelegate(t *testing.T) {
	h, p := open(t)
	stranger := key(t)
	other := certified(t, "issuer", stranger.Public(), nil, stranger)
	forged := certified(t, "responder", h.responderKey.Public(), other, stranger, x509.ExtKeyUsageOCSPSigning)
	plain := certified(t, "responder", h.responderKey.Public(), h.issuer, h.key, x509.ExtKeyUsageClientAuth)
	for name, answer := range map[string]func(*ocsp.Request) []byte{
		"by another issuer's responder":             h.says(func(r *ocsp.Response) { r.Certificate = forged }),
		"by a certificate that is for other things": h.says(func(r *ocsp.Response) { r.Certificate = plain }),
		"by nobody":            h.says(func(r *ocsp.Response) { r.Certificate = nil }),
		"about another serial": h.says(func(r *ocsp.Response) { r.SerialNumber = big.NewInt(0x6708) }),
		"too old":              h.says(func(r *ocsp.Response) { r.NextUpdate = at }),
		"a failure":            fixed(ocsp.InternalErrorErrorResponse),
		"no answer":            fixed([]byte("<html>")),
		"changed on its way": func(q *ocsp.Request) []byte {
			body := h.says()(q)
			body[len(body)-len(h.responder.Raw)-20] ^= 1 // in the signature
			return body
		},
	} {
		h.answers = []func(*ocsp.Request) []byte{answer}
		if got, err := p.Status(t.Context(), serial); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAResponderThatSaysTryLaterIsAskedAgain(t *testing.T) {
	h, p := open(t)
	later := fixed(ocsp.TryLaterErrorResponse)
	h.answers = []func(*ocsp.Request) []byte{later, later, h.says()}
	if got, err := p.Status(t.Context(), serial); err != nil || got.State != auditor.Good || len(h.asked) != 3 {
		t.Errorf("%+v, %v, asked %d times", got, err, len(h.asked))
	}
	h.answers, h.asked = []func(*ocsp.Request) []byte{later}, nil
	if _, err := p.Status(t.Context(), serial); err == nil || len(h.asked) < 5 || len(h.asked) > 10 {
		t.Errorf("%v, asked %d times", err, len(h.asked))
	}
}

func TestTheListIsFetchedWhereTheIssuerHasIt(t *testing.T) {
	h, p := open(t)
	if _, err := p.List(t.Context()); err == nil || !strings.Contains(err.Error(), "/own/issuer.crl is answered by 404") {
		t.Error(err)
	}
	h.list = []byte("a list")
	if got, err := p.List(t.Context()); err != nil || string(got) != "a list" {
		t.Errorf("%q, %v", got, err)
	}
	p.Close()
	gone := relying.New("http://127.0.0.1:1/issuer.crl", "http://127.0.0.1:1/ocsp", h.issuer)
	if _, err := gone.List(t.Context()); err == nil {
		t.Error("somebody answered")
	}
	if _, err := gone.Status(t.Context(), serial); err == nil {
		t.Error("somebody answered")
	}
}
