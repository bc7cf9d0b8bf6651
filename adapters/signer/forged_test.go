package signer_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"testing"
	"time"

	"govahi/adapters/signer"
	"govahi/adapters/signer/signertest"
	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
)

// forgery is what a caller could have built instead: the right bytes, taken
// apart and put together wrongly, with an intent that agrees with them.
type forgery struct {
	template *x509.Certificate
	issuer   x509.Certificate
	curve    elliptic.Curve
}

// TestBytesAreCheckedAndNotWhoBuiltThem: hash, record and confirmation are all in
// order; what is wrong is in the bytes alone.
func TestBytesAreCheckedAndNotWhoBuiltThem(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*forgery)
		want   *fault.Fault
	}{
		"nothing wrong":         {func(*forgery) {}, nil},
		"another issuer's name": {func(f *forgery) { f.issuer.RawSubject = f.template.RawSubject }, signer.ErrIssuer},
		"another issuer's key":  {func(f *forgery) { f.issuer.SubjectKeyId = []byte{1} }, signer.ErrIssuer},
		"another algorithm":     {func(f *forgery) { f.curve = elliptic.P384() }, signer.ErrIssuer},
		"older than the issuer": {func(f *forgery) { f.template.NotBefore = f.issuer.NotBefore.Add(-time.Minute) }, signer.ErrValidity},
		"outlives the issuer": {func(f *forgery) {
			f.template.NotBefore, f.template.NotAfter = f.issuer.NotAfter.AddDate(0, -1, 0), f.issuer.NotAfter.Add(time.Second)
		}, signer.ErrValidity},
		"lives too long":           {func(f *forgery) { f.template.NotAfter = f.template.NotAfter.AddDate(0, 1, 0) }, signer.ErrValidity},
		"more key usage":           {func(f *forgery) { f.template.KeyUsage |= x509.KeyUsageKeyEncipherment }, signer.ErrProfile},
		"less key usage":           {func(f *forgery) { f.template.KeyUsage = x509.KeyUsageDigitalSignature }, signer.ErrProfile},
		"another extended usage":   {func(f *forgery) { f.template.ExtKeyUsage[0] = x509.ExtKeyUsageServerAuth }, signer.ErrProfile},
		"an unknown extended one":  {func(f *forgery) { f.template.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}} }, signer.ErrProfile},
		"one extension more":       {func(f *forgery) { f.add(asn1.ObjectIdentifier{1, 2, 3}, false) }, signer.ErrProfile},
		"a critical SAN":           {func(f *forgery) { f.template.EmailAddresses = nil; f.add(oidSAN, true) }, signer.ErrProfile},
		"no revocation list named": {func(f *forgery) { f.template.CRLDistributionPoints = nil }, signer.ErrProfile},
		"no practice statement":    {func(f *forgery) { f.template.ExtraExtensions = nil }, signer.ErrProfile},
		"another policy": {func(f *forgery) {
			f.template.ExtraExtensions[0].Value = bytes.Replace(f.template.ExtraExtensions[0].Value, []byte{1, 2, 1}, []byte{1, 2, 2}, 1)
		}, signer.ErrProfile},
		"another subject": {func(f *forgery) { f.template.RawSubject = f.issuer.RawSubject }, signer.ErrProfile},
		"another organisation's name": {func(f *forgery) {
			f.template.RawSubject = bytes.Replace(f.template.RawSubject, []byte("10380284790"), []byte("10100000007"), 1)
		}, signer.ErrProfile},
		"no code of a person": {func(f *forgery) {
			f.template.RawSubject = bytes.Replace(f.template.RawSubject, []byte("0012345679"), []byte("0012345678"), 1)
		}, signer.ErrProfile},
		"another's suffix": {func(f *forgery) {
			f.template.RawSubject = bytes.Replace(f.template.RawSubject, []byte("[Sign]"), []byte("[Auth]"), 1)
		}, signer.ErrProfile},
		"another's sector": {func(f *forgery) {
			f.template.RawSubject = bytes.Replace(f.template.RawSubject, []byte("Non-Governmental"), []byte("Non-governmental"), 1)
		}, signer.ErrProfile},
		"a CA": {func(f *forgery) { f.template.IsCA, f.template.BasicConstraintsValid = true, true }, signer.ErrProfile},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, newMemory())
			stream, revision, tbs := h.intend(t, func(s *story) { h.forge(t, s, c.change) })
			if c.want != nil {
				h.refuses(t, stream, revision, tbs, c.want)
				return
			}
			_, _, err := h.client.SignCertificate(t.Context(), stream, revision, tbs, h.by.DER)
			must(t, err)
		})
	}
}

var (
	oidSAN      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidPolicies = asn1.ObjectIdentifier{2, 5, 29, 32}
)

func (f *forgery) add(id asn1.ObjectIdentifier, critical bool) {
	f.template.ExtraExtensions = append(f.template.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: []byte{0x30, 0}})
}

func (h *house) forge(t *testing.T, s *story, change func(*forgery)) {
	t.Helper()
	f := &forgery{template: parse(t, s.TBS), issuer: *h.Certificate(), curve: elliptic.P256()}
	for _, e := range f.template.Extensions { // crypto/x509 would write the policy without its qualifier
		if e.Id.Equal(oidPolicies) {
			f.template.ExtraExtensions = append(f.template.ExtraExtensions, e)
		}
	}
	change(f)
	key, err := ecdsa.GenerateKey(f.curve, rand.Reader)
	must(t, err)
	f.issuer.PublicKey, f.template.SignatureAlgorithm = key.Public(), 0
	der, err := x509.CreateCertificate(rand.Reader, f.template, &f.issuer, f.template.PublicKey, key)
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	s.TBS = c.RawTBSCertificate
	s.Intent.TBSHash, s.Intent.NotBefore, s.Intent.NotAfter = hexSum(s.TBS), c.NotBefore, c.NotAfter
}

// parse reads to-be-signed bytes, under a signature of nothing.
func parse(t *testing.T, tbs []byte) *x509.Certificate {
	t.Helper()
	algorithm, err := asn1.Marshal(pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}})
	must(t, err)
	der, err := asn1.Marshal(struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, asn1.RawValue{FullBytes: algorithm}, asn1.BitString{Bytes: []byte{0}, BitLength: 8}})
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return c
}

// TestSerialHasOneStream: two streams with one serial would be two fences.
func TestSerialHasOneStream(t *testing.T) {
	h := newHouse(t, newMemory())
	var told story
	h.intend(t, func(s *story) { told = *s })
	told.Intent.Record = &certificate.Citation{}
	second := certificate.Kind.Stream(told.Intent.Serial, "again")
	h.refuses(t, second, add(t, h.log, certificate.Kind, second, 0, told.Intent), told.TBS, signer.ErrSerial)
}

func TestListOfAnotherIssuerIsRefused(t *testing.T) {
	h := newHouse(t, newMemory())
	other := *h.Certificate()
	key := ecdsaKey(t)
	other.PublicKey, other.RawSubject = key.Public(), nil
	other.Subject.CommonName = "Another CA"
	now := time.Now().UTC().Truncate(time.Second)
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(time.Hour)}, &other, key)
	must(t, err)
	list, err := x509.ParseRevocationList(der)
	must(t, err)
	stream := crl.Kind.Stream(h.Issuer())
	revision := add(t, h.log, crl.Kind, stream, 0, crl.Intended{
		Number: 1, ThisUpdate: now, NextUpdate: now.Add(time.Hour), TBSHash: hexSum(list.RawTBSRevocationList),
	})
	h.refusesCRL(t, stream, revision, list.RawTBSRevocationList, signer.ErrIssuer)
}

// TestNobodyIsCertifiedForTheTokensOwnKeys: record, intent and bytes agree, on a
// key that no person can hold.
func TestNobodyIsCertifiedForTheTokensOwnKeys(t *testing.T) {
	for name, key := range map[string]crypto.PublicKey{"the CA's": hsm.ca.Public(), "the responder's": hsm.responder.Public()} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, newMemory())
			spki, err := x509.MarshalPKIXPublicKey(key)
			must(t, err)
			stream, revision, tbs := h.intend(t, func(s *story) {
				h.forge(t, s, func(f *forgery) { f.template.PublicKey = key })
				s.Intent.KeyHash = hexSum(spki)
				for i, e := range s.Events {
					if r, ok := e.(enrollment.IssuanceRequested); ok {
						r.KeyHash = hexSum(spki)
						s.Events[i] = r
					}
				}
			})
			h.refuses(t, stream, revision, tbs, signer.ErrKey)
		})
	}
}

// confused signs something else than it is asked to.
type confused struct{ crypto.Signer }

func (c confused) Sign(r io.Reader, _ []byte, o crypto.SignerOpts) ([]byte, error) {
	digest := sha256.Sum256([]byte("something else"))
	return c.Signer.Sign(r, digest[:], o)
}

func TestWrongSignatureIsNotLetOut(t *testing.T) {
	h := newHouse(t, newMemory())
	h.ca.Signer = confused{hsm.ca}
	stream, revision, tbs := h.intend(t, asIs)
	if der, _, err := h.client.SignCertificate(t.Context(), stream, revision, tbs, h.by.DER); !errors.Is(err, signer.ErrSignature) || der != nil {
		t.Errorf("got %v", err)
	}
}

// TestUsedNumberIsRefusedWhoeverIntendedIt: the log holds what a faulty caller
// appended around the decider.
func TestUsedNumberIsRefusedWhoeverIntendedIt(t *testing.T) {
	h := newHouse(t, newMemory())
	stream, revision, tbs := signertest.IntendCRL(t, h.log, h, 5)
	_, _, err := h.client.SignCRL(t.Context(), stream, revision, tbs)
	must(t, err)
	p, err := h.PrepareCRL(5, time.Now(), []commands.RevokedSerial{})
	must(t, err)
	again := add(t, h.log, crl.Kind, stream, 2, crl.Intended{
		Number: 5, ThisUpdate: p.ThisUpdate, NextUpdate: p.NextUpdate, TBSHash: p.TBSHash,
	})
	if _, _, err := h.client.SignCRL(t.Context(), stream, again, p.TBS); !errors.Is(err, crl.ErrNumber) {
		t.Errorf("got %v", err)
	}
}
