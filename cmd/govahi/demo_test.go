package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ocsp"
)

// TestWhoStopsAStartDoesNotWaitForIt: of a house that never becomes ready, too.
func TestWhoStopsAStartDoesNotWaitForIt(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	began := time.Now()
	// A bus that is not there: the house waits for it, and is not ready before.
	i, err := startInstance(ctx, dataDir(t), &transcript{}, "GOVAHI_NATS=nats://127.0.0.1:1")
	if err == nil {
		_ = i.stop()
		t.Fatal("it became ready without a bus")
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("stopped only after %s: %v", took, err)
	}
}

// standings are the rows that the demo must end with: how each certificate stands
// at each moment.
var standings = []string{
	"outside channel issued valid", "outside channel held revoked", "outside channel lifted valid", "outside channel superseded revoked",
	"renewed renewed valid", "renewed revoked revoked", "inside channel active valid", "inside channel lost revoked",
}

// TestDemoIsJudgedByEveryVerifier at every moment, and each of them notices when
// what it judges is not so.
func TestDemoIsJudgedByEveryVerifier(t *testing.T) {
	t.Parallel()
	told := demo{Out: filepath.Join(t.TempDir(), "demo")}
	said, err := exec.CommandContext(t.Context(), beside("govahi"), "demo", "--out", told.Out).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	want := "certificate when is openssl verify openssl ocsp certtool certtool list ocsptool crlutil certutil "
	for _, s := range standings {
		want += s + strings.Repeat(" ✓", 7) + " "
	}
	if !strings.Contains(strings.Join(strings.Fields(string(said)), " "), want) {
		t.Errorf("it said\n%s", said)
	}
	for _, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			for _, m := range moments {
				told.notices(t, l, m)
			}
		})
	}
}

// lie is something in what the story left that is not so, and by whom it must be
// noticed about a certificate that is valid, or revoked.
type lie struct {
	name           string
	tell           func(demo, *testing.T, moment)
	valid, revoked []string
}

var lies = []lie{
	{
		"a list and an answer of another moment", demo.ofAnother,
		[]string{"openssl verify", "openssl ocsp", "certtool", "ocsptool", "certutil"},
		[]string{"openssl verify", "openssl ocsp", "certtool", "ocsptool", "certutil"},
	},
	{
		"a forged list", func(d demo, t *testing.T, m moment) { d.forge(t, m.list()) },
		[]string{"openssl verify", "certtool list", "crlutil"},
		[]string{"openssl verify", "certtool list", "crlutil", "certutil"}, // which does without a list if there is none
	},
	{
		"a forged answer", func(d demo, t *testing.T, m moment) { d.forge(t, m.answer()) },
		[]string{"openssl ocsp", "ocsptool"},
		[]string{"openssl ocsp", "ocsptool"},
	},
	{
		"a forged certificate", func(d demo, t *testing.T, m moment) { d.forge(t, m.leaf) },
		[]string{"openssl verify", "certtool", "certutil"},
		[]string{"certtool", "certutil"}, // openssl looks at revocation first
	},
}

// notices tells a lie about one moment, in a copy of what the story left.
func (d demo) notices(t *testing.T, l lie, m moment) {
	lied := demo{Out: t.TempDir()}
	must(t, os.CopyFS(lied.Out, os.DirFS(d.Out)))
	l.tell(lied, t, m)
	store, err := lied.openNSS(t.Context(), m)
	must(t, err)
	defer func() { _ = os.RemoveAll(store) }()
	var noticed []string
	for _, c := range checks {
		if lied.ask(t.Context(), c, m, store) != nil {
			noticed = append(noticed, c.name)
		}
	}
	want := l.valid
	if m.revoked {
		want = l.revoked
	}
	if diff := cmp.Diff(want, noticed); diff != "" {
		t.Errorf("%s, when %s: -expected +noticed by:\n%s", m.of, m.when, diff)
	}
}

// ofAnother puts list and answer of another moment in the place of one's, when
// the same certificate stood otherwise.
func (d demo) ofAnother(t *testing.T, m moment) {
	other := moments[slices.IndexFunc(moments, func(o moment) bool { return o.leaf == m.leaf && o.revoked != m.revoked })]
	must(t, os.Rename(d.file(other.list()), d.file(m.list())))
	must(t, os.Rename(d.file(other.answer()), d.file(m.answer())))
}

// forge spoils a file's signature.
func (d demo) forge(t *testing.T, name string) {
	data, err := os.ReadFile(d.file(name))
	must(t, err)
	block, _ := pem.Decode(data)
	if block == nil { // an answer, which ends with the certificate of who signed it
		answer, err := ocsp.ParseResponse(data, nil)
		must(t, err)
		data[bytes.Index(data, answer.Signature)+len(answer.Signature)-1] ^= 1
	} else {
		block.Bytes[len(block.Bytes)-1] ^= 1
		data = pem.EncodeToMemory(block)
	}
	must(t, os.WriteFile(d.file(name), data, 0o600))
}
