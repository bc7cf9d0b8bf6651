package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"govahi/adapters/token"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/crl"
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
func (i *instance) succeeds(t *testing.T, env ...string) {
	t.Helper()
	i.signal(t, syscall.SIGTERM)
	ca := filepath.Join(i.dir, "ca")
	if out, err := exec.CommandContext(t.Context(), beside("govahi-signer"), "ceremony", "succeed", "--dir", ca).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	i.again(t, env...)
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

// TestGovahiKilledInTheMiddleOfAMassRevocation: two operators declare the CA's key
// compromised, the house dies after the first certificate, and once it is back all
// of them are revoked, each once, and the last list says so.
func TestGovahiKilledInTheMiddleOfAMassRevocation(t *testing.T) {
	t.Parallel()
	const point = "withdrawal:revoked"
	m := newMishaps(t, point)
	i, l := begin(t, dataDir(t), m.env(), "GOVAHI_LIMITS=off"), newLedger()
	first := l.telling(t, i, 0)
	must(t, first.whole(t.Context(), 0)) // revoked before, for a reason of its own
	const more = 9                       // with the officers' own they are more than the worker takes at once
	for n := range more {
		s := l.telling(t, i, n+1)
		must(t, s.tell(t.Context(), append(untilReserved(s, n+1), s.untilIssued()[1:]...)))
	}
	i.settled(t)
	must(t, i.declares(t, first, "ca-operator")(t.Context()))
	m.during(t, point, i.declares(t, first, "auditor"), m.killed(t, i))
	mark, err := os.Stat(m.file(point))
	must(t, err)
	list := i.lastList(t)
	before, after := 0, 0
	for serial, at := range massRevoked(t, l.audit(t, i), first.serial) {
		if on, err := onList(list, serial); err != nil || !on || len(at) != 1 {
			t.Errorf("%s was revoked at %v; on the last list: %v, %v", serial, at, on, err)
		} else if at[0].Before(mark.ModTime().Add(100 * time.Millisecond)) { // the file system knows the time to some milliseconds; the house is away for longer
			before++
		} else {
			after++
		}
	}
	if t.Logf("revoked before the death: %d, after it: %d", before, after); before == 0 || after == 0 || before+after <= more {
		t.Error("it did not die in the middle")
	}
	if out, err := i.govahi(t, "", "audit", "certificates"); err != nil {
		t.Errorf("the audit: %v\n%s", err, out)
	}
}

// TestTheDrillEndsWithTheKeyDestroyed, and the house goes on: the next issuer issues,
// and where the elder's certificates stand is still said.
func TestTheDrillEndsWithTheKeyDestroyed(t *testing.T) {
	t.Parallel()
	i, l := begin(t, dataDir(t), "GOVAHI_LIMITS=off"), newLedger()
	s := l.telling(t, i, 0)
	must(t, s.tell(t.Context(), append(untilReserved(s, 0), s.untilIssued()[1:]...)))
	i.settled(t)
	serial := s.serial
	i.succeeds(t)
	s = l.telling(t, i, 1)
	for _, operator := range []string{"ca-operator", "auditor"} {
		must(t, i.declares(t, s, operator)(t.Context()))
	}
	last := i.lastList(t)
	i.signal(t, syscall.SIGTERM)
	ca := filepath.Join(i.dir, "ca")
	pin, err := os.ReadFile(filepath.Join(ca, "pin"))
	must(t, err)
	for _, args := range [][]string{
		{beside("govahi-signer"), "end", "compromise", "--dir", ca},
		{"pkcs11-tool", "--module", token.SoftHSMModule, "--token-label", "govahi", "--login", "--pin", strings.TrimSpace(string(pin)), "--delete-object", "--type", "privkey", "--label", "issuer"},
	} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "SOFTHSM2_CONF="+filepath.Join(ca, "softhsm2.conf"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	i.again(t)
	i.awaitReady(t)
	if answer := i.status(t, i.issuer(t), serial); answer.Status != ocsp.Revoked {
		t.Errorf("OCSP says %d of %s", answer.Status, serial)
	}
	if !bytes.Equal(i.fetched(t, "/pki/issuer.crl"), last) {
		t.Error("the last list is another")
	}
	i.fetched(t, "/pki/chain.pem")
	if out, err := i.govahi(t, "", "audit", "certificates"); err != nil {
		t.Errorf("the audit: %v\n%s", err, out)
	}
}

// declares has an operator of the CA declare the first issuer's key compromised;
// whoever has no such post is appointed.
func (i *instance) declares(t *testing.T, s *story, operator string) func(context.Context) error {
	t.Helper()
	id := sha256.Sum256(i.issuer(t).Raw)
	must(t, s.post(t.Context(), "admin", "appoint-"+operator, "/appointments", map[string]any{
		"personCode": personaCodes()[operator], "role": appointment.CAOperator, "place": "", "until": now().AddDate(1, 0, 0),
	}, nil))
	return func(ctx context.Context) error {
		var now struct{ Status, Proposed string }
		err := s.post(ctx, operator, "compromise-"+operator, "/issuers/"+hex.EncodeToString(id[:])+"/compromise", nil, &now)
		if err == nil && (now.Proposed == "compromise") == (now.Status == "compromised") {
			t.Errorf("%s is not told whether it is proposed or done: %+v", operator, now)
		}
		return err
	}
}

// lastList waits for the list that no other follows.
func (i *instance) lastList(t *testing.T) (der []byte) {
	t.Helper()
	await(t, "the last list", func() bool {
		der = i.fetched(t, "/pki/issuer.crl")
		list, err := x509.ParseRevocationList(der)
		return err == nil && list.NextUpdate.Equal(crl.Never)
	})
	return der
}

// massRevoked is when each certificate of a person was revoked, but for one that
// was revoked before.
func massRevoked(t *testing.T, records []record, but string) map[string][]time.Time {
	t.Helper()
	found := map[string][]time.Time{}
	for _, r := range records {
		var e struct {
			Subject, Ground string
			At              time.Time
		}
		must(t, json.Unmarshal(r.Data, &e))
		switch serial := r.Stream.ID(); {
		case serial == but:
		case r.Type == "certificate.issued.v2" && e.Subject != "":
			found[serial] = nil
		case r.Type == "certificate.revoked.v2":
			if e.Ground != string(certificate.CAKeyCompromised) {
				t.Errorf("%s was revoked for %q", serial, e.Ground)
			}
			found[serial] = append(found[serial], e.At)
		}
	}
	return found
}
