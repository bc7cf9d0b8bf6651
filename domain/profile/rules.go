package profile

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"govahi/domain/iran"
)

// Rule is one that every certificate of a profile keeps. Its name begins, as a
// linter's do, with e for an error and w for a warning.
type Rule struct {
	Name string
	Says string
	kept func(*subject) bool
}

// Warning tells a rule whose breach is recorded, and refuses nothing.
func (r Rule) Warning() bool { return strings.HasPrefix(r.Name, "w_") }

// Rules are those beside the standards' own. None repeats what it finds: their
// names hold no personal data.
var Rules = []Rule{
	{"e_govahi_version", "version 3, of an end entity", (*subject).endEntity},
	{"e_govahi_serial", "18 octets under the house's prefix", (*subject).serial},
	{"e_govahi_issuer", "the issuer's name byte for byte, and its key identifier (RFC 5280 §4.1.2.4, §4.2.1.1)", (*subject).issued},
	{"e_govahi_extensions", "exactly the profile's extensions, of which key usage alone is critical", (*subject).extensions},
	{"e_govahi_key_usage", "exactly the key usage of this kind of key", (*subject).keyUsage},
	{"e_govahi_extended_key_usage", "exactly the profile's purposes, in its order", (*subject).purposes},
	{"e_govahi_key_kind", "a kind of key that the profile allows", (*subject).keyKind},
	{"e_govahi_key_identifier", "the subject's key identifier is of its key (RFC 7093 §2, method 1)", (*subject).keyIdentifier},
	{"e_govahi_validity", "not longer than the profile allows, and within the issuer's", (*subject).validity},
	{"e_govahi_name_attributes", "exactly the profile's attributes, in its order, one to a set", (*subject).attributes},
	{"e_govahi_name_encoding", "country and serialNumber printable, all else UTF-8", (*subject).encodings},
	{"e_govahi_name_fixed", "what the profile or the issuer fixes is so", (*subject).fixed},
	{"e_govahi_name_text", "canonical text of 1 to 64 characters, none of them invisible", (*subject).texts},
	{"e_govahi_affiliation", "O is the holder's sector; unit, post and organisation stand where there is an affiliation", (*subject).affiliation},
	{"e_govahi_person_name", "surname and given name in Persian letters", (*subject).personName},
	{"e_govahi_person_code", "serialNumber is a national code whose check digit is right, or a foreigner's", (*subject).personCode},
	{"e_govahi_organization_identifier", "a company national ID", (*subject).organization},
	{"w_govahi_organization_identifier_doubtful", "the company national ID has the check digit of the unofficial rule", (*subject).organizationSure},
	{"e_govahi_common_name", "a Latin name and the profile's suffix", (*subject).commonName},
	{"e_govahi_email", "the address in the SAN alone, and nowhere in the name (RFC 5280 §4.1.2.6)", (*subject).email},
	{"e_govahi_policy", "exactly the profile's policy with its practice statement (RFC 5280 §4.2.1.4)", (*subject).policy},
	{"e_govahi_pointers", "one http URL each of revocation list, responder and issuer's certificate (RFC 5280 §8)", (*subject).pointers},
}

// subject is a certificate under its profile and its issuer, read once.
type subject struct {
	Profile
	*x509.Certificate
	issuer *x509.Certificate
	names  []name
	rules  []Attribute // of the profile, the issuer's any number of values counted
	key    Key
}

// name is an attribute as it was encoded.
type name struct {
	alone bool // in its set
	oid   asn1.ObjectIdentifier
	tag   int
	value string
}

// Check lists the rules that the certificate breaks.
func (p Profile) Check(c, issuer *x509.Certificate) []Rule {
	s := &subject{Profile: p, Certificate: c, issuer: issuer, names: read(c.RawSubject)}
	s.key, _ = KeyOf(c.PublicKey)
	for _, a := range p.Subject {
		n := 1
		if a.From == FromIssuer {
			n = len(issuer.Subject.Organization)
		}
		s.rules = append(s.rules, slices.Repeat([]Attribute{a}, n)...)
	}
	var broken []Rule
	for _, r := range Rules {
		if !r.kept(s) {
			broken = append(broken, r)
		}
	}
	return broken
}

// Errors are the names of those that refuse.
func Errors(broken []Rule) []string { return named(broken, false) }

// Warnings are the names of those that do not.
func Warnings(broken []Rule) []string { return named(broken, true) }

func named(broken []Rule, warning bool) (names []string) {
	for _, r := range broken {
		if r.Warning() == warning {
			names = append(names, r.Name)
		}
	}
	return names
}

// read is the name as it was encoded; crypto/x509 shows no string types.
func read(raw []byte) []name {
	var sets []asn1.RawValue
	if rest, err := asn1.Unmarshal(raw, &sets); err != nil || len(rest) > 0 {
		return nil
	}
	var list []name
	for _, set := range sets {
		var a struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		rest, err := asn1.Unmarshal(set.Bytes, &a)
		if err != nil {
			return nil
		}
		list = append(list, name{len(rest) == 0, a.Type, a.Value.Tag, string(a.Value.Bytes)})
	}
	return list
}

func (s *subject) endEntity() bool {
	return s.Certificate.Version == 3 && !s.IsCA && !s.BasicConstraintsValid
}

func (s *subject) serial() bool {
	octets := s.SerialNumber.Bytes()
	return s.SerialNumber.Sign() > 0 && len(octets) == SerialOctets && octets[0] == SerialPrefix
}

func (s *subject) issued() bool {
	return bytes.Equal(s.RawIssuer, s.issuer.RawSubject) && bytes.Equal(s.AuthorityKeyId, s.issuer.SubjectKeyId) && len(s.AuthorityKeyId) > 0
}

// The extensions of end entities (RFC 5280 §4.2; RFC 6960 §4.2.2.2.1).
const (
	extSubjectKeyID   = "2.5.29.14"
	extKeyUsage       = "2.5.29.15"
	extAlternative    = "2.5.29.17"
	extCRLPoints      = "2.5.29.31"
	extPolicies       = "2.5.29.32"
	extAuthorityKeyID = "2.5.29.35"
	extExtended       = "2.5.29.37"
	extAuthorityInfo  = "1.3.6.1.5.5.7.1.1"
	extNoCheck        = "1.3.6.1.5.5.7.48.1.5"
)

func (s *subject) extensions() bool {
	want := []string{extSubjectKeyID, extKeyUsage, extAuthorityKeyID, extExtended, extAuthorityInfo}
	if s.Holder == Responder {
		want = append(want, extNoCheck)
	} else {
		want = append(want, extCRLPoints, extPolicies)
	}
	if s.Profile.Email == EmailRequired {
		want = append(want, extAlternative)
	}
	var have []string
	for _, e := range s.Extensions {
		have = append(have, e.Id.String())
		if e.Critical != (e.Id.String() == extKeyUsage) {
			return false
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	return slices.Equal(want, have) && s.nothingInNoCheck()
}

func (s *subject) nothingInNoCheck() bool {
	return !slices.ContainsFunc(s.Extensions, func(e pkix.Extension) bool {
		return e.Id.String() == extNoCheck && !bytes.Equal(e.Value, asn1.NullBytes)
	})
}

func (s *subject) keyUsage() bool { return s.Certificate.KeyUsage == s.Bits(s.key) }

func (s *subject) purposes() bool {
	return slices.Equal(s.ExtKeyUsage, s.ExtKeyUsages()) && len(s.UnknownExtKeyUsage) == 0
}

func (s *subject) keyKind() bool { return s.Allows(s.key) }

// KeyIdentifier names a key: the left 160 bits of the SHA-256 of its bit string
// (RFC 7093 §2, method 1), from the SubjectPublicKeyInfo.
func KeyIdentifier(spki []byte) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(spki, &info); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(info.Key.RightAlign())
	return sum[:20], nil
}

func (s *subject) keyIdentifier() bool {
	want, err := KeyIdentifier(s.RawSubjectPublicKeyInfo)
	return err == nil && bytes.Equal(s.SubjectKeyId, want)
}

func (s *subject) validity() bool {
	within := func(t time.Time) bool { return !t.Before(s.issuer.NotBefore) && !t.After(s.issuer.NotAfter) }
	return s.NotBefore.Before(s.NotAfter) && !s.NotAfter.After(s.Until(s.NotBefore)) && within(s.NotBefore) && within(s.NotAfter)
}

func (s *subject) attributes() bool {
	return slices.EqualFunc(s.names, s.rules, func(n name, a Attribute) bool { return n.alone && n.oid.Equal(a.Type.OID()) })
}

// every holds for each attribute that the profile has a rule for.
func (s *subject) every(kept func(Attribute, name) bool) bool {
	for i, n := range s.names {
		if i < len(s.rules) && n.oid.Equal(s.rules[i].Type.OID()) && !kept(s.rules[i], n) {
			return false
		}
	}
	return true
}

// each holds for every attribute of a type, wherever it stands.
func (s *subject) each(t Type, kept func(string) bool) bool {
	return !slices.ContainsFunc(s.names, func(n name) bool { return n.oid.Equal(t.OID()) && !kept(n.value) })
}

func (s *subject) encodings() bool {
	return s.every(func(a Attribute, n name) bool { return n.tag == a.Type.Tag() && utf8.ValidString(n.value) })
}

func (s *subject) fixed() bool {
	from := 0
	return s.every(func(a Attribute, n name) bool {
		switch {
		case a.From == FromIssuer:
			from++
			return n.value == s.issuer.Subject.Organization[from-1]
		case a.From == FromSector:
			return n.value == string(s.Sector)
		case a.From == "":
			return n.value == a.Value
		}
		return true
	})
}

const (
	longest   = 64 // ub-common-name and its like, RFC 5280 Appendix A.1
	halfSpace = '\u200c'
)

// texts keeps out what looks like another text: invisible characters, and
// spellings of the same word in other letters (domain §3.7). The half space has
// its place inside a Persian word.
func (s *subject) texts() bool {
	for _, n := range s.names {
		hidden := func(r rune) bool { return !unicode.IsGraphic(r) && r != halfSpace }
		if count := utf8.RuneCountInString(n.value); count < 1 || count > longest {
			return false
		}
		if iran.Canonical(n.value) != n.value || strings.TrimSpace(n.value) != n.value || strings.ContainsFunc(n.value, hidden) {
			return false
		}
	}
	return true
}

// affiliation looks at the name alone: O against the holder, and what only who
// belongs to an organisation may say.
func (s *subject) affiliation() bool {
	has := func(t Type) bool {
		return slices.ContainsFunc(s.names, func(n name) bool { return n.oid.Equal(t.OID()) })
	}
	if s.Holder == Responder {
		return !has(OrganizationalUnit) && !has(Post) && !has(OrganizationIdentifier)
	}
	return has(Organization) && s.each(Organization, func(v string) bool { return v == string(s.Sector) }) &&
		has(OrganizationalUnit) == s.Affiliated() && has(Post) == (s.Holder == Member || s.Holder == Officer) &&
		has(OrganizationIdentifier) == (s.Holder == Member || s.Holder == Stamp)
}

func (s *subject) personName() bool {
	return s.each(Surname, iran.IsPersianName) && s.each(GivenName, iran.IsPersianName)
}

func (s *subject) personCode() bool {
	return s.each(SerialNumber, func(v string) bool {
		code, _, err := iran.PersonCode(v)
		return err == nil && code == v
	})
}

func (s *subject) organization() bool {
	return s.each(OrganizationIdentifier, func(v string) bool {
		id, _, err := iran.CompanyID(v)
		return err == nil && id == v
	})
}

func (s *subject) organizationSure() bool {
	return s.each(OrganizationIdentifier, func(v string) bool {
		_, doubtful, err := iran.CompanyID(v)
		return err != nil || !doubtful
	})
}

func (s *subject) commonName() bool {
	return s.every(func(a Attribute, n name) bool {
		if a.Type != CommonName || a.From == "" {
			return true
		}
		latin, ok := strings.CutSuffix(n.value, " "+a.Suffix)
		return ok && isLatin(latin, a.From == FromLatinOrganizationName)
	})
}

// isLatin is a person's name, or an organisation's, which may hold digits and
// signs that a person's does not.
func isLatin(text string, organization bool) bool {
	if organization {
		return IsLatinOrganization(text)
	}
	return iran.IsLatinName(text)
}

// IsLatinOrganization reports whether an organisation's Latin name can stand in
// a certificate: printable ASCII without brackets, which mark the suffix, and
// beginning with a letter.
func IsLatinOrganization(text string) bool {
	allowed := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" -'.,&()/", r)
	}
	return text != "" && len(text) <= longest && unicode.IsLetter(rune(text[0])) &&
		!strings.ContainsFunc(text, func(r rune) bool { return !allowed(r) }) && strings.TrimSpace(text) == text
}

var oidEmailAddress = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}

func (s *subject) email() bool {
	inName := slices.ContainsFunc(s.names, func(n name) bool { return n.oid.Equal(oidEmailAddress) || strings.Contains(n.value, "@") })
	if inName || len(s.DNSNames)+len(s.IPAddresses)+len(s.URIs) > 0 {
		return false
	}
	if s.Profile.Email == EmailNone {
		return len(s.EmailAddresses) == 0
	}
	if len(s.EmailAddresses) != 1 {
		return false
	}
	address, err := iran.Email(s.EmailAddresses[0])
	return err == nil && address == s.EmailAddresses[0] && s.oneAlternative()
}

// oneAlternative counts the names of the SAN, of whatever kind.
func (s *subject) oneAlternative() bool {
	for _, e := range s.Extensions {
		if e.Id.String() == extAlternative {
			var all []asn1.RawValue
			rest, err := asn1.Unmarshal(e.Value, &all)
			return err == nil && len(rest) == 0 && len(all) == 1
		}
	}
	return false
}

// Statement is a policy and where its practice statement stands.
type Statement struct {
	Policy     asn1.ObjectIdentifier
	Qualifiers []Qualifier
}

// Qualifier is a pointer to a practice statement (RFC 5280 §4.2.1.4).
type Qualifier struct {
	ID  asn1.ObjectIdentifier
	CPS string `asn1:"ia5"`
}

// OIDCPS is id-qt-cps.
var OIDCPS = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}

func (s *subject) policy() bool {
	i := slices.IndexFunc(s.Extensions, func(e pkix.Extension) bool { return e.Id.String() == extPolicies })
	if s.Policy == "" || i < 0 {
		return s.Policy == "" && i < 0
	}
	var said []Statement
	rest, err := asn1.Unmarshal(s.Extensions[i].Value, &said)
	if err != nil || len(rest) > 0 || len(said) != 1 || said[0].Policy.String() != s.Policy || len(said[0].Qualifiers) != 1 {
		return false
	}
	q := said[0].Qualifiers[0]
	return q.ID.Equal(OIDCPS) && isURL(q.CPS, "http", "https") && (s.CPS == "" || q.CPS == s.CPS)
}

func (s *subject) pointers() bool {
	one := func(urls []string) bool { return len(urls) == 1 && isURL(urls[0], "http") }
	if s.Holder == Responder { // nobody asks whether who answers is revoked
		return one(s.IssuingCertificateURL) && len(s.CRLDistributionPoints)+len(s.OCSPServer) == 0
	}
	return one(s.IssuingCertificateURL) && one(s.CRLDistributionPoints) && one(s.OCSPServer)
}

func isURL(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	return err == nil && slices.Contains(schemes, u.Scheme) && u.Host != ""
}
