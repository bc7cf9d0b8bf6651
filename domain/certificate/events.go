package certificate

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"govahi/domain/event"
)

// Catalog lists every event of a certificate.
var Catalog = event.NewCatalog(
	event.Was("certificate.issuance-intended.v1", issuanceIntendedV1.upcast),
	event.Of[IssuanceIntended]("certificate.issuance-intended.v2"),
	event.Of[SigningStarted]("certificate.signing-started.v1"),
	event.Was("certificate.issued.v1", issuedV1.upcast),
	event.Of[Issued]("certificate.issued.v2"),
	event.Of[IssuanceAbandoned]("certificate.issuance-abandoned.v1"),
	event.Was("certificate.suspended.v1", suspendedV1.upcast),
	event.Of[Suspended]("certificate.suspended.v2"),
	event.Of[SuspensionLifted]("certificate.suspension-lifted.v1"),
	event.Was("certificate.revoked.v1", revokedV1.upcast),
	event.Of[Revoked]("certificate.revoked.v2"),
)

// Citation points at a fact: positions move with a log, revisions do not.
type Citation struct {
	Stream   event.Stream `json:"stream"`
	Revision uint64       `json:"revision"`
	Hash     string       `json:"hash,omitempty"` // of the record up to there, where one is meant
}

// IssuanceIntended reserves the serial and records, before the token is
// touched, exactly what is going to be signed and why (pki §5.3, step 1).
type IssuanceIntended struct {
	Serial       string               `json:"serial"`                 // lower-case hexadecimal, RFC 5280 §4.1.2.2
	Record       *Citation            `json:"record,omitempty"`       // the confirmed record; none for the CA's own certificates
	Confirmation *Citation            `json:"confirmation,omitempty"` // the second officer's word
	Fee          *Citation            `json:"fee,omitempty"`
	Subject      event.Subject        `json:"subject,omitempty"`
	Profile      string               `json:"profile"`       // name@version
	ProfileHash  string               `json:"profileSha256"` // of its canonical form, hexadecimal; empty in v1
	Issuer       string               `json:"issuer"`        // SHA-256 of the issuer's certificate, hexadecimal
	KeyHash      string               `json:"keyHash"`       // SHA-256 of the SubjectPublicKeyInfo, hexadecimal
	Token        string               `json:"token,omitempty"`
	Lint         LintResult           `json:"lint"`
	NotBefore    time.Time            `json:"notBefore"`
	NotAfter     time.Time            `json:"notAfter"`
	TBS          *event.Personal[DER] `json:"tbs,omitempty"`       // a person's certificate is personal data (domain §4.3)
	PublicTBS    []byte               `json:"publicTbs,omitempty"` // of a certificate that is about nobody
	TBSHash      string               `json:"tbsSha256"`           // hexadecimal, in clear: what the token will be asked to sign
	At           time.Time            `json:"at"`
}

// issuanceIntendedV1 did not say what its profile said.
type issuanceIntendedV1 struct {
	Serial       string               `json:"serial"`
	Record       *Citation            `json:"record,omitempty"`
	Confirmation *Citation            `json:"confirmation,omitempty"`
	Fee          *Citation            `json:"fee,omitempty"`
	Subject      event.Subject        `json:"subject,omitempty"`
	Profile      string               `json:"profile"`
	Issuer       string               `json:"issuer"`
	KeyHash      string               `json:"keyHash"`
	Token        string               `json:"token,omitempty"`
	Lint         LintResult           `json:"lint"`
	NotBefore    time.Time            `json:"notBefore"`
	NotAfter     time.Time            `json:"notAfter"`
	TBS          *event.Personal[DER] `json:"tbs,omitempty"`
	PublicTBS    []byte               `json:"publicTbs,omitempty"`
	TBSHash      string               `json:"tbsSha256"`
	At           time.Time            `json:"at"`
}

func (v issuanceIntendedV1) upcast() event.Event {
	return IssuanceIntended{
		Serial: v.Serial, Record: v.Record, Confirmation: v.Confirmation, Fee: v.Fee, Subject: v.Subject,
		Profile: v.Profile, Issuer: v.Issuer, KeyHash: v.KeyHash, Token: v.Token, Lint: v.Lint,
		NotBefore: v.NotBefore, NotAfter: v.NotAfter, TBS: v.TBS, PublicTBS: v.PublicTBS, TBSHash: v.TBSHash, At: v.At,
	}
}

// Personal seals the to-be-signed bytes.
func (e IssuanceIntended) Personal() []event.Sealable { return sealables(e.TBS) }

// OfficersProfile is the name of the profile of registration officers' own
// certificates, by which they sign what they confirm (domain §4.5).
const OfficersProfile = "ra-officer"

// IsOfficers tells whether a certificate is an officer's own, and valid.
func (c Certificate) IsOfficers() bool {
	return c.Status == Valid && strings.HasPrefix(c.Issued.Profile, OfficersProfile+"@")
}

// DER is a certificate, or its to-be-signed part.
type DER struct {
	DER []byte `json:"der"`
}

// LintResult is the verdict of the pre-issuance lint (CA/B BR §4.3.1.2).
type LintResult struct {
	Linter   string   `json:"linter"` // name and version
	Passed   int      `json:"passed"`
	Notices  []string `json:"notices,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// SigningStarted is the signer's fence: of any number of signers the one that
// appends it calls C_Sign, once (pki §5.3, step 2).
type SigningStarted struct {
	Signer string    `json:"signer"`
	At     time.Time `json:"at"`
}

// Issued makes the certificate exist for everybody: delivery, printing and the
// answer "good" react to this event only (pki §5.3, step 4).
type Issued struct {
	Serial      string               `json:"serial"`
	Issuer      string               `json:"issuer,omitempty"` // SHA-256 of the issuer's certificate; none in v1, when there was one issuer
	Request     event.Stream         `json:"request,omitempty"`
	Subject     event.Subject        `json:"subject,omitempty"`
	Profile     string               `json:"profile"`
	Fingerprint string               `json:"fingerprint"` // SHA-256 of the DER, hexadecimal
	NotBefore   time.Time            `json:"notBefore"`
	NotAfter    time.Time            `json:"notAfter"`
	Certificate *event.Personal[DER] `json:"certificate,omitempty"`
	Public      []byte               `json:"public,omitempty"` // DER of a certificate that is about nobody
	Signer      string               `json:"signer"`
	At          time.Time            `json:"at"`
}

// issuedV1 did not say by whom: there was one issuer, the first.
type issuedV1 struct {
	Serial      string               `json:"serial"`
	Request     event.Stream         `json:"request,omitempty"`
	Subject     event.Subject        `json:"subject,omitempty"`
	Profile     string               `json:"profile"`
	Fingerprint string               `json:"fingerprint"`
	NotBefore   time.Time            `json:"notBefore"`
	NotAfter    time.Time            `json:"notAfter"`
	Certificate *event.Personal[DER] `json:"certificate,omitempty"`
	Public      []byte               `json:"public,omitempty"`
	Signer      string               `json:"signer"`
	At          time.Time            `json:"at"`
}

func (e issuedV1) upcast() event.Event {
	return Issued{
		Serial: e.Serial, Request: e.Request, Subject: e.Subject, Profile: e.Profile, Fingerprint: e.Fingerprint,
		NotBefore: e.NotBefore, NotAfter: e.NotAfter, Certificate: e.Certificate, Public: e.Public, Signer: e.Signer, At: e.At,
	}
}

// IssuerOf is whose certificate a stored event of issuance is, read from its
// beginning alone: the certificate behind it is long.
func IssuerOf(stored []byte) string {
	d := json.NewDecoder(bytes.NewReader(stored))
	_, _ = d.Token() // the brace
	for range 2 {
		field, err := d.Token()
		var value string
		if err != nil || d.Decode(&value) != nil {
			return ""
		}
		if field == "issuer" {
			return value
		}
	}
	return ""
}

// Personal seals the certificate.
func (e Issued) Personal() []event.Sealable { return sealables(e.Certificate) }

// IssuanceAbandoned ends an attempt whose outcome is not certain: a signature
// may exist, so the serial is revoked with it (pki §5.3, step 5).
type IssuanceAbandoned struct {
	Serial string    `json:"serial"`
	Cause  string    `json:"cause"`
	At     time.Time `json:"at"`
}

// Suspended withdraws trust for a time: the serial stands on the CRL with
// certificateHold until it is lifted or revoked (RFC 5280 §5.3.1).
type Suspended struct {
	Serial  string       `json:"serial"`
	Issuer  string       `json:"issuer,omitempty"` // SHA-256 of the issuer's certificate; none in v1
	Request event.Stream `json:"request,omitempty"`
	Until   time.Time    `json:"until"` // the policy's longest; revoked if nobody has lifted it by then
	By      string       `json:"by"`
	At      time.Time    `json:"at"`
}

// suspendedV1 did not say whose certificate it is.
type suspendedV1 struct {
	Serial  string       `json:"serial"`
	Request event.Stream `json:"request,omitempty"`
	Until   time.Time    `json:"until"`
	By      string       `json:"by"`
	At      time.Time    `json:"at"`
}

func (e suspendedV1) upcast() event.Event {
	return Suspended{Serial: e.Serial, Request: e.Request, Until: e.Until, By: e.By, At: e.At}
}

// SuspensionLifted gives the trust back: the entry disappears from the CRL.
type SuspensionLifted struct {
	Serial  string       `json:"serial"`
	Request event.Stream `json:"request,omitempty"`
	By      string       `json:"by"`
	At      time.Time    `json:"at"`
}

// Revoked withdraws trust (RFC 5280 §5.3.1). It is terminal. It says all that a
// line of a revocation list needs, so that lists are made from revocations alone.
type Revoked struct {
	Serial    string                 `json:"serial"`
	Request   event.Stream           `json:"request,omitempty"`
	Reason    Reason                 `json:"reason"`
	Case      event.Stream           `json:"case,omitempty"` // the revocation case that established the cause
	By        string                 `json:"by"`             // a person's pseudonym, or a policy
	At        time.Time              `json:"at"`
	Issuer    string                 `json:"issuer,omitempty"`  // SHA-256 of the issuer's certificate; none if nothing was intended
	NotAfter  time.Time              `json:"notAfter,omitzero"` // end of validity: the list keeps the serial until then (RFC 5280 §3.3)
	Ground    Ground                 `json:"ground,omitempty"`
	Asker     Asker                  `json:"askedBy,omitempty"`   // by what right
	Formality *Formality             `json:"formality,omitempty"` // what was shown
	Names     *event.Personal[Names] `json:"names,omitempty"`     // sealed under the holder's key
}

// Personal seals the names.
func (e Revoked) Personal() []event.Sealable {
	if e.Names == nil {
		return nil
	}
	return []event.Sealable{e.Names}
}

// revokedV1 knew no grounds, and said neither by whom the certificate was issued
// nor when it ends.
type revokedV1 struct {
	Serial  string       `json:"serial"`
	Request event.Stream `json:"request,omitempty"`
	Reason  Reason       `json:"reason"`
	Case    event.Stream `json:"case,omitempty"`
	By      string       `json:"by"`
	At      time.Time    `json:"at"`
}

func (e revokedV1) upcast() event.Event {
	return Revoked{Serial: e.Serial, Request: e.Request, Reason: e.Reason, Case: e.Case, By: e.By, At: e.At}
}

func sealables(p *event.Personal[DER]) []event.Sealable {
	if p == nil {
		return nil
	}
	return []event.Sealable{p}
}
