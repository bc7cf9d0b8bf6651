package signertest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/credential"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/office"
)

// Confirmer is the second officer with his token.
type Confirmer struct {
	Serial string
	DER    []byte // of his certificate
	Key    crypto.Signer
	CMS    func(statement []byte, c *x509.Certificate, key crypto.Signer) ([]byte, error)
}

func (c Confirmer) sign(t testing.TB, record enrollment.Record, request string) string {
	t.Helper()
	parsed, err := x509.ParseCertificate(c.DER)
	must(t, err)
	der, err := c.CMS(record.Statement(request), parsed, c.Key)
	must(t, err)
	return base64.StdEncoding.EncodeToString(der)
}

// Signs asks a signer for an intended certificate.
type Signs func(ctx context.Context, stream event.Stream, revision uint64, tbs, officer []byte) ([]byte, string, error)

// Certify founds an office and has the signer sign its second officer's own
// certificate.
func Certify(t testing.TB, log event.Log, a commands.Authority, sign Signs, cms func([]byte, *x509.Certificate, crypto.Signer) ([]byte, error)) Confirmer {
	t.Helper()
	found(t, log)
	c, stream, revision, tbs := Vouch(t, log, a, func([]event.Event, *certificate.IssuanceIntended) {})
	der, signer, err := sign(t.Context(), stream, revision, tbs, nil)
	must(t, err)
	c.DER, c.CMS = der, cms
	sum := sha256.Sum256(der)
	now := time.Now().UTC()
	Add(t, log, certificate.Kind, stream, len(Read(t, log, stream)), certificate.Issued{
		Serial: c.Serial, Subject: Second, Profile: "ra-officer@1", Fingerprint: hex.EncodeToString(sum[:]), NotBefore: now, NotAfter: now.AddDate(1, 0, 0),
		Certificate: event.About(Second, certificate.DER{DER: der}), Signer: signer, At: now,
	})
	return c
}

// found opens and licenses the office, and gives the second officer and an
// operator of the CA their posts.
func found(t testing.TB, log event.Log) {
	t.Helper()
	now := time.Now().UTC()
	year := now.AddDate(1, 0, 0)
	place := office.Kind.Stream("office")
	Add(t, log, office.Kind, place, 0, office.Opened{Code: "office", Sort: office.Registration, At: now})
	Add(t, log, office.Kind, place, 1, office.Licensed{Number: "1", From: now.Add(-time.Hour), Until: year, At: now})
	Add(t, log, appointment.Kind, appointment.Kind.Stream(string(Second)), 0, appointment.Appointed{Role: appointment.RegistrationOfficer, Place: "office", Until: year, At: now})
	Add(t, log, appointment.Kind, appointment.Kind.Stream(string(Operator)), 0, appointment.Appointed{Role: appointment.CAOperator, Until: year, At: now})
}

// Vouch tells the story of an officer's own certificate up to the intent.
func Vouch(t testing.TB, log event.Log, a commands.Authority, change func([]event.Event, *certificate.IssuanceIntended)) (Confirmer, event.Stream, uint64, []byte) {
	t.Helper()
	now := time.Now().UTC()
	serial, err := a.NewSerial(now)
	must(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	must(t, err)
	officers, ok := a.Profiles().Officer()
	if !ok {
		t.Fatal("no profile of officers")
	}
	p, err := a.Prepare(commands.Draft{Serial: serial, Profile: officers, Form: form, CSR: csr, NotBefore: now})
	must(t, err)
	stream := credential.Kind.Stream(serial)
	i := IntentOf(p, serial)
	i.Subject, i.TBS = Second, event.About(Second, certificate.DER{DER: p.TBS})
	i.Record, i.Confirmation = &certificate.Citation{Stream: stream}, &certificate.Citation{Stream: stream, Revision: 1}
	events := []event.Event{
		credential.Requested{
			Number: serial, Person: Second, Office: "office", KeyHash: p.KeyHash,
			Particulars: event.About(Second, credential.Particulars{CSR: csr}), At: now,
		},
		credential.Approved{By: Operator, At: now},
		credential.Attempted{Serial: serial, Handler: "h", At: now},
	}
	change(events, &i)
	for n, e := range events {
		Add(t, log, credential.Kind, stream, n, e)
	}
	at := certificate.Kind.Stream(serial)
	return Confirmer{Serial: serial, Key: key}, at, Add(t, log, certificate.Kind, at, 0, i), p.TBS
}
