package signer_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"
	"time"

	"govahi/adapters/cms"
	"govahi/adapters/signer"
	"govahi/adapters/signer/signertest"
	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/credential"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/office"
)

// appended puts an event at the end of a stream.
func appended[S any](h *house, t *testing.T, kind event.Kind[S], stream event.Stream, e event.Event) {
	t.Helper()
	add(t, h.log, kind, stream, len(h.read(t, stream)), e)
}

// TestNothingIsSignedWithoutTheOfficersSignature changes one thing of what must
// hold besides the record (domain §4.5). Nothing is signed, nothing started.
func TestNothingIsSignedWithoutTheOfficersSignature(t *testing.T) {
	confirmed := func(change func(*enrollment.InformationConfirmed)) func(*story) {
		return func(s *story) {
			for i, e := range s.Events {
				if c, ok := e.(enrollment.InformationConfirmed); ok {
					change(&c)
					s.Events[i] = c
				}
			}
		}
	}
	own := func(h *house) event.Stream { return certificate.Kind.Stream(h.by.Serial) }
	second := appointment.Kind.Stream(string(signertest.Second))
	for name, c := range map[string]struct {
		story func(*story)
		then  func(*testing.T, *house)
	}{
		"no signature that can be read": {story: confirmed(func(c *enrollment.InformationConfirmed) { c.Signature = "c2ln" })},
		"not even base64":               {story: confirmed(func(c *enrollment.InformationConfirmed) { c.Signature = "*" })},
		"another officer's word":        {story: confirmed(func(c *enrollment.InformationConfirmed) { c.By = "third" })},
		"a certificate that is none":    {story: confirmed(func(c *enrollment.InformationConfirmed) { c.Certificate, c.Signature = "67ff", "c2ln" })},
		"his certificate is revoked": {then: func(t *testing.T, h *house) {
			appended(h, t, certificate.Kind, own(h), certificate.Revoked{Serial: h.by.Serial, Reason: certificate.KeyCompromise})
		}},
		"his certificate is suspended": {then: func(t *testing.T, h *house) {
			appended(h, t, certificate.Kind, own(h), certificate.Suspended{Serial: h.by.Serial})
		}},
		"he was dismissed": {then: func(t *testing.T, h *house) {
			appended(h, t, appointment.Kind, second, appointment.Dismissed{Role: appointment.RegistrationOfficer, Place: "office"})
		}},
		"his post has ended": {then: func(t *testing.T, h *house) {
			appended(h, t, appointment.Kind, second, appointment.Appointed{Role: appointment.RegistrationOfficer, Place: "office", Until: time.Now().Add(-time.Minute)})
		}},
		"the licence has ended": {then: func(t *testing.T, h *house) {
			appended(h, t, office.Kind, office.Kind.Stream("office"), office.Licensed{Number: "2", Until: time.Now().Add(-time.Minute)})
		}},
		"the licence has not begun": {then: func(t *testing.T, h *house) {
			appended(h, t, office.Kind, office.Kind.Stream("office"), office.Licensed{Number: "2", From: time.Now().Add(time.Hour), Until: time.Now().Add(2 * time.Hour)})
		}},
		"the caller gives another certificate": {then: func(_ *testing.T, h *house) { h.by.DER = hsm.issuer }},
		"the caller gives none":                {then: func(_ *testing.T, h *house) { h.by.DER = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, newMemory())
			if c.story == nil {
				c.story = asIs
			}
			h.signs(t) // what holds now is known to the signer
			stream, revision, tbs := h.intend(t, c.story)
			if c.then != nil {
				c.then(t, h)
			}
			h.refuses(t, stream, revision, tbs, commands.ErrConfirmationVoid)
		})
	}
}

// signs has a request's certificate signed.
func (h *house) signs(t *testing.T) {
	t.Helper()
	stream, revision, tbs := h.intend(t, asIs)
	if _, _, err := h.client.SignCertificate(t.Context(), stream, revision, tbs, h.by.DER); err != nil {
		t.Fatal(err)
	}
}

// TestASignatureForAnotherRequestIsNone has the officer sign a record of the same
// revision and hash, but of another request.
func TestASignatureForAnotherRequestIsNone(t *testing.T) {
	h := newHouse(t, newMemory())
	sign := h.by.CMS
	h.by.CMS = func(_ []byte, c *x509.Certificate, key crypto.Signer) ([]byte, error) {
		return sign(enrollment.Record{Revision: 1, Hash: "00"}.Statement("050000000018"), c, key)
	}
	stream, revision, tbs := h.intend(t, asIs)
	h.refuses(t, stream, revision, tbs, commands.ErrConfirmationVoid)
}

// TestWhoWritesTheLogCannotMakeAnOfficer plants a certificate in the log that the
// CA's key never signed: the signer verifies the chain itself.
func TestWhoWritesTheLogCannotMakeAnOfficer(t *testing.T) {
	h := newHouse(t, newMemory())
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	serial := big.NewInt(0x6701)
	forged := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Forged [RA]"}, Issuer: h.Certificate().Subject,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, forged, h.Certificate(), key.Public(), key)
	if err != nil { // the library notices that the key is not the parent's
		der, err = x509.CreateCertificate(rand.Reader, forged, &x509.Certificate{RawSubject: h.Certificate().RawSubject, SubjectKeyId: h.Certificate().SubjectKeyId}, key.Public(), key)
		must(t, err)
	}
	sum := sha256.Sum256(der)
	stream := certificate.Kind.Stream("6701")
	for i, e := range []event.Event{
		certificate.IssuanceIntended{Serial: "6701", Profile: "ra-officer@1", Subject: signertest.Second},
		certificate.SigningStarted{Signer: "forger"},
		certificate.Issued{Serial: "6701", Profile: "ra-officer@1", Subject: signertest.Second, Fingerprint: hex.EncodeToString(sum[:])},
	} {
		add(t, h.log, certificate.Kind, stream, i, e)
	}
	h.by = signertest.Confirmer{Serial: "6701", DER: der, Key: key, CMS: cms.Sign}
	at, revision, tbs := h.intend(t, asIs)
	h.refuses(t, at, revision, tbs, commands.ErrConfirmationVoid)
}

// TestAnOfficersCertificateNeedsWhoVouchesForHim changes one thing at a time.
func TestAnOfficersCertificateNeedsWhoVouchesForHim(t *testing.T) {
	operators := appointment.Kind.Stream(string(signertest.Operator))
	for name, c := range map[string]struct {
		story func([]event.Event, *certificate.IssuanceIntended)
		then  func(*testing.T, *house)
		want  *fault.Fault
	}{
		"nobody vouched": {story: func(e []event.Event, _ *certificate.IssuanceIntended) {
			e[1] = credential.Refused{By: signertest.Operator}
		}, want: signer.ErrNotConfirmed},
		"he vouched for himself": {story: func(e []event.Event, _ *certificate.IssuanceIntended) {
			e[1] = credential.Approved{By: signertest.Second}
		}, want: signer.ErrNotConfirmed},
		"for another person": {story: func(_ []event.Event, i *certificate.IssuanceIntended) { i.Subject, i.TBS = "third", nil }, want: signer.ErrNotConfirmed},
		"for another key": {story: func(e []event.Event, _ *certificate.IssuanceIntended) {
			r := e[0].(credential.Requested)
			r.KeyHash = "00"
			e[0] = r
		}, want: signer.ErrKey},
		"another serial": {story: func(e []event.Event, _ *certificate.IssuanceIntended) {
			e[2] = credential.Attempted{Serial: "67ff"}
		}, want: signer.ErrNotAttempted},
		"no citation": {story: func(_ []event.Event, i *certificate.IssuanceIntended) { i.Record = nil }, want: signer.ErrNotConfirmed},
		"the operator was dismissed": {then: func(t *testing.T, h *house) {
			appended(h, t, appointment.Kind, operators, appointment.Dismissed{Role: appointment.CAOperator})
		}, want: commands.ErrConfirmationVoid},
		"the officer was dismissed": {then: func(t *testing.T, h *house) {
			appended(h, t, appointment.Kind, appointment.Kind.Stream(string(signertest.Second)), appointment.Dismissed{Role: appointment.RegistrationOfficer, Place: "office"})
		}, want: commands.ErrConfirmationVoid},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, newMemory())
			h.signs(t)
			if c.story == nil {
				c.story = func([]event.Event, *certificate.IssuanceIntended) {}
			}
			_, stream, revision, tbs := signertest.Vouch(t, h.log, h, c.story)
			if c.then != nil {
				c.then(t, h)
			}
			h.refuses(t, stream, revision, tbs, c.want)
		})
	}
}

func TestTheSignatureIsOverTheRecordThatTheIntentCites(t *testing.T) {
	h := newHouse(t, newMemory())
	stream, revision, tbs := h.intend(t, asIs)
	if _, _, err := h.client.SignCertificate(t.Context(), stream, revision, tbs, h.by.DER); err != nil {
		t.Fatal(err)
	}
	request := enrollment.Kind.Stream(stream.ID())
	for i, r := range h.read(t, request) {
		e, err := enrollment.Catalog.Open(r)
		must(t, err)
		c, ok := e.(enrollment.InformationConfirmed)
		if !ok {
			continue
		}
		signature, err := base64.StdEncoding.DecodeString(c.Signature)
		must(t, err)
		statement := enrollment.RecordOf(h.read(t, request)[:i]).Statement(request.ID())
		if err := cms.Check(signature, statement, h.by.DER); err != nil {
			t.Error(err)
		}
		if err := cms.Check(signature, append(statement, '.'), h.by.DER); !errors.Is(err, cms.ErrWrong) {
			t.Error(err)
		}
	}
}
