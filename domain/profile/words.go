package profile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
)

// Holder is who may have the certificate.
type Holder string

// The holders.
const (
	Person    Holder = "person"         // a natural person who speaks for himself
	Member    Holder = "member"         // a natural person with a post in an organisation
	Stamp     Holder = "stamp"          // an organisation, by its representative
	Officer   Holder = "ra-officer"     // an officer of a registration office (domain §4.5)
	Responder Holder = "ocsp-responder" // the issuer's delegated OCSP responder
)

// Holders lists them.
var Holders = []Holder{Person, Member, Stamp, Officer, Responder}

// OfficersName is the name of the officers' profile.
const OfficersName = "ra-officer"

// Sector is O of the subject (domain §4.3).
type Sector string

// The sectors.
const (
	Governmental    Sector = "Governmental"
	NonGovernmental Sector = "Non-Governmental"
	Unaffiliated    Sector = "Unaffiliated"
)

// Sectors lists them.
var Sectors = []Sector{Governmental, NonGovernmental, Unaffiliated}

// Use is the one thing that the key is for (pki §2, key separation).
type Use string

// The uses.
const (
	Signing        Use = "signing"
	Authentication Use = "authentication"
	Encryption     Use = "encryption"
	Answering      Use = "ocsp-signing"
	Mixed          Use = "signing-and-authentication" // as the first certificates were; only where retired
)

// Uses lists them.
var Uses = []Use{Signing, Authentication, Encryption, Answering, Mixed}

// KeyUsage is a bit of RFC 5280 §4.2.1.3, by its name there.
type KeyUsage string

// The key usages of end entities.
const (
	DigitalSignature KeyUsage = "digitalSignature"
	NonRepudiation   KeyUsage = "nonRepudiation"
	KeyEncipherment  KeyUsage = "keyEncipherment"
	KeyAgreement     KeyUsage = "keyAgreement"
)

// KeyUsages lists them.
var KeyUsages = []KeyUsage{DigitalSignature, NonRepudiation, KeyEncipherment, KeyAgreement}

var usageBits = map[KeyUsage]x509.KeyUsage{
	DigitalSignature: x509.KeyUsageDigitalSignature, NonRepudiation: x509.KeyUsageContentCommitment,
	KeyEncipherment: x509.KeyUsageKeyEncipherment, KeyAgreement: x509.KeyUsageKeyAgreement,
}

// Bits is what crypto/x509 calls the usages of a key.
func (p Profile) Bits(k Key) (bits x509.KeyUsage) {
	for _, u := range p.Usage(k) {
		bits |= usageBits[u]
	}
	return bits
}

// Purpose is an extended key usage (RFC 5280 §4.2.1.12), by its name there.
type Purpose string

// The purposes.
const (
	ClientAuth      Purpose = "clientAuth"
	EmailProtection Purpose = "emailProtection"
	OCSPSigning     Purpose = "OCSPSigning"
)

// Purposes lists them.
var Purposes = []Purpose{ClientAuth, EmailProtection, OCSPSigning}

var purposes = map[Purpose]x509.ExtKeyUsage{
	ClientAuth: x509.ExtKeyUsageClientAuth, EmailProtection: x509.ExtKeyUsageEmailProtection, OCSPSigning: x509.ExtKeyUsageOCSPSigning,
}

// ExtKeyUsages is what crypto/x509 calls the purposes.
func (p Profile) ExtKeyUsages() []x509.ExtKeyUsage {
	var list []x509.ExtKeyUsage
	for _, u := range p.ExtendedKeyUsage {
		list = append(list, purposes[u])
	}
	return list
}

// Key is a kind of key.
type Key string

// The kinds of keys.
const (
	RSA2048 Key = "rsa-2048"
	RSA3072 Key = "rsa-3072"
	P256    Key = "p-256"
	P384    Key = "p-384"
)

// Keys lists them.
var Keys = []Key{RSA2048, RSA3072, P256, P384}

// RSA tells an RSA key from one on an elliptic curve.
func (k Key) RSA() bool { return k == RSA2048 || k == RSA3072 }

// KeyOf is the kind of a public key, or none that is used here.
func KeyOf(public any) (Key, bool) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		switch k.N.BitLen() {
		case 2048:
			return RSA2048, true
		case 3072:
			return RSA3072, true
		}
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return P256, true
		case elliptic.P384():
			return P384, true
		}
	}
	return "", false
}

// Email is whether the subject's address stands in the certificate, as
// rfc822Name of the SAN and nowhere else (RFC 5280 §4.2.1.6).
type Email string

// The rules for the address.
const (
	EmailRequired Email = "required"
	EmailNone     Email = "none"
)

// Emails lists them.
var Emails = []Email{EmailRequired, EmailNone}

// Type is an attribute type of the subject's name, as the national profile
// abbreviates it.
type Type string

// The attribute types (X.520; RFC 5280 Appendix A.1).
const (
	Country                Type = "C"
	Organization           Type = "O"
	OrganizationalUnit     Type = "OU"
	Post                   Type = "T"
	OrganizationIdentifier Type = "organizationIdentifier"
	Province               Type = "S"
	Locality               Type = "L"
	Surname                Type = "SN"
	GivenName              Type = "G"
	SerialNumber           Type = "SERIALNUMBER"
	CommonName             Type = "CN"
)

// Types lists them.
var Types = []Type{
	Country, Organization, OrganizationalUnit, Post, OrganizationIdentifier, Province, Locality, Surname, GivenName, SerialNumber, CommonName,
}

var oids = map[Type]asn1.ObjectIdentifier{
	Country: {2, 5, 4, 6}, Organization: {2, 5, 4, 10}, OrganizationalUnit: {2, 5, 4, 11}, Post: {2, 5, 4, 12},
	OrganizationIdentifier: {2, 5, 4, 97}, Province: {2, 5, 4, 8}, Locality: {2, 5, 4, 7}, Surname: {2, 5, 4, 4},
	GivenName: {2, 5, 4, 42}, SerialNumber: {2, 5, 4, 5}, CommonName: {2, 5, 4, 3},
}

// OID is the attribute type's identifier.
func (t Type) OID() asn1.ObjectIdentifier { return oids[t] }

// Tag is the string type of its values: X.520 defines country and serialNumber
// as printable, and RFC 5280 §4.1.2.4 wants UTF8String elsewhere; Persian fits
// nowhere else.
func (t Type) Tag() int {
	if t == Country || t == SerialNumber {
		return asn1.TagPrintableString
	}
	return asn1.TagUTF8String
}

// Source is where an attribute's value is taken from: a field of the request
// form by its JSON name, or what the profile or the issuer says.
type Source string

// The sources.
const (
	FromSector                Source = "sector"
	FromIssuer                Source = "issuerOrganization" // O of the issuer's name: any number of values
	FromOrganizationName      Source = "organizationName"
	FromOrganization          Source = "organization" // company national ID
	FromPost                  Source = "post"
	FromProvince              Source = "province"
	FromCity                  Source = "city"
	FromSurname               Source = "surname"
	FromGivenName             Source = "givenName"
	FromPersonCode            Source = "personCode"
	FromLatinName             Source = "latinName" // given name and surname
	FromLatinOrganizationName Source = "latinOrganizationName"
)

// sources are those from which each attribute may be taken; the others are fixed.
var sources = map[Type][]Source{
	Organization: {FromSector, FromIssuer}, OrganizationalUnit: {FromOrganizationName}, Post: {FromPost},
	OrganizationIdentifier: {FromOrganization}, Province: {FromProvince}, Locality: {FromCity}, Surname: {FromSurname},
	GivenName: {FromGivenName}, SerialNumber: {FromPersonCode}, CommonName: {FromLatinName, FromLatinOrganizationName},
}

// Of a serial: what keeps it positive and of one length, and tells Govahi's
// apart from those of another system that may issue under the same name; and
// 136 random bits (CA/B BR §7.1 asks for 64, RFC 5280 §4.1.2.2 allows 20 octets).
const (
	SerialPrefix = 0x67
	SerialOctets = 18
)
