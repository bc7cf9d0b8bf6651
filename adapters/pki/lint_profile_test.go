package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"govahi/adapters/pki/profiles"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
	"govahi/domain/profile"
)

// keys are one of each kind; making RSA keys takes long.
var keys = sync.OnceValue(func() map[profile.Key]crypto.Signer {
	all := map[profile.Key]crypto.Signer{}
	all[profile.RSA2048], _ = rsa.GenerateKey(rand.Reader, 2048)
	all[profile.RSA3072], _ = rsa.GenerateKey(rand.Reader, 3072)
	all[profile.P256], _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	all[profile.P384], _ = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	return all
})

func authorityFor(t testing.TB, key crypto.Signer) *Authority {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(10, 0, 0),
			Subject:  pkix.Name{Country: []string{"IR"}, Organization: []string{"Test"}, CommonName: name},
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
		}
	}
	rootKey := keys()[profile.P384]
	root, err := x509.CreateCertificate(rand.Reader, template("Root"), template("Root"), rootKey.Public(), rootKey)
	must(t, err)
	parent, err := x509.ParseCertificate(root)
	must(t, err)
	issuer, err := x509.CreateCertificate(rand.Reader, template("CA"), parent, key.Public(), rootKey)
	must(t, err)
	a, err := Open(issuer, root, Under("http://ca.example.ir"))
	must(t, err)
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// everything is a form from which every profile finds what it needs.
var everything = enrollment.Form{
	GivenName: "مریم", Surname: "رضایی‌نژاد", LatinGivenName: "Maryam", LatinSurname: "Rezaei Nejad",
	PersonCode: "9992009098", Email: "maryam@example.ir", Province: "تهران", City: "تهران",
	OrganizationName: "شرکت مهندسی آزمون", Organization: "10999001013", Post: "مدیرعامل", LatinOrganizationName: "Azmoon Eng. Co.",
}

// mutant is what a template is made of, to be spoilt.
type mutant struct {
	*x509.Certificate
	profile profile.Profile
	name    []attributeValue
	issuer  *x509.Certificate // the throwaway's twin
	spki    []byte
}

type attributeValue struct {
	oid   asn1.ObjectIdentifier
	tag   int
	value string
}

func (m *mutant) at(t profile.Type) *attributeValue {
	i := slices.IndexFunc(m.name, func(v attributeValue) bool { return v.oid.Equal(t.OID()) })
	if i < 0 {
		return nil
	}
	return &m.name[i]
}

// say changes an attribute, if the profile has it.
func (m *mutant) say(t profile.Type, value string) bool {
	a := m.at(t)
	if a != nil {
		a.value = value
	}
	return a != nil
}

func (m *mutant) add(oid string, critical bool) bool {
	id, _ := parseOID(oid)
	m.ExtraExtensions = append(m.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: []byte{0x30, 0}})
	return true
}

// statement replaces the policy; it is false where there is none.
func (m *mutant) statement(policy string, q ...profile.Qualifier) bool {
	for i, e := range m.ExtraExtensions {
		if e.Id.Equal(oidPolicies) {
			id, _ := parseOID(policy)
			m.ExtraExtensions[i].Value, _ = asn1.Marshal([]profile.Statement{{Policy: id, Qualifiers: q}})
			return true
		}
	}
	return false
}

func (m *mutant) cps(url string) bool {
	return m.statement(m.profile.Policy, profile.Qualifier{ID: profile.OIDCPS, CPS: url})
}

// mutations break one rule each; false says that the profile has nothing there
// to be broken.
var mutations = []struct {
	rule, name string
	change     func(*mutant) bool
}{
	{"e_govahi_version", "a CA", func(m *mutant) bool { m.IsCA, m.BasicConstraintsValid = true, true; return true }},
	{"e_govahi_version", "says that it is none", func(m *mutant) bool { m.BasicConstraintsValid = true; return true }},
	{"e_govahi_serial", "another's prefix", func(m *mutant) bool { m.SerialNumber = new(big.Int).Lsh(big.NewInt(0x41), 136); return true }},
	{"e_govahi_serial", "shorter", func(m *mutant) bool { m.SerialNumber = big.NewInt(0x67); return true }},
	{"e_govahi_issuer", "another name", func(m *mutant) bool { m.issuer.RawSubject = m.RawSubject; return true }},
	{"e_govahi_issuer", "another key", func(m *mutant) bool { m.issuer.SubjectKeyId = []byte{1, 2}; return true }},
	{"e_govahi_extensions", "one more", func(m *mutant) bool { return m.add("1.2.3.4", false) }},
	{"e_govahi_extensions", "critical", func(m *mutant) bool {
		for i := range m.ExtraExtensions {
			m.ExtraExtensions[i].Critical = true
		}
		return len(m.ExtraExtensions) > 0
	}},
	{"e_govahi_key_usage", "more", func(m *mutant) bool { m.KeyUsage |= x509.KeyUsageDataEncipherment; return true }},
	{"e_govahi_key_usage", "signs and opens", func(m *mutant) bool {
		m.KeyUsage |= x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment
		return true
	}},
	{"e_govahi_key_usage", "none", func(m *mutant) bool { m.KeyUsage = x509.KeyUsageDecipherOnly; return true }},
	{"e_govahi_extended_key_usage", "more", func(m *mutant) bool {
		m.ExtKeyUsage = append(m.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		return true
	}},
	{"e_govahi_extended_key_usage", "unknown", func(m *mutant) bool {
		m.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}}
		return true
	}},
	{"e_govahi_extended_key_usage", "any", func(m *mutant) bool { m.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}; return true }},
	{"e_govahi_key_kind", "a curve that is not used", func(m *mutant) bool {
		k, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
		m.spki, _ = x509.MarshalPKIXPublicKey(k.Public())
		return true
	}},
	{"e_govahi_key_identifier", "of another key", func(m *mutant) bool { m.SubjectKeyId = []byte{9, 9}; return true }},
	{"e_govahi_validity", "a second too long", func(m *mutant) bool { m.NotAfter = m.NotAfter.Add(time.Second); return true }},
	{"e_govahi_validity", "begins before its issuer", func(m *mutant) bool {
		m.NotBefore = m.issuer.NotBefore.Add(-time.Second)
		return true
	}},
	{"e_govahi_validity", "ends after its issuer", func(m *mutant) bool { m.NotAfter = m.issuer.NotAfter.Add(time.Second); return true }},
	{"e_govahi_name_attributes", "another order", func(m *mutant) bool { slices.Reverse(m.name); return true }},
	{"e_govahi_name_attributes", "one more", func(m *mutant) bool {
		m.name = append(m.name, attributeValue{asn1.ObjectIdentifier{2, 5, 4, 65}, asn1.TagUTF8String, "Nobody"})
		return true
	}},
	{"e_govahi_name_attributes", "one less", func(m *mutant) bool { m.name = m.name[1:]; return true }},
	{"e_govahi_name_attributes", "none", func(m *mutant) bool { m.name = nil; return true }},
	{"e_govahi_name_encoding", "country in UTF-8", func(m *mutant) bool { m.at(profile.Country).tag = asn1.TagUTF8String; return true }},
	{"e_govahi_name_encoding", "a name printable", func(m *mutant) bool { m.at(profile.CommonName).tag = asn1.TagPrintableString; return true }},
	{"e_govahi_name_encoding", "a surname in BMPString", func(m *mutant) bool {
		a := m.at(profile.Surname)
		if a != nil {
			a.tag = asn1.TagBMPString
			a.value = "\x06\x31\x06\x36"
		}
		return a != nil
	}},
	{"e_govahi_name_fixed", "another country", func(m *mutant) bool { return m.say(profile.Country, "FR") }},
	{"e_govahi_name_fixed", "another sector", func(m *mutant) bool { return m.say(profile.Organization, "Other") }},
	{"e_govahi_name_text", "Arabic letters", func(m *mutant) bool { return m.say(profile.GivenName, "\u0639\u0644\u064a") }},
	{"e_govahi_name_text", "Arabic letters of a province", func(m *mutant) bool { return m.say(profile.Province, "\u0643\u0631\u0645\u0627\u0646") }},
	{"e_govahi_name_text", "a direction control", func(m *mutant) bool { return m.say(profile.CommonName, "\u202eMaryam [Sign]") }},
	{"e_govahi_name_text", "a zero width space", func(m *mutant) bool { return m.say(profile.OrganizationalUnit, "شرکت\u200bنمونه") }},
	{"e_govahi_name_text", "a half space at the end", func(m *mutant) bool { return m.say(profile.Surname, "رضایی\u200c") }},
	{"e_govahi_name_text", "a space before", func(m *mutant) bool { return m.say(profile.CommonName, " Maryam") }},
	{"e_govahi_name_text", "nothing", func(m *mutant) bool { return m.say(profile.CommonName, "") }},
	{"e_govahi_name_text", "65 characters", func(m *mutant) bool { return m.say(profile.CommonName, strings.Repeat("m", 65)) }},
	{"e_govahi_affiliation", "of the other sector", func(m *mutant) bool {
		return m.profile.Holder != profile.Responder && m.say(profile.Organization, otherSector(m.profile.Sector))
	}},
	{"e_govahi_affiliation", "a unit too many or too few", func(m *mutant) bool { m.toggle(profile.OrganizationalUnit); return true }},
	{"e_govahi_affiliation", "a post too many or too few", func(m *mutant) bool { m.toggle(profile.Post); return true }},
	{"e_govahi_affiliation", "an organisation too many or too few", func(m *mutant) bool { m.toggle(profile.OrganizationIdentifier); return true }},
	{"e_govahi_person_name", "a Latin surname", func(m *mutant) bool { return m.say(profile.Surname, "Rezaei") }},
	{"e_govahi_person_name", "a digit", func(m *mutant) bool { return m.say(profile.GivenName, "مریم۲") }},
	{"e_govahi_person_code", "a wrong check digit", func(m *mutant) bool { return m.say(profile.SerialNumber, "9992009090") }},
	{"e_govahi_person_code", "repeated digits", func(m *mutant) bool { return m.say(profile.SerialNumber, "1111111111") }},
	{"e_govahi_person_code", "ETSI's form", func(m *mutant) bool { return m.say(profile.SerialNumber, "PNOIR-9992009098") }},
	{"e_govahi_organization_identifier", "ten digits", func(m *mutant) bool { return m.say(profile.OrganizationIdentifier, "1099900101") }},
	{"e_govahi_organization_identifier", "repeated digits", func(m *mutant) bool { return m.say(profile.OrganizationIdentifier, "33333333333") }},
	{"e_govahi_common_name", "no suffix", func(m *mutant) bool { return m.named("Maryam Rezaei") }},
	{"e_govahi_common_name", "another's suffix", func(m *mutant) bool { return m.named("Maryam Rezaei [Root]") }},
	{"e_govahi_common_name", "nothing but the suffix", func(m *mutant) bool { return m.named(m.suffix()) }},
	{"e_govahi_common_name", "Persian", func(m *mutant) bool { return m.named("مریم " + m.suffix()) }},
	{"e_govahi_common_name", "two suffixes", func(m *mutant) bool { return m.named("Maryam [CEO] " + m.suffix()) }},
	{"e_govahi_email", "in the name", func(m *mutant) bool {
		m.name = append(m.name, attributeValue{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, asn1.TagIA5String, "maryam@example.ir"})
		return true
	}},
	{"e_govahi_email", "in the common name", func(m *mutant) bool { return m.say(profile.CommonName, "maryam@example.ir") }},
	{"e_govahi_email", "two", func(m *mutant) bool { m.EmailAddresses = []string{"a@example.ir", "b@example.ir"}; return true }},
	{"e_govahi_email", "malformed", func(m *mutant) bool { m.EmailAddresses = []string{"nobody"}; return true }},
	{"e_govahi_email", "a host beside it", func(m *mutant) bool { m.DNSNames = []string{"example.ir"}; return true }},
	{"e_govahi_email", "an address of a machine beside it", func(m *mutant) bool { m.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 1)}; return true }},
	{"e_govahi_policy", "another", func(m *mutant) bool {
		return m.statement("1.2.3.4", profile.Qualifier{ID: profile.OIDCPS, CPS: "http://ca.example.ir/pki/cps"})
	}},
	{"e_govahi_policy", "no practice statement", func(m *mutant) bool { return m.statement(m.profile.Policy) }},
	{"e_govahi_policy", "a practice statement nowhere", func(m *mutant) bool { return m.cps("ftp://ca.example.ir") }},
	{"e_govahi_policy", "none", func(m *mutant) bool {
		n := len(m.ExtraExtensions)
		m.ExtraExtensions = slices.DeleteFunc(m.ExtraExtensions, func(e pkix.Extension) bool { return e.Id.Equal(oidPolicies) })
		return len(m.ExtraExtensions) < n
	}},
	{"e_govahi_pointers", "https", func(m *mutant) bool { m.IssuingCertificateURL = []string{"https://ca.example.ir"}; return true }},
	{"e_govahi_pointers", "no revocation list, or one of the responder", func(m *mutant) bool {
		if len(m.CRLDistributionPoints) > 0 {
			m.CRLDistributionPoints = nil
		} else {
			m.CRLDistributionPoints = []string{"http://ca.example.ir"}
		}
		return true
	}},
	{"e_govahi_pointers", "two responders", func(m *mutant) bool {
		m.OCSPServer = []string{"http://a.example.ir", "http://b.example.ir"}
		return true
	}},
}

// named spoils the name of a holder, not the fixed one of the responder.
func (m *mutant) named(value string) bool {
	return m.profile.Holder != profile.Responder && m.say(profile.CommonName, value)
}

func (m *mutant) suffix() string {
	for _, a := range m.profile.Subject {
		if a.Type == profile.CommonName {
			return a.Suffix
		}
	}
	return ""
}

func otherSector(s profile.Sector) string {
	if s == profile.Governmental {
		return string(profile.NonGovernmental)
	}
	return string(profile.Governmental)
}

// toggle adds an attribute, or takes it away.
func (m *mutant) toggle(t profile.Type) {
	n := len(m.name)
	m.name = slices.DeleteFunc(m.name, func(v attributeValue) bool { return v.oid.Equal(t.OID()) })
	if len(m.name) == n {
		m.name = append(m.name, attributeValue{t.OID(), t.Tag(), "نمونه"})
	}
}

func (m *mutant) encodeName(t testing.TB) {
	t.Helper()
	var name pkix.RDNSequence
	for _, a := range m.name {
		name = append(name, []pkix.AttributeTypeAndValue{{Type: a.oid, Value: asn1.RawValue{Tag: a.tag, Bytes: []byte(a.value)}}})
	}
	var err error
	m.RawSubject, err = asn1.Marshal(name)
	must(t, err)
}

// mutantOf is a right template of the profile, taken apart.
func mutantOf(t testing.TB, a *Authority, p profile.Profile, key profile.Key) *mutant {
	t.Helper()
	serial, err := a.NewSerial(time.Now())
	must(t, err)
	n, err := parseSerial(serial)
	must(t, err)
	template, err := a.template(p, request{n, particularsOf(everything), key, seconds(time.Now())})
	must(t, err)
	twin := *a.throwaway.issuer
	m := &mutant{Certificate: template, profile: p, issuer: &twin}
	m.spki, err = x509.MarshalPKIXPublicKey(keys()[key].Public())
	must(t, err)
	template.SubjectKeyId, err = profile.KeyIdentifier(m.spki)
	must(t, err)
	var sets []asn1.RawValue
	_, err = asn1.Unmarshal(template.RawSubject, &sets)
	must(t, err)
	for _, set := range sets {
		var v struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		_, err := asn1.Unmarshal(set.Bytes, &v)
		must(t, err)
		m.name = append(m.name, attributeValue{v.Type, v.Value.Tag, string(v.Value.Bytes)})
	}
	return m
}

// refusing are the rules of ours that refuse the mutant.
func (m *mutant) refusing(t testing.TB, a *Authority) []string {
	t.Helper()
	m.encodeName(t)
	public, err := x509.ParsePKIXPublicKey(m.spki)
	must(t, err)
	der, err := x509.CreateCertificate(rand.Reader, m.Certificate, m.issuer, public, a.throwaway.key)
	must(t, err)
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return []string{"unreadable"} // refused before any rule
	}
	if _, err = a.linter.profiled(c, m.profile, a.certificate); err == nil {
		return nil
	}
	f, ok := fault.Of(err)
	if !ok || f.Code != "lint-refused" {
		t.Fatal(err)
	}
	names := profile.Errors(m.profile.Check(c, a.certificate))
	for _, name := range names {
		if !strings.Contains(f.Text.En, name) {
			t.Errorf("%s does not stand in the refusal", name)
		}
	}
	return names
}

func TestEveryProfileMakesWhatItsRulesAccept(t *testing.T) {
	for _, key := range profile.Keys {
		a := authorityFor(t, keys()[key])
		for _, p := range profiles.Default().All() {
			for _, holder := range p.Keys {
				m := mutantOf(t, a, p, holder)
				if broken := m.refusing(t, a); broken != nil {
					t.Errorf("%s, %s under %s: %v", p.ID(), holder, key, broken)
				}
			}
		}
	}
}

// TestEveryRuleIsBrokenOnce: every profile with every mutation. A rule that
// nothing breaks holds nothing.
func TestEveryRuleIsBrokenOnce(t *testing.T) {
	a := authorityFor(t, keys()[profile.P256])
	broken := map[string]int{}
	for _, p := range profiles.Default().All() {
		for _, c := range mutations {
			m := mutantOf(t, a, p, profile.P256)
			if !c.change(m) {
				continue
			}
			if names := m.refusing(t, a); !slices.Contains(names, c.rule) && !slices.Equal(names, []string{"unreadable"}) {
				t.Errorf("%s, %s: broken are %v, and not %s", p.ID(), c.name, names, c.rule)
			}
			broken[c.rule]++
		}
	}
	for _, r := range profile.Rules {
		if broken[r.Name] == 0 && !r.Warning() {
			t.Errorf("nothing breaks %s", r.Name)
		}
	}
}

func TestADoubtfulOrganisationIsAWarning(t *testing.T) {
	a := authorityFor(t, keys()[profile.P256])
	form := everything
	form.Organization = "10999001014"
	p, err := profiles.Default().Offered("member-signature")
	must(t, err)
	serial, err := a.NewSerial(time.Now())
	must(t, err)
	spki, err := x509.MarshalPKIXPublicKey(keys()[profile.P256].Public())
	must(t, err)
	prepared, err := a.build(p, serial, spki, particularsOf(form), time.Now())
	must(t, err)
	if !slices.Contains(prepared.Lint.Warnings, "w_govahi_organization_identifier_doubtful") {
		t.Errorf("warned of %v", prepared.Lint.Warnings)
	}
}

// TestEncryptionKeysDoWhatTheirKindCan: RSA enciphers keys, a curve agrees on them.
func TestEncryptionKeysDoWhatTheirKindCan(t *testing.T) {
	p, err := profiles.Default().Offered("person-encryption")
	must(t, err)
	for key, want := range map[profile.Key]x509.KeyUsage{
		profile.RSA2048: x509.KeyUsageKeyEncipherment, profile.RSA3072: x509.KeyUsageKeyEncipherment,
		profile.P256: x509.KeyUsageKeyAgreement, profile.P384: x509.KeyUsageKeyAgreement,
	} {
		if got := p.Bits(key); got != want {
			t.Errorf("%s: %v", key, got)
		}
	}
}

func TestTheSubjectIsNotRepeatedByARefusal(t *testing.T) {
	a := authorityFor(t, keys()[profile.P256])
	for _, p := range profiles.Default().All() {
		m := mutantOf(t, a, p, profile.P256)
		m.say(profile.CommonName, "Somebody Else")
		m.say(profile.SerialNumber, "9992009090")
		m.encodeName(t)
		der, err := x509.CreateCertificate(rand.Reader, m.Certificate, m.issuer, keys()[profile.P256].Public(), a.throwaway.key)
		must(t, err)
		c, err := x509.ParseCertificate(der)
		must(t, err)
		_, err = a.linter.profiled(c, p, a.certificate)
		f, ok := fault.Of(err)
		if !ok || strings.Contains(fmt.Sprint(f.Text, err), "Somebody") || bytes.Contains([]byte(f.Text.En), []byte("9992009090")) {
			t.Errorf("%s: %v", p.ID(), err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	a := authorityFor(b, keys()[profile.P256])
	p, err := profiles.Default().Offered("member-signature")
	must(b, err)
	m := mutantOf(b, a, p, profile.P256)
	der, err := x509.CreateCertificate(rand.Reader, m.Certificate, m.issuer, keys()[profile.P256].Public(), a.throwaway.key)
	must(b, err)
	c, err := x509.ParseCertificate(der)
	must(b, err)
	for b.Loop() {
		p.Check(c, a.certificate)
	}
}
