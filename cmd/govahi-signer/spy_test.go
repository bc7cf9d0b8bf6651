package main_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"govahi/adapters/signer"
	"govahi/adapters/signer/signertest"
	"govahi/adapters/token"
	"govahi/domain/certificate"
)

// spy is an independent witness: OpenSC's module between the process and
// SoftHSM writes down every call. Two sessions leave one for work, so that its
// lines do not interleave.
type spy struct {
	env  []string
	args []string
	file string
}

func (c *ca) spy() spy {
	file := filepath.Join(filepath.Dir(c.dir), "spy.txt")
	return spy{
		env:  []string{"PKCS11SPY=" + token.SoftHSMModule, "PKCS11SPY_OUTPUT=" + file, "TZ=UTC"},
		args: []string{"--module", spyModule, "--sessions", "2"},
		file: file,
	}
}

// TestEveryDigestOfTheCAKeyHasAnEarlierIntent is the promise of pki.md §5.3:
// signatures, refusals, deaths at every step and other uses of the token.
func TestEveryDigestOfTheCAKeyHasAnEarlierIntent(t *testing.T) {
	c := newCA(t).certify(t)
	witness := c.spy()
	p := c.start(t, witness.env, witness.args...)
	c.work(t, p)
	c.provoke(t, p)
	p.stop(t)
	for _, point := range []string{"signer:before-started", "signer:after-started", "signer:after-sign"} {
		p := c.start(t, append(witness.env, "GOVAHI_CRASH="+point), append(witness.args, "--development")...)
		stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
		if _, _, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER); !errors.Is(err, signer.ErrUnknownOutcome) {
			t.Errorf("%s: %v", point, err)
		}
		p.end(t)
	}
	signed, intents := witness.digests(t), c.intents(t)
	// Certificates, lists, one that was asked for twice, and one whose signer died.
	if len(signed) != 12+2+1+1 {
		t.Errorf("the CA key signed %d digests", len(signed))
	}
	seen := map[string]bool{}
	for _, s := range signed {
		at, ok := intents[s.digest]
		if !ok || s.at.Before(at.Truncate(time.Millisecond)) || seen[s.digest] {
			t.Errorf("%s signed at %v: intended at %v, seen before %v", s.digest, s.at, at, seen[s.digest])
		}
		seen[s.digest] = true
	}
}

// work signs certificates side by side, lists, and uses the other keys.
func (c *ca) work(t *testing.T, p *process) {
	t.Helper()
	var all sync.WaitGroup
	for range 12 {
		stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
		all.Go(func() {
			if _, _, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for number := uint64(1); number <= 2; number++ {
		stream, revision, tbs := signertest.IntendCRL(t, c.log, c, number)
		_, _, err := p.SignCRL(t.Context(), stream, revision, tbs)
		must(t, err)
	}
	key, err := p.ResponderKey(t.Context())
	must(t, err)
	digest := sha256.Sum256([]byte("an answer"))
	_, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
	must(t, err)
	wrapped, err := p.Wrap(t.Context(), make([]byte, 32))
	must(t, err)
	_, err = p.Unwrap(t.Context(), wrapped)
	must(t, err)
}

// provoke asks for what must not be signed.
func (c *ca) provoke(t *testing.T, p *process) {
	t.Helper()
	stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
	_, _, other := signertest.Intend(t, c.log, c, c.by, asIs)
	_, _, err := p.SignCertificate(t.Context(), stream, revision, other, c.by.DER)
	if !errors.Is(err, certificate.ErrNotIntended) {
		t.Errorf("other bytes: %v", err)
	}
	_, _, err = p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
	must(t, err)
	_, _, err = p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
	if !errors.Is(err, certificate.ErrNotIntended) {
		t.Errorf("twice: %v", err)
	}
}

// intents are the hashes that the log holds, with the time of their record.
func (c *ca) intents(t *testing.T) map[string]time.Time {
	t.Helper()
	intents := map[string]time.Time{}
	for r, err := range c.log.ReadAll(t.Context(), 0, "certificate.issuance-intended.", "crl.intended.") {
		must(t, err)
		var intent struct {
			TBSHash string `json:"tbsSha256"`
		}
		must(t, json.Unmarshal(r.Data, &intent))
		intents[intent.TBSHash] = r.Created
	}
	return intents
}

type signedDigest struct {
	digest string
	at     time.Time
}

var (
	callStart   = regexp.MustCompile(`(?m)^\d+: (C_\w+)\n(\S+ \S+)\n`)
	objectFound = regexp.MustCompile(`Object (0x[0-9A-Fa-f]+) matches`)
	keyUsed     = regexp.MustCompile(`hKey = (0x[0-9A-Fa-f]+)`)
	dumped      = regexp.MustCompile(`(?m)^    0000\w{4}  ((?:[0-9A-F]{2} )+)`)
)

// digests reads what the CA key signed: calls of C_Sign with a place for the
// signature, for each is made twice, first to ask for the size.
func (s spy) digests(t *testing.T) []signedDigest {
	t.Helper()
	data, err := os.ReadFile(s.file)
	must(t, err)
	var r reading
	starts := callStart.FindAllSubmatchIndex(data, -1)
	for i, m := range starts {
		end := len(data)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		r.call(t, string(data[m[2]:m[3]]), string(data[m[4]:m[5]]), string(data[m[1]:end]))
	}
	return r.signed
}

// reading follows handles through the calls.
type reading struct {
	signed       []signedDigest
	caKey, inUse string
	forTheCA     bool // the search under way is for the CA's private key
}

func (r *reading) call(t *testing.T, name, when, body string) {
	t.Helper()
	switch name {
	case "C_FindObjectsInit":
		r.forTheCA = strings.Contains(body, "CKO_PRIVATE_KEY") && strings.Contains(body, "69737375 6572") // "issuer"
	case "C_FindObjects":
		if found := objectFound.FindStringSubmatch(body); r.forTheCA && found != nil {
			r.caKey = found[1]
		}
	case "C_SignInit":
		r.inUse = keyUsed.FindStringSubmatch(body)[1]
	case "C_Sign":
		if r.inUse == r.caKey && !strings.Contains(body, "pSignature[*pulSignatureLen] NULL") {
			r.signed = append(r.signed, signedDigest{digestIn(t, body), at(t, when)})
		}
	}
}

func digestIn(t *testing.T, body string) string {
	t.Helper()
	input, _, _ := strings.Cut(body, "[out]")
	var hexadecimal strings.Builder
	for _, line := range dumped.FindAllStringSubmatch(input, -1) {
		hexadecimal.WriteString(strings.ReplaceAll(line[1], " ", ""))
	}
	digest := strings.ToLower(hexadecimal.String())
	if raw, err := hex.DecodeString(digest); err != nil || len(raw) != sha256.Size {
		t.Fatalf("no digest in\n%s", body)
	}
	return digest
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.ParseInLocation("2006-01-02 15:04:05.000", text, time.UTC)
	must(t, err)
	return when
}

// TestSessionsStayFew: crypto11's pool opens a session for each call until it
// has as many as it may (pki.md §1, problem 1).
func TestSessionsStayFew(t *testing.T) {
	c := newCA(t)
	witness := c.spy()
	p := c.start(t, witness.env, witness.args...)
	for range 20 {
		_, err := p.Wrap(t.Context(), make([]byte, 32))
		must(t, err)
	}
	p.stop(t)
	data, err := os.ReadFile(witness.file)
	must(t, err)
	if n := strings.Count(string(data), ": C_OpenSession\n"); n != 2 {
		t.Errorf("%d sessions", n)
	}
}
