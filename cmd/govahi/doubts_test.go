package main

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ocsp"

	"govahi/adapters/sso"
	"govahi/commands"
	"govahi/domain/revocation"
	"govahi/queries"
)

// doubtful is a holder of whom something turns out otherwise than it was when the
// certificate was issued, and what follows.
type doubtful struct {
	holder  string
	message string // what the registry says of him later; nothing if it is his mail that comes back
	source  revocation.Source
	reason  int // on the list
	*story
}

// TestWhatTheHouseFindsOutItself: a message that comes back as the mail server
// reports it, and a re-inquiry that no longer matches, of a cancelled national
// code, of a death. The house's own workers open a case of each with its evidence
// and no other; once it is established, the certificate is revoked and on the
// list (S1.6, domain §2.4).
func TestWhatTheHouseFindsOutItself(t *testing.T) {
	outside := t.TempDir()
	t.Setenv(troubleHook, outside) // ours too: who signs in has the same clock
	terms := filepath.Join(outside, "terms.yaml")
	must(t, os.WriteFile(terms, []byte("reinquiryDays: 1\n"), 0o600))
	t.Setenv("GOVAHI_TERMS", terms)
	i := begin(t, dataDir(t))
	first := telling(t, i, "doubts")
	all := []doubtful{
		{"stranger", "", revocation.Bounced, ocsp.PrivilegeWithdrawn, nil},
		{"applicant", "err.record.not.found", revocation.Mismatched, ocsp.PrivilegeWithdrawn, nil},
		{"applicant-2", "err.cancellation.nin", revocation.Cancelled, ocsp.PrivilegeWithdrawn, nil},
		{"employee", "deathStatus", revocation.Died, ocsp.CessationOfOperation, nil},
	}
	for n := range all {
		d := &all[n]
		s := *first
		d.story, s.holder, s.name = &s, d.holder, "doubts-"+d.holder
		for _, part := range [][]step{s.untilSubmitted(), s.untilConfirmed(), s.untilActive()} {
			must(t, s.tell(t.Context(), part))
		}
	}
	all[0].comesBack(t, i)
	i.isOpen(t, all[:1])
	i.nextDay(t, outside, all)
	clear(first.client.tokens)
	i.isOpen(t, all)
	for _, d := range all {
		d.isEstablished(t, i)
	}
}

// comesBack has the mail server report that the latest message to the holder came
// back for good.
func (d doubtful) comesBack(t *testing.T, i *instance) {
	t.Helper()
	messages, err := d.outbox.Messages()
	must(t, err)
	var latest string
	for _, m := range messages {
		if strings.Contains(m.Body, persianGroups(d.code)) {
			latest = m.ID
		}
	}
	_, err = i.govahi(t, "", "dev", "bounce", latest)
	must(t, err)
}

// nextDay lets the re-inquiries be due, and the registry know more than it did.
func (i *instance) nextDay(t *testing.T, outside string, all []doubtful) {
	t.Helper()
	var answers strings.Builder
	for _, d := range all {
		for _, p := range sso.Personas() {
			if p.Name == d.holder && d.message != "" {
				fmt.Fprintln(&answers, p.NationalCode, d.message)
			}
		}
	}
	i.signal(t, syscall.SIGTERM)
	makes(t, outside, "answers", answers.String())
	makes(t, outside, "clock", "25h")
	i.again(t)
}

// isOpen waits for a case of each, with one piece of evidence that cites what it
// is, and for no other.
func (i *instance) isOpen(t *testing.T, all []doubtful) {
	t.Helper()
	first := all[0].story
	var cases []queries.Case
	must(t, first.until(t.Context(), func(ctx context.Context) (bool, error) {
		err := first.get(ctx, "ca-operator", "/cases", &cases)
		return len(cases) >= len(all), err
	}))
	if len(cases) != len(all) {
		t.Fatalf("the cases are %+v", cases)
	}
	for n := range all {
		d := &all[n]
		at := slices.IndexFunc(cases, func(c queries.Case) bool { return c.Serial == d.serial })
		if at < 0 {
			t.Fatalf("no case of %s, %s", d.source, d.serial)
		}
		d.number = cases[at].Number
		var review commands.CaseReview
		must(t, d.get(t.Context(), "ca-operator", "/cases/"+d.number, &review))
		if len(review.Evidence) != 1 || review.Status != revocation.Open || review.Evidence[0].Source != d.source {
			t.Fatalf("the case of %s is %+v", d.source, review)
		}
		cites := review.Evidence[0].Cites
		if bounced := d.message == ""; bounced != (cites.Message != "" && cites.Status == "5.1.1") || bounced == (cites.Inquiry != "" && cites.TrackingCode != "") {
			t.Errorf("the case of %s cites %+v", d.source, cites)
		}
	}
}

// isEstablished by the CA: the certificate is revoked, its CPMIS user may not
// enter, and every relying party can know.
func (d doubtful) isEstablished(t *testing.T, i *instance) {
	t.Helper()
	must(t, d.post(t.Context(), "ca-operator", d.name+"-establish", "/cases/"+d.number+"/establishment",
		map[string]string{"statement": "نمونه: چنان است که گزارش شد."}, nil))
	if _, err := d.await(t.Context(), "revoked"); err != nil {
		t.Fatalf("%s: %v", d.source, err)
	}
	must(t, d.accessIs(sampleUnit, false)(t.Context()))
	issuer := i.issuer(t)
	await(t, "the list with what was revoked for "+string(d.source), func() bool {
		der, err := i.fetch("/pki/issuer.crl", "", nil)
		if err != nil {
			return false
		}
		list, err := x509.ParseRevocationList(der)
		return err == nil && list.CheckSignatureFrom(issuer) == nil && slices.ContainsFunc(list.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool {
			return hex.EncodeToString(e.SerialNumber.Bytes()) == d.serial && e.ReasonCode == d.reason
		})
	})
	var answer *ocsp.Response
	await(t, "a responder that has followed the log as far as the list", func() bool {
		answer = i.status(t, issuer, d.serial)
		return answer.Status == ocsp.Revoked
	})
	if answer.RevocationReason != d.reason {
		t.Errorf("OCSP gives reason %d of %s", answer.RevocationReason, d.source)
	}
}
