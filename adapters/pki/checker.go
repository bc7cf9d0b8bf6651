package pki

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/event"
)

// Checker compares a revocation list with the log before it is signed. It folds
// and parses in ways of its own: what is wrong in the making of lists is not
// wrong here in the same way.
type Checker struct {
	issuer *x509.Certificate
	id     string
	log    event.Log

	mu    sync.Mutex
	at    event.Position
	facts map[string]fact // by serial, raw
	vague map[string]bool // facts whose issuer and end no event said
}

// fact is what the log says of a serial that is revoked or on hold.
type fact struct {
	reason  certificate.Reason
	since   int64 // seconds, as all times here
	end     int64 // of validity; 0 if none was intended
	foreign bool  // of another issuer
}

var _ commands.ListChecker = (*Checker)(nil)

// Checker makes a checker of this issuer's lists.
func (a *Authority) Checker(log event.Log) *Checker {
	c := &Checker{issuer: a.certificate, id: a.fingerprint, log: log}
	c.forget()
	return c
}

func (c *Checker) forget() { c.at, c.facts, c.vague = 0, map[string]fact{}, map[string]bool{} }

// Follow reads on to the log's end.
func (c *Checker) Follow(ctx context.Context) error {
	head, err := c.log.Head(ctx)
	if err != nil {
		return errors.Join(commands.ErrLogUnavailable, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fold(ctx, head)
}

// fold takes in what is written up to a position.
func (c *Checker) fold(ctx context.Context, upTo event.Position) error {
	if upTo < c.at {
		c.forget()
	}
	if upTo == c.at {
		return nil
	}
	for r, err := range c.log.ReadAll(ctx, c.at, "certificate.revoked.", "certificate.suspen") {
		if err != nil {
			return errors.Join(commands.ErrLogUnavailable, err)
		}
		if r.Position > upTo {
			break
		}
		if err := c.learn(r); err != nil {
			return err
		}
		c.at = r.Position
	}
	c.at = upTo
	return nil
}

func (c *Checker) learn(r event.Recorded) error {
	e, err := certificate.Catalog.Open(r)
	if err != nil {
		return err
	}
	serial, err := rawSerial(r.Stream)
	if err != nil {
		return err
	}
	was, known := c.facts[serial]
	switch e := e.(type) {
	case certificate.Revoked:
		now := fact{reason: e.Reason, since: e.At.Unix(), foreign: e.Issuer != c.id}
		if !e.NotAfter.IsZero() {
			now.end = e.NotAfter.Unix()
		}
		if known && was.reason != certificate.CertificateHold {
			now.since = was.since
		}
		c.facts[serial] = now
		c.vague[serial] = e.Issuer == ""
	case certificate.Suspended:
		c.facts[serial], c.vague[serial] = fact{reason: certificate.CertificateHold, since: e.At.Unix()}, true
	case certificate.SuspensionLifted:
		delete(c.facts, serial)
		c.vague[serial] = false // nor is it looked up any more
	}
	if !c.vague[serial] {
		delete(c.vague, serial)
	}
	return nil
}

func rawSerial(s event.Stream) (string, error) {
	raw, err := hex.DecodeString(s.ID())
	return string(raw), err
}

// settle looks up what no revocation said: in the intents, which began each
// certificate's stream.
func (c *Checker) settle(ctx context.Context) error {
	if len(c.vague) > 100 { // then it is quicker to read them all
		for r, err := range c.log.ReadAll(ctx, 0, "certificate.issuance-intended.") {
			if err := c.begun(r, err); err != nil {
				return err
			}
		}
	} else {
		for serial := range c.vague {
			for r, err := range c.log.Read(ctx, certificate.Kind.Stream(hex.EncodeToString([]byte(serial))), 0) {
				if err := c.begun(r, err); err != nil {
					return err
				}
				break
			}
		}
	}
	for serial := range c.vague { // of the others nothing was ever intended
		f := c.facts[serial]
		f.foreign = false
		c.facts[serial] = f
	}
	clear(c.vague)
	return nil
}

func (c *Checker) begun(r event.Recorded, err error) error {
	if err != nil {
		return errors.Join(commands.ErrLogUnavailable, err)
	}
	serial, err := rawSerial(r.Stream)
	if err != nil || !c.vague[serial] {
		return err
	}
	e, err := certificate.Catalog.Open(r)
	if i, ok := e.(certificate.IssuanceIntended); ok {
		f := c.facts[serial]
		f.end, f.foreign = i.NotAfter.Unix(), i.Issuer != c.id
		c.facts[serial] = f
		delete(c.vague, serial)
	}
	return err
}

// Check refuses a list that is not exactly what the log says up to a position.
func (c *Checker) Check(ctx context.Context, tbs []byte, upTo event.Position) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.fold(ctx, upTo); err != nil {
		return err
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	before, err := c.series(ctx)
	if err != nil {
		return err
	}
	list, err := c.parse(tbs)
	if err == nil {
		err = c.compare(list, before)
	}
	if err != nil {
		return errors.Join(commands.ErrListRefused, fmt.Errorf("pki: list %d of %s: %w", list.number, c.id[:16], err))
	}
	return nil
}

// before is how far the series is: the greatest number, and the latest list's time.
type before struct {
	number     uint64
	lastUpdate int64
}

// series reads its stream from the end until the latest signed list's intent.
func (c *Checker) series(ctx context.Context) (b before, err error) {
	var signed uint64
	for r, err := range c.log.ReadBack(ctx, crl.Kind.Stream(c.id)) {
		if err != nil {
			return b, errors.Join(commands.ErrLogUnavailable, err)
		}
		e, err := crl.Catalog.Open(r)
		if err != nil {
			return b, err
		}
		switch e := e.(type) {
		case crl.Signed:
			signed = max(signed, e.Number)
		case crl.Intended:
			b.number = max(b.number, e.Number)
			if e.Number == signed {
				b.lastUpdate = e.ThisUpdate.Unix()
				return b, nil
			}
		}
	}
	return b, nil
}

// parsed is a list without its entries.
type parsed struct {
	number                 uint64
	thisUpdate, nextUpdate time.Time
	entries                cryptobyte.String
}

var (
	errShape     = errors.New("it is not of the form of RFC 5280 §5.1")
	errIssuer    = errors.New("its issuer or key identifier is not this CA's")
	oidReason    = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidCRLNumber = asn1.ObjectIdentifier{2, 5, 29, 20}
)

func (c *Checker) parse(tbs []byte) (p parsed, err error) {
	all, list := cryptobyte.String(tbs), cryptobyte.String(nil)
	var version int
	var issuer, extensions cryptobyte.String
	var listed, extended bool
	if !all.ReadASN1(&list, der.SEQUENCE) || !all.Empty() || !list.ReadASN1Integer(&version) || version != 1 ||
		!list.SkipASN1(der.SEQUENCE) || !list.ReadASN1Element(&issuer, der.SEQUENCE) ||
		!readTime(&list, &p.thisUpdate) || !readTime(&list, &p.nextUpdate) ||
		!list.ReadOptionalASN1(&p.entries, &listed, der.SEQUENCE) ||
		!list.ReadOptionalASN1(&extensions, &extended, der.Tag(0).ContextSpecific().Constructed()) || !list.Empty() {
		return p, errShape
	}
	if !extended || listed == p.entries.Empty() {
		return p, errShape
	}
	if !bytes.Equal(issuer, c.issuer.RawSubject) {
		return p, errIssuer
	}
	return p, c.extensions(extensions, &p)
}

// extensions are key identifier and number, each once, and no other.
func (c *Checker) extensions(s cryptobyte.String, p *parsed) error {
	var inner cryptobyte.String
	if !s.ReadASN1(&inner, der.SEQUENCE) || !s.Empty() {
		return errShape
	}
	seen := map[string]bool{}
	for !inner.Empty() {
		var x, value cryptobyte.String
		var id asn1.ObjectIdentifier
		if !inner.ReadASN1(&x, der.SEQUENCE) || !x.ReadASN1ObjectIdentifier(&id) || !x.ReadASN1(&value, der.OCTET_STRING) || !x.Empty() {
			return errShape
		}
		switch {
		case id.Equal(oidCRLNumber) && value.ReadASN1Integer(&p.number) && value.Empty():
		case id.Equal(oidAuthorityKeyID) && c.isOurKey(value):
		default:
			return errIssuer
		}
		seen[id.String()] = true
	}
	if len(seen) != 2 {
		return errShape
	}
	return nil
}

func (c *Checker) isOurKey(value cryptobyte.String) bool {
	var inner, id cryptobyte.String
	return value.ReadASN1(&inner, der.SEQUENCE) && value.Empty() &&
		inner.ReadASN1(&id, der.Tag(0).ContextSpecific()) && inner.Empty() && bytes.Equal(id, c.issuer.SubjectKeyId)
}

func readTime(s *cryptobyte.String, t *time.Time) bool {
	if s.PeekASN1Tag(der.UTCTime) {
		return s.ReadASN1UTCTime(t)
	}
	return s.ReadASN1GeneralizedTime(t)
}

// compare wants each line to be in the log, and each of the log's on the list.
func (c *Checker) compare(list parsed, b before) error {
	switch {
	case list.number <= b.number:
		return errors.Join(crl.ErrNumber, fmt.Errorf("its number is not above %d, which was used", b.number))
	case list.thisUpdate.Unix() < b.lastUpdate, !list.nextUpdate.After(list.thisUpdate):
		return errors.New("its times go back")
	}
	found, previous := 0, ""
	for entries := list.entries; !entries.Empty(); found++ {
		serial, err := c.line(&entries, b.lastUpdate)
		if err != nil {
			return err
		}
		if len(serial) < len(previous) || len(serial) == len(previous) && serial <= previous {
			return fmt.Errorf("serial %x stands twice or out of order", serial)
		}
		previous = serial
	}
	wanted := 0
	for _, f := range c.facts {
		if f.belongs(b.lastUpdate) {
			wanted++
		}
	}
	if found != wanted {
		return fmt.Errorf("it has %d entries, and the log knows %d", found, wanted)
	}
	return nil
}

// belongs says what must be listed: what is not over, and once more what was over
// at the list before (RFC 5280 §3.3).
func (f fact) belongs(lastUpdate int64) bool {
	return !f.foreign && (f.end == 0 || f.end >= lastUpdate)
}

// line compares one entry with the log. Its serial is without the leading zero
// that keeps it positive.
func (c *Checker) line(entries *cryptobyte.String, lastUpdate int64) (string, error) {
	var e, serial, at, extensions cryptobyte.String
	var kind der.Tag
	var extended bool
	if !entries.ReadASN1(&e, der.SEQUENCE) || !e.ReadASN1(&serial, der.INTEGER) || !e.ReadAnyASN1(&at, &kind) ||
		!e.ReadOptionalASN1(&extensions, &extended, der.SEQUENCE) || !e.Empty() || len(serial) == 0 || serial[0] >= 0x80 {
		return "", errShape
	}
	if serial[0] == 0 {
		serial = serial[1:]
	}
	f, known := c.facts[string(serial)]
	switch {
	case !known:
		return "", fmt.Errorf("serial %x is listed, and the log knows no revocation of it", []byte(serial))
	case !f.belongs(lastUpdate):
		return "", fmt.Errorf("serial %x is listed, and is over or another issuer's", []byte(serial))
	case !f.at(kind, at):
		return "", fmt.Errorf("serial %x is listed with a wrong time", []byte(serial))
	case !f.because(extended, extensions):
		return "", fmt.Errorf("serial %x is listed with a wrong reason", []byte(serial))
	}
	return string(serial), nil
}

// at compares times as they are written: reading a million would take longer.
func (f fact) at(kind der.Tag, text cryptobyte.String) bool {
	var b [16]byte
	since := time.Unix(f.since, 0).UTC()
	if y := since.Year(); y >= 1950 && y < 2050 {
		return kind == der.UTCTime && bytes.Equal(since.AppendFormat(b[:0], "060102150405Z"), text)
	}
	return kind == der.GeneralizedTime && bytes.Equal(since.AppendFormat(b[:0], "20060102150405Z"), text)
}

func (f fact) because(extended bool, s cryptobyte.String) bool {
	if !extended {
		return f.reason.Code() == 0
	}
	var x, value cryptobyte.String
	var id asn1.ObjectIdentifier
	var code int
	return s.ReadASN1(&x, der.SEQUENCE) && s.Empty() && x.ReadASN1ObjectIdentifier(&id) && id.Equal(oidReason) &&
		x.ReadASN1(&value, der.OCTET_STRING) && x.Empty() && value.ReadASN1Enum(&code) && value.Empty() && code == f.reason.Code() && code != 0
}
