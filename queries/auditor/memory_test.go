package auditor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"iter"
	"math/big"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"govahi/domain/event"
)

// lengthy is a log of so many certificates that is nowhere: each is made when it
// is read.
type lengthy struct {
	event.Log
	*testing.T
	a *authority
	n int
}

func (l lengthy) Head(context.Context) (event.Position, error) { return event.Position(3 * l.n), nil }

func (l lengthy) ReadAll(_ context.Context, _ event.Position, prefixes ...string) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for k := range l.n {
			for _, r := range l.told(k, false) {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

func (l lengthy) Read(_ context.Context, s event.Stream, _ uint64) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		switch s.Category() {
		case "key": // named by its certificate's number here
			k, err := strconv.ParseInt(s.ID(), 16, 64)
			must(l.T, err)
			text := fmt.Appendf(nil, `{"request":"enrollment-%d"}`, k)
			yield(event.Recorded{Stream: s, Position: event.Position(3 * k), Type: "key.claimed.v1", Data: text}, nil)
			return
		case "certificate":
		default:
			return
		}
		k, err := strconv.ParseInt(s.ID()[20:], 16, 64)
		must(l.T, err)
		for _, r := range l.told(int(k), true) {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// told is the k-th certificate's stream. Whoever walks over all needs no bytes.
func (l lengthy) told(k int, bytes bool) (all []event.Recorded) {
	serial := fmt.Sprintf("67%018x%016x", k*7919, k)
	at := noon.Add(-time.Hour).Format(time.RFC3339)
	request := told{"stream": fmt.Sprintf("enrollment-%d", k)}
	intent := told{
		"serial": serial, "profile": "stamp@1", "subject": "p", "at": at, "notAfter": noon.AddDate(1, 0, 0).Format(time.RFC3339),
		"record": request, "confirmation": request, "keyHash": fmt.Sprintf("%x", k),
	}
	issued := told{"serial": serial, "profile": "stamp@1", "subject": "p", "at": at}
	if bytes {
		c := l.certificate(serial)
		issued["public"], issued["fingerprint"], intent["tbsSha256"] = c.Raw, digest(c.Raw), digest(c.RawTBSCertificate)
	}
	for n, e := range []struct {
		name string
		data told
	}{
		{"certificate.issuance-intended.v2", intent},
		{"certificate.signing-started.v1", told{"at": at}},
		{"certificate.issued.v2", issued},
	} {
		text, err := json.Marshal(e.data)
		must(l.T, err)
		all = append(all, event.Recorded{
			Stream: event.Stream("certificate-" + serial), Revision: uint64(n), Position: event.Position(3*k + n + 1), Type: e.name, Data: text,
		})
	}
	return all
}

func (l lengthy) certificate(serial string) *x509.Certificate {
	number, _ := new(big.Int).SetString(serial, 16)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(l.T, err)
	template := &x509.Certificate{SerialNumber: number, NotBefore: noon, NotAfter: noon.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, l.a.certificate, key.Public(), l.a.key)
	must(l.T, err)
	c, err := x509.ParseCertificate(der)
	must(l.T, err)
	return c
}

// most is how many bytes may be kept of a certificate while all are checked.
const most = 200

// TestWhatIsKeptOfACertificateIsShort: there may be a million.
func TestWhatIsKeptOfACertificateIsShort(t *testing.T) {
	n := 10_000
	if text := os.Getenv("GOVAHI_TEST_AUDITED"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		must(t, err)
	}
	a := newAuthority(t)
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, after := heap(), int64(0)
	r := newRun(Audit{Log: lengthy{T: t, a: a, n: n}, Issuers: []Authority{{Certificate: a.certificate}}, Clock: func() time.Time { return noon }})
	must(t, r.begin(t.Context()))
	began := time.Now()
	must(t, r.walk(t.Context()))
	took := time.Since(began)
	after = heap()
	if r.summary.Checked != n || len(r.keys) != n || len(r.serials) != n {
		t.Fatalf("%+v, %d keys, %d serials", r.summary, len(r.keys), len(r.serials))
	}
	each := (after - before) / int64(n)
	t.Logf("%d certificates: %d bytes and %v each", n, each, took/time.Duration(n))
	if each > most {
		t.Errorf("%d bytes are kept of each certificate", each)
	}
	runtime.KeepAlive(r)
}
