package auditor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"govahi/domain/event"
)

// The kinds of differences.
const (
	NotReadable  = "unreadable"   // its stored bytes are missing, not sealed for their place, or no certificate
	Fingerprint  = "fingerprint"  // its bytes are not those that the log names
	TBS          = "tbs"          // something else was signed than was intended
	Signature    = "signature"    // not by the issuer's key
	Issuer       = "issuer"       // of another issuer, or of none of the house's
	IssuerEnded  = "issuer-ended" // issued after its issuer's end, or trusted an hour after its key was declared compromised
	Address      = "address"      // it says that its issuer's list, responder or certificate is elsewhere
	SerialNumber = "serial"       // it bears another serial than its stream
	SerialTwice  = "serial-twice" // intended or issued more than once under one serial
	Key          = "key"          // another key than intended or requested
	KeyTwice     = "key-twice"    // its key is another certificate's or request's, too
	Profile      = "profile"      // of another profile than intended
	Validity     = "validity"     // another validity than intended, or one beyond its issuer's
	Linted       = "lint"         // it breaks a rule
	Subject      = "subject"      // about somebody else than the record
	Intent       = "intent"       // issued without having been intended before
	Signing      = "signing"      // not signed exactly once, between intent and issue
	Abandoned    = "abandoned"    // an attempt that was given up and not revoked as superseded, or issued all the same
	Unfinished   = "unfinished"   // an attempt that nobody has finished or given up for an hour
)

// Kinds lists every kind in the order in which it is checked, for documents.
var Kinds = []string{
	Intent, Signing, SerialTwice, Abandoned, Unfinished, NotReadable, Fingerprint, TBS, Signature, Issuer, Address, IssuerEnded, SerialNumber, Key,
	KeyTwice, Renewal, Profile, Validity, Linted, Subject, Record, Confirmation, Control, FourEyes, Request, RASignature, RACertificate,
	Appointment, Licence, Vouched, Delegation, Fee, FeeTwice, Amount, Reference, Contract, Token, Custody, PIN, Delivery,
	List, ListMissing, ListSurplus, ListUnknown, ListReason, ListDate, OCSP,
}

// patience is how long an attempt may be under way, and a revocation on its way
// to the list (ETSI EN 319 411-1: 60 minutes).
const patience = time.Hour

// subject is one serial while it is checked.
type subject struct {
	*run
	id     string
	facts  facts
	by     *issuer
	intent fact
	issued fact
	der    []byte
	parsed *x509.Certificate // nil where it cannot be read

	told   map[string]bool // kinds, and kinds with what was expected
	erased bool
	renews bool // another's certificate, of the same key
}

// check follows one serial through everything that it cites.
func (r *run) check(ctx context.Context, id string) error {
	s, err := r.read(ctx, event.NewStream("certificate", id))
	if err != nil {
		return err
	}
	c := &subject{run: r, id: id, facts: s, told: map[string]bool{}}
	var issued bool
	c.intent, _ = s.last("issuance-intended")
	c.issued, issued = s.last("issued")
	c.by = r.issuerOf(c.intent.data.text("issuer"), c.issued.data.text("issuer"))
	c.attempts()
	if !issued {
		r.count(&r.summary.Abandoned)
		return c.askStatus(ctx)
	}
	r.count(&r.summary.Checked)
	for _, part := range []func(context.Context) error{c.bytes, c.profiled, c.inOffice, c.grounds, c.claimKey, c.askStatus} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	if c.erased {
		r.count(&r.summary.Erased)
	}
	return nil
}

// differs reports once for one certificate that something else was found than was
// expected. One kind may have several such things: two addresses, say.
func (c *subject) differs(kind, expected, found string) {
	thing := kind + " " + expected
	if c.told[thing] {
		return
	}
	c.told[kind], c.told[thing] = true, true
	c.tell(Difference{c.id, kind, expected, found})
}

// same reports a difference of two texts.
func (c *subject) same(kind, what, expected, found string) {
	if expected != found {
		c.differs(kind, what+" "+or(expected), or(found))
	}
}

func or(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// attempts checks the order of intent, fence and issue, and that what was given
// up is revoked (pki §5.3).
func (c *subject) attempts() {
	intents, issues, starts := c.facts.all("issuance-intended"), c.facts.all("issued"), c.facts.all("signing-started")
	gone, abandoned := c.facts.last("issuance-abandoned")
	switch {
	case len(issues) > 1 || len(intents) > 1:
		c.differs(SerialTwice, "one intent and one certificate under a serial", fmt.Sprintf("%d and %d", len(intents), len(issues)))
	case len(intents) == 0 && len(issues)+len(starts) > 0, len(issues) == 1 && c.intent.Position > c.issued.Position:
		c.differs(Intent, "an intent before the certificate", "none")
	case len(starts) > 1, len(issues) == 1 && (len(starts) == 0 || starts[0].Position > c.issued.Position),
		len(starts) == 1 && starts[0].Position < c.intent.Position:
		c.differs(Signing, "one start of the signature between intent and certificate", fmt.Sprintf("%d in another order", len(starts)))
	case abandoned && len(issues) > 0:
		c.differs(Abandoned, "no certificate after it was abandoned", "issued")
	case abandoned:
		revoked, _ := c.facts.last("revoked")
		if revoked.Position < gone.Position || revoked.data.text("reason") != "superseded" {
			c.differs(Abandoned, "revoked as superseded when it was abandoned", or(revoked.data.text("reason")))
		}
	case len(issues) == 0 && len(intents) > 0 && c.now.Sub(c.intent.data.time("at")) > patience:
		c.differs(Unfinished, "issued or abandoned within an hour", "intended "+c.intent.data.text("at"))
	}
}

// bytes opens what was issued and holds it against its intent. Where the bytes
// are others altogether, what they say is of no interest.
func (c *subject) bytes(ctx context.Context) error {
	if err := c.open(ctx); err != nil {
		return err
	}
	c.clear()
	if c.der == nil {
		return nil
	}
	if found := digest(c.der); found != c.issued.data.text("fingerprint") {
		c.differs(Fingerprint, c.issued.data.text("fingerprint"), found)
		return nil
	}
	parsed, err := x509.ParseCertificate(c.der)
	if err != nil {
		c.differs(NotReadable, "a certificate", "something else")
		return nil
	}
	c.parsed = parsed
	if c.intent.Type == "" {
		return c.lint() // there is nothing to hold it against, which was said
	}
	if found := digest(parsed.RawTBSCertificate); found != c.intent.data.text("tbsSha256") {
		c.differs(TBS, c.intent.data.text("tbsSha256"), found)
		return nil
	}
	if err := parsed.CheckSignatureFrom(c.by.Certificate); err != nil {
		c.differs(Signature, "the issuer's", "another's")
	}
	c.fields()
	return c.lint()
}

// open finds the DER: sealed under the person's key, or in clear where it is
// about nobody.
func (c *subject) open(ctx context.Context) (err error) {
	if _, sealed := c.issued.data["certificate"]; !sealed {
		c.der = c.issued.data.bytes("public")
	} else {
		c.der, err = c.run.der(ctx, c.issued, "certificate")
	}
	switch {
	case errors.Is(err, event.ErrErased):
		c.erased = true
		return nil
	case errors.Is(err, errNotSealed):
		c.differs(NotReadable, "sealed for its place under its person's key", "not so")
		return nil
	case err == nil && len(c.der) == 0:
		c.differs(NotReadable, "the certificate's bytes", "none")
		c.der = nil
	}
	return err
}

// clear compares what intent and issue say in clear, which outlives an erasure.
func (c *subject) clear() {
	if c.intent.Type == "" {
		return
	}
	intent, issued := c.intent.data, c.issued.data
	c.same(SerialNumber, "the stream's", c.id, intent.text("serial"))
	c.same(SerialNumber, "the stream's", c.id, issued.text("serial"))
	c.same(Profile, "as intended", intent.text("profile"), issued.text("profile"))
	c.same(Issuer, "an issuer of the house, such as", c.by.id, intent.text("issuer"))
	if said := issued.text("issuer"); said != "" { // the first shape of an issue did not tell
		c.same(Issuer, "as intended", intent.text("issuer"), said)
	}
	if intent.text("subject") != issued.text("subject") {
		c.differs(Subject, "whom the intent is about", "somebody else")
	}
	for _, field := range []string{"notBefore", "notAfter"} {
		if !intent.time(field).Equal(issued.time(field)) {
			c.differs(Validity, field+" "+intent.text(field), issued.text(field))
		}
	}
}

// fields compares the certificate with its intent.
func (c *subject) fields() {
	p, intent := c.parsed, c.intent.data
	if found := hex.EncodeToString(p.SerialNumber.Bytes()); found != c.id {
		c.differs(SerialNumber, "the stream's "+c.id, found)
	}
	issuer := c.by.Certificate
	if !bytes.Equal(p.RawIssuer, issuer.RawSubject) || !bytes.Equal(p.AuthorityKeyId, issuer.SubjectKeyId) {
		c.differs(Issuer, "the issuer's name and key identifier", "others")
	}
	c.addresses()
	c.same(Key, "as intended", intent.text("keyHash"), digest(p.RawSubjectPublicKeyInfo))
	for field, found := range map[string]time.Time{"notBefore": p.NotBefore, "notAfter": p.NotAfter} {
		if !intent.time(field).Equal(found) {
			c.differs(Validity, field+" "+intent.text(field), found.Format(time.RFC3339))
		}
	}
	if p.NotAfter.After(issuer.NotAfter) || p.NotBefore.Before(issuer.NotBefore) || !p.NotBefore.Before(p.NotAfter) {
		c.differs(Validity, "within the issuer's", p.NotBefore.Format(time.RFC3339)+" to "+p.NotAfter.Format(time.RFC3339))
	}
}

// addresses wants it to send relying parties to its own issuer's list, responder and
// certificate (RFC 5280 §4.2.1.13, §4.2.2.1). The responder's own certificate has
// nobody ask whether it is revoked (RFC 6960 §4.2.2.2.1).
func (c *subject) addresses() {
	list, responder := c.by.List, c.by.Responder
	switch {
	case list+responder+c.by.Itself == "":
		return
	case c.isOwn():
		list, responder = "", ""
	}
	c.same(Address, "the list at", list, strings.Join(c.parsed.CRLDistributionPoints, " "))
	c.same(Address, "the responder at", responder, strings.Join(c.parsed.OCSPServer, " "))
	c.same(Address, "the issuer's certificate at", c.by.Itself, strings.Join(c.parsed.IssuingCertificateURL, " "))
}

// keyID is the beginning of a key's SHA-256. There may be a million.
type keyID [16]byte

// claimKey finds the key's other certificate, and blames the later one. The
// responder goes on with its key under a new certificate, and so does a renewal,
// whose claim was looked at.
func (c *subject) claimKey(ctx context.Context) error {
	if c.parsed == nil || c.isOwn() || c.renews || c.told[KeyTwice] {
		return nil
	}
	sum := sha256.Sum256(c.parsed.RawSubjectPublicKeyInfo)
	key := keyID(sum[:])
	c.mu.Lock()
	mine := c.issued.Position
	other, taken := c.keys[key]
	if !taken || other > mine {
		c.keys[key] = mine
	}
	c.mu.Unlock()
	if !taken {
		return nil
	}
	id, err := c.issuedAt(ctx, other)
	switch {
	case err != nil:
		return err
	case other > mine:
		c.tell(Difference{id, KeyTwice, "a key of its own", "that of " + c.id})
	default:
		c.differs(KeyTwice, "a key of its own", "that of "+id)
	}
	return nil
}

// issuedAt is the serial of what was issued at a position.
func (r *run) issuedAt(ctx context.Context, at event.Position) (string, error) {
	for recorded, err := range r.Log.ReadAll(ctx, at-1, "certificate.") {
		if err != nil {
			return "", err
		}
		return recorded.Stream.ID(), nil
	}
	return "", nil
}

// isOwn tells the responder's certificates, which are about nobody.
func (c *subject) isOwn() bool { return strings.HasPrefix(c.profile(), "ocsp-responder@") }

func (c *subject) isOfficers() bool { return strings.HasPrefix(c.profile(), "ra-officer@") }

func (c *subject) profile() string {
	if p := c.intent.data.text("profile"); p != "" {
		return p
	}
	return c.issued.data.text("profile")
}

// profiled wants the profile to say what it said when the house first had it. The
// first shape of an intent did not tell.
func (c *subject) profiled(ctx context.Context) error {
	said, tells := c.intent.data["profileSha256"].(string)
	if !tells {
		return nil
	}
	s, err := c.readOften(ctx, event.NewStream("profile", c.profile()))
	if err != nil {
		return err
	}
	claimed, _ := s.before(c.intent.Position).last("claimed")
	c.same(Profile, "as claimed first", claimed.data.text("sha256"), said)
	return nil
}

// lint asks every lint again, by today's rules.
func (c *subject) lint() error {
	var broken []string
	for _, l := range c.Lints {
		found, err := l(c.profile(), c.parsed)
		if err != nil {
			return err
		}
		broken = append(broken, found...)
	}
	if len(broken) > 0 {
		c.differs(Linted, "no rule broken", strings.Join(broken, " "))
	}
	return nil
}

// grounds checks why it was issued: an applicant's on his confirmed record, an
// officer's on an operator's word, the responder's on its delegation.
func (c *subject) grounds(ctx context.Context) error {
	switch {
	case c.intent.Type == "": // said before
		return nil
	case c.isOwn():
		return c.delegation(ctx)
	case c.isOfficers():
		return c.credential(ctx)
	}
	return c.request(ctx)
}
