// Package profile is what each kind of certificate says and whom it is for
// (domain §4.3, pki §2): one file for each name and version, which pki builds
// by, and by which the signer checks what was built as if nobody had before.
package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// Profile is one version of one. Its JSON is the canonical form that is hashed,
// so a field that comes later is left out where it is empty: the hash of a
// profile that was used never changes.
type Profile struct {
	Name             string      `json:"name"`
	Version          int         `json:"version"`
	Product          string      `json:"product,omitempty"` // what applicants ask for; nothing, if it is not offered to them
	Retired          bool        `json:"retired,omitempty"` // certificates stand under it, and no new ones are issued
	Title            Title       `json:"title"`
	Holder           Holder      `json:"holder"`
	Sector           Sector      `json:"sector,omitempty"`
	Use              Use         `json:"use"`
	KeyUsage         []KeyUsage  `json:"keyUsage"`
	ExtendedKeyUsage []Purpose   `json:"extendedKeyUsage"`
	Keys             []Key       `json:"keys"`
	Escrow           string      `json:"escrow,omitempty"` // of an encryption key: none, and it is to be said
	Subject          []Attribute `json:"subject"`
	Email            Email       `json:"email"`
	Validity         Validity    `json:"validity"`
	Level            int         `json:"level,omitempty"`  // of assurance, domain §4.2
	Policy           string      `json:"policy,omitempty"` // OID
	CPS              string      `json:"cps,omitempty"`    // URL of the practice statement, if it is not the house's own page
	Suspension       Suspension  `json:"suspension"`
	AcceptanceDays   int         `json:"acceptanceDays,omitempty"` // from delivery, RFC 3647 §4.4.1
	RenewalDays      int         `json:"renewalDays,omitempty"`    // before the end, from when on it may be renewed
}

// Title is what people call the certificate.
type Title struct {
	Fa string `json:"fa"`
	En string `json:"en"`
}

// Validity is how long a certificate lives: years or days.
type Validity struct {
	Years int `json:"years,omitempty"`
	Days  int `json:"days,omitempty"`
}

// Suspension is whether trust may be withdrawn for a time, and for how long
// (RFC 5280 §5.3.1, certificateHold).
type Suspension struct {
	Allowed bool `json:"allowed"`
	Days    int  `json:"days,omitempty"`
}

// Attribute is one of the subject's, in the order of the encoded name: a fixed
// value, or one taken from the particulars.
type Attribute struct {
	Type   Type   `json:"type"`
	Value  string `json:"value,omitempty"`
	From   Source `json:"from,omitempty"`
	Suffix string `json:"suffix,omitempty"` // of the common name, such as [Sign]
}

// ID is name@version, by which events cite the profile.
func (p Profile) ID() string { return fmt.Sprintf("%s@%d", p.Name, p.Version) }

// Hash is the SHA-256 of the canonical form, hexadecimal.
func (p Profile) Hash() string {
	text, _ := json.Marshal(p) // strings, numbers and lists of them: it never fails
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Until is the end of a certificate's life that begins at a moment; the last
// second is part of it (RFC 5280 §4.1.2.5).
func (p Profile) Until(notBefore time.Time) time.Time {
	return notBefore.AddDate(p.Validity.Years, 0, p.Validity.Days).Add(-time.Second)
}

// Allows tells whether a key of this kind may be certified.
func (p Profile) Allows(k Key) bool { return slices.Contains(p.Keys, k) }

// Usage is what a key of this kind may do: of the two ways to protect a key on
// its way, RSA can only encipher and an elliptic curve only agree.
func (p Profile) Usage(k Key) []KeyUsage {
	other := KeyAgreement
	if !k.RSA() {
		other = KeyEncipherment
	}
	return slices.DeleteFunc(slices.Clone(p.KeyUsage), func(u KeyUsage) bool { return u == other })
}

// CommonName is what a Latin name becomes in the certificate, and whether it can
// stand there (ub-common-name, RFC 5280 Appendix A.1).
func (p Profile) CommonName(latin string) (name string, ok bool) {
	for _, a := range p.Subject {
		if a.Type == CommonName {
			name = latin + " " + a.Suffix
		}
	}
	return name, utf8.RuneCountInString(name) <= longest
}

// Affiliated tells whether the certificate speaks of an organisation.
func (p Profile) Affiliated() bool {
	return p.Holder == Member || p.Holder == Stamp || p.Holder == Officer
}

// Requested tells whether it is given on an applicant's request (domain §2.2).
func (p Profile) Requested() bool {
	return p.Holder == Person || p.Holder == Member || p.Holder == Stamp
}

// Has tells whether the subject has an attribute.
func (p Profile) Has(t Type) bool {
	return slices.ContainsFunc(p.Subject, func(a Attribute) bool { return a.Type == t })
}
