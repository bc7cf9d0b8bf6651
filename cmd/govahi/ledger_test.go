package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"govahi/domain/event"
)

// ledger is a caller who sends a command again, under the same key, until he
// has an answer, and who writes down what was acknowledged.
type ledger struct {
	mu           sync.Mutex
	acknowledged map[string]string // position by Idempotency-Key
	differs      []string          // keys that were answered in two ways
}

func newLedger() *ledger { return &ledger{acknowledged: map[string]string{}} }

// RoundTrip takes no connection and 503 for "send again".
func (l *ledger) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		again := r.Clone(r.Context())
		if r.GetBody != nil {
			again.Body, _ = r.GetBody()
		}
		answer, err := http.DefaultTransport.RoundTrip(again)
		if err == nil && answer.StatusCode != http.StatusServiceUnavailable {
			l.note(r.Header.Get("Idempotency-Key"), answer)
			return answer, nil
		}
		if err == nil {
			_ = answer.Body.Close()
		}
		select {
		case <-r.Context().Done():
			return nil, fmt.Errorf("%w: last: %v", r.Context().Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (l *ledger) note(key string, answer *http.Response) {
	if key == "" || answer.StatusCode >= 300 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	position := answer.Header.Get("Govahi-Position")
	if before, ok := l.acknowledged[key]; ok && before != position {
		l.differs = append(l.differs, key)
	}
	l.acknowledged[key] = position
}

// telling begins a story whose people do not give up; each story is about
// another organisation, for a person has one open request for each.
func (l *ledger) telling(t *testing.T, i *instance, n int) *story {
	t.Helper()
	i.awaitReady(t)
	s := telling(t, i, fmt.Sprintf("story-%d", n))
	s.http = http.Client{Transport: l, Timeout: time.Minute}
	s.tokens = filepath.Join(filepath.Dir(i.dir), s.name) // SoftHSM trips over a token that another process is making
	return s
}

// untilReserved is everything before the CA's part.
func untilReserved(s *story, n int) []step {
	steps := s.untilSubmitted()
	steps[1].do = func(ctx context.Context) error {
		form := applicantForm("applicant")
		form.Organization = organization(n)
		return s.say("applicant", "form", form)(ctx)
	}
	return slices.Concat(steps, s.untilConfirmed(), s.untilActive()[:1])
}

// organization is an invented company ID with its check digit.
func organization(n int) string {
	id := fmt.Sprintf("%010d", 1099900101+n)
	shift, sum := int(id[9]-'0')+2, 0
	for i, weight := range []int{29, 27, 23, 19, 17, 29, 27, 23, 19, 17} {
		sum += (int(id[i]-'0') + shift) * weight
	}
	return fmt.Sprintf("%s%d", id, sum%11%10)
}

// record is what stands in the log, as exported, in the words of the events.
type record struct {
	line
	commandID, at, serial, request, reason, tbsHash string
	number                                          uint64
}

// export reads the log by the operator's command, not by ours.
func (i *instance) export(t *testing.T) []record {
	t.Helper()
	out, err := i.govahi(t, "", "log", "export")
	must(t, err)
	var all []record
	for text := range bytes.Lines([]byte(out)) {
		all = append(all, recorded(t, text))
	}
	return all
}

func recorded(t *testing.T, text []byte) record {
	t.Helper()
	var r record
	must(t, json.Unmarshal(text, &r.line))
	var meta struct {
		CommandID string `json:"commandId"`
		At        string `json:"at"`
	}
	var data struct {
		Serial  string `json:"serial"`
		Request string `json:"request"`
		Reason  string `json:"reason"`
		TBSHash string `json:"tbsSha256"`
	}
	var numbered struct {
		Number json.RawMessage `json:"number"`
	}
	must(t, json.Unmarshal(r.Meta, &meta))
	_ = json.Unmarshal(r.Data, &data) // other events may use these words otherwise
	_ = json.Unmarshal(r.Data, &numbered)
	_ = json.Unmarshal(numbered.Number, &r.number)
	r.commandID, r.at = meta.CommandID, meta.At
	r.serial, r.request, r.reason, r.tbsHash = data.Serial, data.Request, data.Reason, data.TBSHash
	return r
}

// audit checks what must hold after whatever crashed (pki §5.3), on the exported
// log, the revocation list and the responder's answers.
func (l *ledger) audit(t *testing.T, i *instance) []record {
	t.Helper()
	i.settled(t)
	records := i.export(t)
	l.nothingLost(t, records)
	nothingTwice(t, records)
	crlNumbers(t, records)
	return records
}

// settled waits until every part is ready and the revocation list that was due
// is there, and asks about every serial.
func (i *instance) settled(t *testing.T) {
	t.Helper()
	i.awaitReady(t)
	i.relyingParties(t, serials(t, i.export(t)))
}

// nothingLost finds each acknowledged command at the position that its caller
// was told, and no hole in any stream.
func (l *ledger) nothingLost(t *testing.T, records []record) {
	t.Helper()
	at, next := map[string]record{}, map[event.Stream]uint64{}
	for _, r := range records {
		at[fmt.Sprint(r.Position)] = r
		if r.Revision != next[r.Stream] {
			t.Errorf("%s: revision %d where %d should be", r.Stream, r.Revision, next[r.Stream])
		}
		next[r.Stream] = r.Revision + 1
	}
	if len(l.acknowledged) == 0 || len(l.differs) > 0 {
		t.Errorf("%d commands acknowledged, differently: %q", len(l.acknowledged), l.differs)
	}
	for key, position := range l.acknowledged {
		if !strings.Contains(at[position].commandID, key) {
			t.Errorf("%s was acknowledged at %q, where the log holds %q", key, position, at[position].commandID)
		}
	}
}

func nothingTwice(t *testing.T, records []record) {
	t.Helper()
	ids, commands := map[event.ID]bool{}, map[[3]string]uint64{}
	for _, r := range records {
		if ids[r.ID] {
			t.Errorf("event %s twice", r.ID)
		}
		ids[r.ID] = true
		// A command may have several like results, but only in one append.
		command := [3]string{string(r.Stream), r.commandID, r.Type}
		if before, ok := commands[command]; ok && before+1 != r.Revision {
			t.Errorf("command %s had its effect twice in %s, at %d and %d", r.commandID, r.Stream, before, r.Revision)
		}
		commands[command] = r.Revision
	}
}

// crlNumbers grow, and one that was intended and not signed never comes back.
func crlNumbers(t *testing.T, records []record) {
	t.Helper()
	var intended, signed uint64
	for _, r := range records {
		switch r.Type {
		case "crl.intended.v2":
			if r.number <= intended {
				t.Errorf("CRL %d intended after %d", r.number, intended)
			}
			intended = r.number
		case "crl.signed.v2":
			if r.number <= signed || r.number != intended {
				t.Errorf("CRL %d signed after %d, intended %d", r.number, signed, intended)
			}
			signed = r.number
		}
	}
}

// serial is what the log tells of one.
type serial struct {
	attempted, intended, started, issued int
	abandoned                            bool
	reason                               string
}

// serials folds the streams of certificates, and checks that each serial was
// intended, started and issued once at most, each request issued one, and what
// was not issued was taken back.
func serials(t *testing.T, records []record) map[string]*serial {
	t.Helper()
	all, issued := map[string]*serial{}, map[string]int{}
	of := func(name string) *serial {
		if all[name] == nil {
			all[name] = &serial{}
		}
		return all[name]
	}
	for _, r := range records {
		name := strings.TrimPrefix(string(r.Stream), "certificate-")
		switch r.Type {
		case "enrollment.issuance-attempted.v1", "credential.attempted.v1", "delegation.attempted.v1":
			of(r.serial).attempted++
		case "certificate.issuance-intended.v2":
			of(name).intended++
		case "certificate.signing-started.v1":
			of(name).started++
		case "certificate.issued.v2":
			of(name).issued++
			issued[r.request]++
		case "certificate.issuance-abandoned.v1":
			of(name).abandoned = true
		case "certificate.revoked.v2":
			of(name).reason = r.reason
		}
	}
	delete(issued, "") // the responder's may be several
	for request, n := range issued {
		if n > 1 {
			t.Errorf("%s has %d certificates", request, n)
		}
	}
	for name, s := range all {
		if s.attempted != 1 || s.intended > 1 || s.started > s.intended || s.issued > s.started {
			t.Errorf("serial %s: %+v", name, *s)
		}
		if s.issued == 0 && (!s.abandoned || s.reason != "superseded") || s.issued == 1 && s.abandoned {
			t.Errorf("serial %s was neither issued nor taken back: %+v", name, *s)
		}
	}
	return all
}

// relyingParties ask for the list, once it shows the last revocation, and for
// the status of each serial.
func (i *instance) relyingParties(t *testing.T, all map[string]*serial) {
	t.Helper()
	issuer := i.issuer(t)
	var list *x509.RevocationList
	await(t, "a revocation list with every revoked serial", func() (whole bool) {
		der, err := i.fetch("/pki/issuer.crl", "", nil)
		if err == nil {
			list, err = x509.ParseRevocationList(der)
		}
		return err == nil && onWholeList(list, all)
	})
	must(t, list.CheckSignatureFrom(issuer))
	for name, s := range all {
		var answer *ocsp.Response
		await(t, "a responder that has followed the log as far as the list", func() bool {
			answer = i.status(t, issuer, name)
			return s.reason == "" || answer.Status == ocsp.Revoked
		})
		good := s.issued == 1 && s.reason == ""
		if (answer.Status == ocsp.Good) != good || (answer.Status == ocsp.Revoked) != (s.reason != "") {
			t.Errorf("OCSP says %d of %s: %+v", answer.Status, name, *s)
		}
		if code := reasonCodes[s.reason]; s.reason != "" && answer.RevocationReason != code {
			t.Errorf("OCSP gives reason %d of %s: %+v", answer.RevocationReason, name, *s)
		}
	}
}

var reasonCodes = map[string]int{"superseded": ocsp.Superseded, "privilegeWithdrawn": ocsp.PrivilegeWithdrawn}

// onWholeList tells whether the list holds exactly what was revoked, and why.
func onWholeList(list *x509.RevocationList, all map[string]*serial) bool {
	listed := map[string]int{}
	for _, e := range list.RevokedCertificateEntries {
		listed[hex.EncodeToString(e.SerialNumber.Bytes())] = e.ReasonCode
	}
	revoked := 0
	for name, s := range all {
		code, on := listed[name]
		if on != (s.reason != "") || code != reasonCodes[s.reason] {
			return false
		}
		if on {
			revoked++
		}
	}
	return revoked == len(listed)
}

func (i *instance) issuer(t *testing.T) *x509.Certificate {
	t.Helper()
	chain, err := i.fetch("/pki/chain.pem", "", nil)
	must(t, err)
	block, _ := pem.Decode(chain)
	issuer, err := x509.ParseCertificate(block.Bytes)
	must(t, err)
	return issuer
}

// status is the responder's verified answer.
func (i *instance) status(t *testing.T, issuer *x509.Certificate, name string) *ocsp.Response {
	t.Helper()
	number, ok := new(big.Int).SetString(name, 16)
	if !ok {
		t.Fatalf("serial %q", name)
	}
	question, err := ocsp.CreateRequest(&x509.Certificate{SerialNumber: number}, issuer, &ocsp.RequestOptions{Hash: crypto.SHA256})
	must(t, err)
	body, err := i.fetch("/pki/ocsp", "application/ocsp-request", question)
	must(t, err)
	answer, err := ocsp.ParseResponseForCert(body, &x509.Certificate{SerialNumber: number}, issuer)
	must(t, err)
	return answer
}

// parts is what the health page says of each part; nil while it does not answer.
func (i *instance) parts() map[string]string {
	answer, err := http.Get("http://" + i.listen + "/health/ready")
	if err != nil {
		return nil
	}
	defer func() { _ = answer.Body.Close() }()
	var page struct {
		State string
		Parts []struct{ Name, State string }
	}
	if json.NewDecoder(answer.Body).Decode(&page) != nil {
		return nil
	}
	parts := map[string]string{"": page.State}
	for _, p := range page.Parts {
		parts[p.Name] = p.State
	}
	return parts
}

func (i *instance) awaitReady(t *testing.T) {
	t.Helper()
	await(t, "every part is ready", func() bool { return i.parts()[""] == "ready" })
}

// fetch asks as anybody may: a body is posted.
func (i *instance) fetch(path, kind string, body []byte) ([]byte, error) {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequest(method, "http://"+i.listen+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", kind)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, answer.Status, data)
	}
	return data, err
}
