package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSuccession: a further intermediate comes beside the first of a real house,
// and after the next start both publish their lists and have their responders
// certified, each at addresses of its own.
func TestSuccession(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	i.settled(t)
	i.succeeds(t)
	all, err := openAuthorities(filepath.Join(i.dir, "ca"), "http://"+i.listen, "")
	must(t, err)
	if len(all) != 2 {
		t.Fatalf("%d issuers", len(all))
	}
	own := "/pki/" + all[1].Issuer()[:16]
	for n, at := range []string{"/pki", own} {
		issuer, err := x509.ParseCertificate(i.fetched(t, at+"/issuer.cer"))
		must(t, err)
		if sum := sha256.Sum256(issuer.Raw); hex.EncodeToString(sum[:]) != all[n].Issuer() {
			t.Errorf("%s has another issuer's certificate", at)
		}
		list, err := x509.ParseRevocationList(i.fetched(t, at+"/issuer.crl"))
		must(t, err)
		must(t, list.CheckSignatureFrom(issuer))
	}
	if page := string(i.fetched(t, "/pki")); !strings.Contains(page, own+"/issuer.crl") || !strings.Contains(page, "/pki/issuer.crl") || strings.Count(page, "در کار صدور") != 2 {
		t.Errorf("the repository shows\n%s", page)
	}
	if chain := i.fetched(t, own+"/chain.pem"); strings.Count(string(chain), "BEGIN CERTIFICATE") != 2 {
		t.Errorf("the chain is\n%s", chain)
	}
	out, err := i.govahi(t, "", "log", "export")
	must(t, err)
	for _, a := range all {
		for _, stream := range []string{"issuer-", "delegation-", "crl-"} {
			if !strings.Contains(out, `"`+stream+a.Issuer()+`"`) {
				t.Errorf("the log has no %s%s", stream, a.Issuer())
			}
		}
	}
}

// succeeds has a further intermediate come, and starts the house again.
func (i *instance) succeeds(t *testing.T) {
	t.Helper()
	i.signal(t, syscall.SIGTERM)
	ca := filepath.Join(i.dir, "ca")
	if out, err := exec.CommandContext(t.Context(), beside("govahi-signer"), "ceremony", "succeed", "--dir", ca).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	i.again(t)
}

// fetched waits until there is something at an address.
func (i *instance) fetched(t *testing.T, address string) []byte {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		r, err := http.Get("http://" + i.listen + address)
		if err != nil {
			continue
		}
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err == nil && r.StatusCode == http.StatusOK {
			return body
		}
	}
	t.Fatalf("there is nothing at %s", address)
	return nil
}
