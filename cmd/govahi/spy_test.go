package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"govahi/adapters/token"
)

// TestEveryDigestOfTheCAKeyWasIntended has an independent witness between the
// signer and the token: OpenSC's spy writes down every call. It listens to a
// whole story with a revocation and two deaths of the signer (pki §5.3).
func TestEveryDigestOfTheCAKeyWasIntended(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	hold(t, dir) // the ceremony's own signatures are another story
	steps := []string{"signer:after-started", "signer:after-sign"}
	m, w := newMishaps(t, steps...), newWitness(t)
	i, l := begin(t, dir, append(w.env, m.env())...), newLedger()
	for n, point := range steps {
		s := l.telling(t, i, n)
		must(t, s.tell(t.Context(), untilReserved(s, n)))
		m.during(t, point, s.issue, func() {})
		must(t, s.tell(t.Context(), append(s.untilActive()[2:], s.untilRevoked()...)))
	}
	l.audit(t, i)
	i.signal(t, syscall.SIGINT)
	_ = i.again(t) // without the witness, for the log's sake
	w.agrees(t, i)
}

// hold holds the ceremony.
func hold(t *testing.T, dir string) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o711))
	out, err := exec.Command(beside("govahi-signer"), "ceremony", "--dir", filepath.Join(dir, "ca")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// witness is what the spy wrote. Two sessions leave one for work, so that its
// lines do not interleave.
type witness struct {
	env  []string
	file string
}

func newWitness(t *testing.T) witness {
	t.Helper()
	module, err := filepath.Glob("/usr/lib/*/pkcs11-spy.so")
	if err != nil || len(module) == 0 {
		t.Fatal("no pkcs11-spy.so: install opensc-pkcs11")
	}
	file := filepath.Join(t.TempDir(), "spy.txt")
	return witness{[]string{
		"GOVAHI_PKCS11_MODULE=" + module[0], "GOVAHI_PKCS11_SESSIONS=2",
		"PKCS11SPY=" + token.SoftHSMModule, "PKCS11SPY_OUTPUT=" + file, "TZ=UTC",
	}, file}
}

// intention is what the log says of one digest.
type intention struct {
	started time.Time // when the log had stored that the signature begins; after the intent
	kept    bool      // a certificate or list came of it
}

// agrees compares the witness's account with the log.
func (w witness) agrees(t *testing.T, i *instance) {
	t.Helper()
	intentions := i.intentions(t)
	signed, others := w.account(t)
	seen := map[string]bool{}
	for _, s := range signed {
		in, ok := intentions[s.digest]
		if !ok || in.started.IsZero() || s.at.Before(in.started.Truncate(time.Millisecond)) || seen[s.digest] {
			t.Errorf("the CA key signed %s at %v: %+v, before: %v", s.digest, s.at, in, seen[s.digest])
		}
		seen[s.digest] = true
	}
	for _, s := range others {
		if _, ok := intentions[s.digest]; ok {
			t.Errorf("the responder's key signed %s, which was intended for the CA's", s.digest)
		}
	}
	for digest, in := range intentions {
		if in.kept && !seen[digest] {
			t.Errorf("the witness did not see the signature of %s", digest)
		}
	}
	t.Logf("%d intents, %d signatures of the CA key, %d of the responder's", len(intentions), len(signed), len(others))
}

// intentions reads the log itself, which knows when each event was stored.
func (i *instance) intentions(t *testing.T) map[string]intention {
	t.Helper()
	log, err := attached{Data: i.dir}.openLog()
	must(t, err)
	defer func() { _ = log.Close() }()
	all, latest := map[string]intention{}, map[string]string{}
	for r, err := range log.ReadAll(t.Context(), 0, "certificate.", "crl.") {
		must(t, err)
		stream := string(r.Stream)
		in := all[latest[stream]]
		switch r.Type {
		case "certificate.issuance-intended.v2", "crl.intended.v2":
			var intent struct {
				TBSHash string `json:"tbsSha256"`
			}
			must(t, json.Unmarshal(r.Data, &intent))
			latest[stream], in = intent.TBSHash, intention{}
		case "certificate.signing-started.v1", "crl.signing-started.v1":
			in.started = r.Created
		case "certificate.issued.v2", "crl.signed.v2":
			in.kept = true
		}
		if digest := latest[stream]; digest != "" {
			all[digest] = in
		}
	}
	return all
}

// signature is a digest that a key signed.
type signature struct {
	digest string
	at     time.Time
}

var (
	callStart   = regexp.MustCompile(`(?m)^(\d+): (C_\w+)\n(\S+ \S+)\n`)
	objectFound = regexp.MustCompile(`Object (0x[0-9A-Fa-f]+) matches`)
	keyUsed     = regexp.MustCompile(`hKey = (0x[0-9A-Fa-f]+)`)
	dumped      = regexp.MustCompile(`(?m)^    0000\w{4}  ((?:[0-9A-F]{2} )+)`)
)

// labels of the keys that may sign, as the spy dumps them.
var labels = map[string]string{"issuer": "69737375 6572", "responder": "72657370 6F6E6465 72"}

// account reads the CA key's signatures, and the responder's. Any other key's
// is an error.
func (w witness) account(t *testing.T) (ca, responder []signature) {
	t.Helper()
	data, err := os.ReadFile(w.file)
	must(t, err)
	text := string(data)
	var h hearing
	starts := callStart.FindAllStringSubmatchIndex(text, -1)
	for i, m := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		if text[m[2]:m[3]] == "0" {
			h = hearing{signed: h.signed} // another process: other handles
		}
		must(t, h.call(text[m[4]:m[5]], text[m[6]:m[7]], text[m[1]:end]))
	}
	return h.signed["issuer"], h.signed["responder"]
}

// hearing follows handles through the calls of one process.
type hearing struct {
	signed  map[string][]signature // by the key's label
	keys    map[string]string      // labels by handle
	sought  string                 // label of the search under way
	signing string                 // label of the key in use
}

var errUnknownKey = errors.New("a key signs that nobody looked for by its label")

// call takes in one call; a signature is asked for twice, first for its size.
func (h *hearing) call(name, when, body string) error {
	switch name {
	case "C_FindObjectsInit":
		h.sought = ""
		for label, hexadecimal := range labels {
			if strings.Contains(body, "CKO_PRIVATE_KEY") && strings.Contains(strings.ToUpper(body), hexadecimal) {
				h.sought = label
			}
		}
	case "C_FindObjects":
		if found := objectFound.FindStringSubmatch(body); h.sought != "" && found != nil {
			h.learn(found[1])
		}
	case "C_SignInit":
		h.signing = h.keys[keyUsed.FindStringSubmatch(body)[1]]
		if h.signing == "" {
			return errUnknownKey
		}
	case "C_Sign":
		if !strings.Contains(body, "pSignature[*pulSignatureLen] NULL") {
			return h.note(when, body)
		}
	}
	return nil
}

func (h *hearing) learn(handle string) {
	if h.keys == nil {
		h.keys = map[string]string{}
	}
	h.keys[handle] = h.sought
}

func (h *hearing) note(when, body string) error {
	at, err := time.ParseInLocation("2006-01-02 15:04:05.000", when, time.UTC)
	if err != nil {
		return err
	}
	input, _, _ := strings.Cut(body, "[out]")
	var digest strings.Builder
	for _, line := range dumped.FindAllStringSubmatch(input, -1) {
		digest.WriteString(strings.ReplaceAll(line[1], " ", ""))
	}
	s := signature{strings.ToLower(digest.String()), at}
	if raw, err := hex.DecodeString(s.digest); err != nil || len(raw) != 32 { // SHA-256, of a P-256 issuer
		return errors.New("no digest in " + body)
	}
	if h.signed == nil {
		h.signed = map[string][]signature{}
	}
	h.signed[h.signing] = append(h.signed[h.signing], s)
	return nil
}
