package signer

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"time"
)

// scannedCRL is what a to-be-signed revocation list says, its entries counted.
type scannedCRL struct {
	algorithm, issuer      []byte // DER
	thisUpdate, nextUpdate time.Time
	entries                int
	number                 uint64
	keyID                  []byte
}

// algorithms are the ones of algorithmFor, DER.
var algorithms = map[x509.SignatureAlgorithm][]byte{
	x509.SHA256WithRSA:   {0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0},
	x509.ECDSAWithSHA256: {0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2},
	x509.ECDSAWithSHA384: {0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3},
}

// The longest of what a list is made of.
const (
	maxName       = 4 << 10
	maxEntry      = 64
	maxExtensions = 256
)

// scanCRL reads a list of the one form that is signed here, and refuses any
// other with ErrTBS: version 2, entries in the order of their serials, none twice,
// with no more than a reason, key identifier and number (RFC 5280 §5). It goes
// once through the bytes and keeps nothing of them: a parser that remembers each
// entry takes longer for a million than everything else.
func scanCRL(tbs io.Reader) (list scannedCRL, err error) {
	s := &scanner{from: bufio.NewReaderSize(tbs, 64<<10)}
	end := s.open(asn1.TagSequence | constructed)
	s.expect(0x02, 0x01, 0x01)
	list.algorithm = s.element(asn1.TagSequence|constructed, maxEntry)
	list.issuer = s.element(asn1.TagSequence|constructed, maxName)
	list.thisUpdate, list.nextUpdate = s.time(), s.time()
	if s.next() == asn1.TagSequence|constructed {
		list.entries = s.entries()
	}
	list.number, list.keyID = s.extensions()
	if s.failed == nil && (s.at != end || !s.ended()) {
		s.fail()
	}
	return list, s.failed
}

const constructed = 0x20

// scanner reads DER from the front. After the first thing that is wrong it reads
// no more.
type scanner struct {
	from   *bufio.Reader
	at     int // bytes read
	failed error
}

func (s *scanner) fail() {
	if s.failed == nil {
		s.failed = ErrTBS
	}
}

// take is the next n bytes, until more are taken; zeros after a failure.
func (s *scanner) take(n int) []byte {
	b, err := s.from.Peek(n)
	if err != nil || s.failed != nil {
		s.fail()
		return make([]byte, n)
	}
	_, _ = s.from.Discard(n) // they are there
	s.at += n
	return b
}

// next is the tag that comes; zero at the end.
func (s *scanner) next() byte {
	b, err := s.from.Peek(1)
	if err != nil {
		return 0
	}
	return b[0]
}

func (s *scanner) ended() bool {
	_, err := s.from.Peek(1)
	return errors.Is(err, io.EOF)
}

func (s *scanner) expect(want ...byte) {
	if !bytes.Equal(s.take(len(want)), want) {
		s.fail()
	}
}

// open reads a tag and a length, and tells where its value ends. Lengths have
// one form in DER, the shortest.
func (s *scanner) open(tag byte) (end int) {
	s.expect(tag)
	length := int(s.take(1)[0])
	if length >= 0x80 {
		n := length & 0x7f
		if n == 0 || n > 4 {
			s.fail()
			return s.at
		}
		length = 0
		for _, b := range s.take(n) {
			length = length<<8 | int(b)
		}
		if length < 0x80 || length>>(8*(n-1)) == 0 {
			s.fail()
		}
	}
	return s.at + length
}

// element is a whole value with tag and length.
func (s *scanner) element(tag byte, most int) []byte {
	head, _ := s.from.Peek(6)
	head = bytes.Clone(head)
	began := s.at
	end := s.open(tag)
	if s.failed != nil || end-began > most {
		s.fail()
		return nil
	}
	return append(head[:s.at-began:s.at-began], s.take(end-s.at)...)
}

// time is UTCTime until 2049 and GeneralizedTime from then on (RFC 5280 §5.1.2.4).
func (s *scanner) time() time.Time {
	layout, tag := "060102150405Z", byte(asn1.TagUTCTime)
	if s.next() == asn1.TagGeneralizedTime {
		layout, tag = "20060102150405Z", asn1.TagGeneralizedTime
	}
	s.expect(tag, byte(len(layout)))
	t, err := time.Parse(layout, string(s.take(len(layout))))
	if t.Year() >= 2050 && tag == asn1.TagUTCTime { // two digits from 50 are of the last century
		t = t.AddDate(-100, 0, 0)
	}
	if err != nil || (t.Year() >= 2050) != (tag == asn1.TagGeneralizedTime) {
		s.fail()
	}
	return t
}

// entries counts them. There is no empty list of entries (RFC 5280 §5.1.2.6).
func (s *scanner) entries() (n int) {
	end := s.open(asn1.TagSequence | constructed)
	var before [21]byte
	for s.failed == nil && s.at < end {
		s.entry(&before)
		n++
	}
	if n == 0 || s.at != end {
		s.fail()
	}
	return n
}

// entry checks one line. Its serial must be above the one before.
func (s *scanner) entry(before *[21]byte) {
	head, err := s.from.Peek(2)
	if err != nil || head[0] != asn1.TagSequence|constructed || head[1] > maxEntry {
		s.fail()
		return
	}
	b := s.take(2 + int(head[1]))[2:]
	serial, rest := serialOf(b)
	if serial == nil {
		s.fail()
		return
	}
	var now [21]byte
	copy(now[len(now)-len(serial):], serial)
	if bytes.Compare(now[:], before[:]) <= 0 || !reasonOrNone(afterTime(rest)) {
		s.fail()
	}
	*before = now
}

// serialOf is a positive integer of 20 octets at most, in its shortest form (RFC
// 5280 §4.1.2.2).
func serialOf(b []byte) (serial, rest []byte) {
	if len(b) < 3 || b[0] != asn1.TagInteger || b[1] == 0 || b[1] > 21 || len(b) < 2+int(b[1]) {
		return nil, nil
	}
	serial, rest = b[2:2+b[1]], b[2+b[1]:]
	switch {
	case serial[0] >= 0x80, serial[0] == 0 && (len(serial) == 1 || serial[1] < 0x80), len(serial) == 21 && serial[0] != 0:
		return nil, nil
	}
	return serial, rest
}

// afterTime is what stands behind a time, nil if there is none.
func afterTime(b []byte) []byte {
	if len(b) < 15 {
		return nil
	}
	n := int(b[1])
	if !(b[0] == asn1.TagUTCTime && n == 13 || b[0] == asn1.TagGeneralizedTime && n == 15) || len(b) < 2+n || b[1+n] != 'Z' {
		return nil
	}
	digits := b[2 : 1+n]
	for _, c := range digits {
		if c < '0' || c > '9' {
			return nil
		}
	}
	two := func(i int) int { return int(digits[i]-'0')*10 + int(digits[i+1]-'0') }
	d := n - 11 // where the month begins
	if two(d) < 1 || two(d) > 12 || two(d+2) < 1 || two(d+2) > 31 || two(d+4) > 23 || two(d+6) > 59 || two(d+8) > 59 {
		return nil
	}
	return b[2+n:]
}

// reasonOrNone accepts a reason other than 0, 7 and 8, or nothing at all (RFC
// 5280 §5.3.1).
func reasonOrNone(b []byte) bool {
	if len(b) == 0 {
		return b != nil
	}
	head := []byte{0x30, 12, 0x30, 10, 6, 3, 0x55, 0x1d, 0x15, 4, 3, 10, 1}
	if len(b) != len(head)+1 || !bytes.Equal(b[:len(head)], head) {
		return false
	}
	code := b[len(head)]
	return code >= 1 && code <= 10 && code != 7 && code != 8
}

var (
	oidAuthorityKeyID = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidCRLNumber      = asn1.ObjectIdentifier{2, 5, 29, 20}
)

// extensions are key identifier and number, neither critical, and no more.
func (s *scanner) extensions() (number uint64, keyID []byte) {
	type extension struct {
		ID    asn1.ObjectIdentifier
		Value []byte
	}
	var all struct {
		Authority, Number extension
	}
	raw := s.element(0xa0, maxExtensions)
	if s.failed != nil {
		return 0, nil
	}
	var key struct {
		ID []byte `asn1:"tag:0"`
	}
	n := new(big.Int)
	rest, err := asn1.UnmarshalWithParams(raw, &all, "explicit,tag:0")
	if err != nil || len(rest) > 0 || !all.Authority.ID.Equal(oidAuthorityKeyID) || !all.Number.ID.Equal(oidCRLNumber) {
		s.fail()
		return 0, nil
	}
	restKey, badKey := asn1.Unmarshal(all.Authority.Value, &key)
	restNumber, badNumber := asn1.Unmarshal(all.Number.Value, &n)
	written, _ := asn1.MarshalWithParams(all, "explicit,tag:0")
	if badKey != nil || badNumber != nil || len(restKey)+len(restNumber) > 0 || !n.IsUint64() || !bytes.Equal(written, raw) {
		s.fail()
	}
	return n.Uint64(), key.ID
}
