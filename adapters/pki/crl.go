package pki

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"time"

	"govahi/commands"
	"govahi/domain/crl"
)

// CRLLife is thisUpdate to nextUpdate. A list is made at least daily, so that
// one that fails leaves a day to mend it (domain §4.6).
const CRLLife = 48 * time.Hour

// linted is how many entries of a list are linted. All are made by one function,
// and the lints would take far longer than everything else.
const linted = 100

// PrepareCRL builds and lints the to-be-signed revocation list (RFC 5280 §5):
// version 2, AKI, CRLNumber, reason codes, entries by serial; no entries field
// when it is empty.
func (a *Authority) PrepareCRL(number uint64, thisUpdate time.Time, revoked []commands.RevokedSerial) (commands.PreparedCRL, error) {
	return a.prepareCRL(number, thisUpdate, seconds(thisUpdate).Add(CRLLife), revoked)
}

// PrepareLastCRL builds the list that no other follows.
func (a *Authority) PrepareLastCRL(number uint64, thisUpdate time.Time, revoked []commands.RevokedSerial) (commands.PreparedCRL, error) {
	return a.prepareCRL(number, thisUpdate, crl.Never, revoked)
}

func (a *Authority) prepareCRL(number uint64, thisUpdate, nextUpdate time.Time, revoked []commands.RevokedSerial) (commands.PreparedCRL, error) {
	if !slices.IsSortedFunc(revoked, bySerial) {
		revoked = slices.SortedFunc(slices.Values(revoked), bySerial)
	}
	from := seconds(thisUpdate)
	tbs, err := a.crls.encode(number, from, nextUpdate, revoked)
	if err != nil {
		return commands.PreparedCRL{}, err
	}
	sample := tbs
	if len(revoked) > linted {
		if sample, err = a.crls.encode(number, from, nextUpdate, revoked[:linted]); err != nil {
			return commands.PreparedCRL{}, err
		}
	}
	if err := a.lintCRL(sample); err != nil {
		return commands.PreparedCRL{}, err
	}
	return commands.PreparedCRL{
		TBS: tbs, TBSHash: sha256Hex(tbs), ThisUpdate: from, NextUpdate: nextUpdate, Entries: len(revoked),
	}, nil
}

// bySerial orders serials as numbers: their texts have no leading zeros.
func bySerial(a, b commands.RevokedSerial) int {
	if len(a.Serial) != len(b.Serial) {
		return len(a.Serial) - len(b.Serial)
	}
	return strings.Compare(a.Serial, b.Serial)
}

// lintCRL lints a list under a signature of nothing, and reads it as others do.
func (a *Authority) lintCRL(tbs []byte) error {
	der := a.crls.signed(tbs, []byte{0})
	list, err := x509.ParseRevocationList(der)
	if err != nil || !bytes.Equal(list.RawTBSRevocationList, tbs) {
		return ErrOtherBytes
	}
	return a.linter.revocationList(der)
}

// crlEncoder writes what crypto/x509.CreateRevocationList would have signed, byte
// for byte, and many times as fast: there may be a million entries.
type crlEncoder struct {
	head      []byte // version, algorithm, issuer
	algorithm []byte
	authority []byte // extension with the key identifier
	kind      x509.SignatureAlgorithm
}

// newCRLEncoder learns how the standard library writes what is the same in every
// list: it has the throwaway sign an empty one.
func newCRLEncoder(t throwaway) (crlEncoder, error) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: noon, NextUpdate: noon.Add(CRLLife),
	}, t.issuer, t.key)
	if err != nil {
		return crlEncoder{}, err
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return crlEncoder{}, err
	}
	var parts struct {
		Version                            int
		Algorithm, Issuer, This, Next, Ext asn1.RawValue
	}
	if _, err := asn1.Unmarshal(list.RawTBSRevocationList, &parts); err != nil {
		return crlEncoder{}, err
	}
	e := crlEncoder{algorithm: parts.Algorithm.FullBytes, kind: list.SignatureAlgorithm}
	e.head = slices.Concat([]byte{2, 1, byte(parts.Version)}, e.algorithm, parts.Issuer.FullBytes)
	for _, x := range list.Extensions {
		if x.Id.Equal(oidAuthorityKeyID) {
			e.authority = appendDER(nil, 0x30, slices.Concat([]byte{6, 3, 0x55, 0x1d, 0x23}, appendDER(nil, 4, x.Value)))
		}
	}
	return e, nil
}

// encode wants entries in order.
func (e crlEncoder) encode(number uint64, thisUpdate, nextUpdate time.Time, revoked []commands.RevokedSerial) ([]byte, error) {
	entries, err := appendEntries(make([]byte, 0, len(revoked)*52), revoked)
	if err != nil {
		return nil, err
	}
	times := appendTime(appendTime(nil, thisUpdate), nextUpdate)
	if len(entries) > 0 { // else the field is absent (RFC 5280 §5.1.2.6)
		times = appendLength(append(times, 0x30), len(entries))
	}
	extensions := e.extensions(number)
	length := len(e.head) + len(times) + len(entries) + len(extensions)
	tbs := appendLength(append(make([]byte, 0, length+8), 0x30), length)
	return append(append(append(append(tbs, e.head...), times...), entries...), extensions...), nil
}

// extensions are key identifier and number, and no more (RFC 5280 §5.2.1, §5.2.3).
func (e crlEncoder) extensions(number uint64) []byte {
	value := appendDER(nil, 4, appendInteger(nil, new(big.Int).SetUint64(number).Bytes()))
	numbered := appendDER(nil, 0x30, append([]byte{6, 3, 0x55, 0x1d, 0x14}, value...))
	return appendDER(nil, 0xa0, appendDER(nil, 0x30, slices.Concat(e.authority, numbered)))
}

// signed puts list and signature together (RFC 5280 §5.1).
func (e crlEncoder) signed(tbs, signature []byte) []byte {
	tail := append(slices.Clone(e.algorithm), appendDER(nil, 3, append([]byte{0}, signature...))...)
	der := appendLength(append(make([]byte, 0, len(tbs)+len(tail)+8), 0x30), len(tbs)+len(tail))
	return append(append(der, tbs...), tail...)
}

func appendEntries(b []byte, revoked []commands.RevokedSerial) ([]byte, error) {
	for i, r := range revoked {
		if i > 0 && revoked[i-1].Serial == r.Serial {
			return nil, ErrListedTwice
		}
		var err error
		if b, err = appendEntry(b, r); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// appendEntry writes serial, time, and the reason where it says something: 0 is
// left out (RFC 5280 §5.3.1).
func appendEntry(b []byte, r commands.RevokedSerial) ([]byte, error) {
	var raw [20]byte
	if len(r.Serial) > 2*len(raw) {
		return nil, ErrSerial
	}
	n, err := hex.Decode(raw[:], []byte(r.Serial))
	switch {
	case err != nil || n == 0 || raw[0] == 0 || strings.ContainsAny(r.Serial, "ABCDEF"):
		return nil, ErrSerial
	case r.At.IsZero():
		return nil, ErrRevokedWhen
	}
	at := len(b)
	b = append(b, 0x30, 0)
	b = appendTime(appendInteger(b, raw[:n]), r.At)
	if code := r.Reason.Code(); code != 0 {
		b = append(b, 0x30, 12, 0x30, 10, 6, 3, 0x55, 0x1d, 0x15, 4, 3, 10, 1, byte(code))
	}
	b[at+1] = byte(len(b) - at - 2) // 56 at most
	return b, nil
}

// appendTime writes UTCTime up to 2049 and GeneralizedTime from then on (RFC 5280
// §5.1.2.4).
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 1950 || year >= 2050 {
		b = appendTwo(append(b, 24, 15), year/100)
	} else {
		b = append(b, 23, 13)
	}
	for _, n := range [...]int{year % 100, int(month), day, hour, minute, second} {
		b = appendTwo(b, n)
	}
	return append(b, 'Z')
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// appendInteger writes a number that is not negative, given big-endian without
// leading zeros.
func appendInteger(b, n []byte) []byte {
	if len(n) == 0 || n[0] >= 0x80 {
		return append(append(b, 2, byte(len(n)+1), 0), n...)
	}
	return append(append(b, 2, byte(len(n))), n...)
}

func appendDER(b []byte, tag byte, value []byte) []byte {
	return append(appendLength(append(b, tag), len(value)), value...)
}

func appendLength(b []byte, n int) []byte {
	if n < 0x80 {
		return append(b, byte(n))
	}
	length := new(big.Int).SetInt64(int64(n)).Bytes()
	return append(append(b, 0x80|byte(len(length))), length...)
}

// AssembleCRL puts a list's signature behind its bytes.
func (a *Authority) AssembleCRL(tbs, signature []byte) []byte { return a.crls.signed(tbs, signature) }

// CheckCRL compares a signed list with its to-be-signed bytes and verifies the
// issuer's signature.
func (a *Authority) CheckCRL(der, tbs []byte) (commands.SignedCRL, error) {
	var list struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	rest, err := asn1.Unmarshal(der, &list)
	if err != nil || len(rest) > 0 || !bytes.Equal(list.TBS.FullBytes, tbs) || !bytes.Equal(list.Algorithm.FullBytes, a.crls.algorithm) {
		return commands.SignedCRL{}, ErrOtherBytes
	}
	if err := a.certificate.CheckSignature(a.crls.kind, tbs, list.Signature.RightAlign()); err != nil {
		return commands.SignedCRL{}, ErrIssuerSignature
	}
	return commands.SignedCRL{Signature: list.Signature.Bytes, Hash: sha256Hex(der), Size: len(der)}, nil
}
