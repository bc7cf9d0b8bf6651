package signer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"slices"
	"testing"
	"testing/iotest"
	"time"
)

// listOf is the to-be-signed part of what the standard library makes.
func listOf(t *testing.T, change func(*x509.RevocationList)) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	list := &x509.RevocationList{Number: big.NewInt(300), ThisUpdate: noon, NextUpdate: noon.AddDate(30, 0, 0)}
	for n, code := range []int{0, 1, 6, 9} {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: new(big.Int).Lsh(big.NewInt(int64(127+n)), uint(n*50)), RevocationTime: noon.AddDate(n*10, 0, 0), ReasonCode: code,
		})
	}
	change(list)
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, SubjectKeyId: []byte{1, 2}, KeyUsage: x509.KeyUsageCRLSign, PublicKey: key.Public()}
	der, err := x509.CreateRevocationList(rand.Reader, list, issuer, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.RawTBSRevocationList
}

func TestAScannedListIsTheOneThatWasMade(t *testing.T) {
	tbs := listOf(t, func(*x509.RevocationList) {})
	list, err := scanCRL(iotest.OneByteReader(bytes.NewReader(tbs)))
	if err != nil || list.entries != 4 || list.number != 300 || list.thisUpdate.Year() != 2026 || list.nextUpdate.Year() != 2056 ||
		!bytes.Equal(list.keyID, []byte{1, 2}) || !bytes.Equal(list.algorithm, algorithms[x509.ECDSAWithSHA256]) {
		t.Errorf("%+v, %v", list, err)
	}
	empty, err := scanCRL(bytes.NewReader(listOf(t, func(l *x509.RevocationList) { l.RevokedCertificateEntries = nil })))
	if err != nil || empty.entries != 0 {
		t.Errorf("an empty list: %+v, %v", empty, err)
	}
}

func TestListsOfAnotherFormAreNotScanned(t *testing.T) {
	extra := pkix.Extension{Id: []int{1, 2, 3}, Value: []byte{5, 0}}
	for name, change := range map[string]func(*x509.RevocationList){
		"an extension more":          func(l *x509.RevocationList) { l.ExtraExtensions = []pkix.Extension{extra} },
		"an entry's extension more":  func(l *x509.RevocationList) { l.RevokedCertificateEntries[1].ExtraExtensions = []pkix.Extension{extra} },
		"an entry twice":             func(l *x509.RevocationList) { l.RevokedCertificateEntries[1] = l.RevokedCertificateEntries[0] },
		"entries out of order":       func(l *x509.RevocationList) { slices.Reverse(l.RevokedCertificateEntries) },
		"a reason that says nothing": func(l *x509.RevocationList) { l.RevokedCertificateEntries[1].ReasonCode = 7 },
		"a reason of delta lists":    func(l *x509.RevocationList) { l.RevokedCertificateEntries[1].ReasonCode = 8 },
		"a negative serial":          func(l *x509.RevocationList) { l.RevokedCertificateEntries[0].SerialNumber = big.NewInt(-1) },
		"a serial of zero":           func(l *x509.RevocationList) { l.RevokedCertificateEntries[0].SerialNumber = new(big.Int) },
		"a serial too long": func(l *x509.RevocationList) {
			l.RevokedCertificateEntries[3].SerialNumber = new(big.Int).Lsh(big.NewInt(1), 160)
		},
	} {
		if list, err := scanCRL(bytes.NewReader(listOf(t, change))); !errors.Is(err, ErrTBS) {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
	}
}

// TestEveryPrefixOfAListIsRefused also appends, and says lengths in other forms.
func TestEveryPrefixOfAListIsRefused(t *testing.T) {
	tbs := listOf(t, func(*x509.RevocationList) {})
	for n := range tbs {
		if _, err := scanCRL(bytes.NewReader(tbs[:n])); !errors.Is(err, ErrTBS) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	longer := slices.Concat([]byte{0x30, 0x82}, tbs[1:]) // 82 LL LL where 81 LL is enough
	for name, wrong := range map[string][]byte{
		"a byte more": append(slices.Clone(tbs), 0), "a length in another form": longer, "another broken read": nil,
	} {
		if _, err := scanCRL(bytes.NewReader(wrong)); !errors.Is(err, ErrTBS) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := scanCRL(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(tbs)))); !errors.Is(err, ErrTBS) {
		t.Errorf("a read that breaks: %v", err)
	}
}

// FuzzScanCRL: what the scanner accepts, the standard library reads in the same way.
func FuzzScanCRL(f *testing.F) {
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, tbs []byte) {
		list, err := scanCRL(bytes.NewReader(tbs))
		if err != nil {
			return
		}
		der, err := assemble(tbs, []byte{0})
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatalf("%x is accepted: %v", tbs, err)
		}
		if len(parsed.RevokedCertificateEntries) != list.entries || parsed.Number.Uint64() != list.number ||
			!parsed.ThisUpdate.Equal(list.thisUpdate) || !parsed.NextUpdate.Equal(list.nextUpdate) || len(parsed.Extensions) != 2 {
			t.Fatalf("%x is read as %+v", tbs, list)
		}
	})
}
