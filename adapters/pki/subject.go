package pki

import (
	"crypto/x509/pkix"
	"encoding/asn1"

	"govahi/domain/enrollment"
)

// Attribute types of a distinguished name (X.520; RFC 5280 Appendix A.1).
var (
	oidCountry                = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidOrganization           = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidOrganizationalUnit     = asn1.ObjectIdentifier{2, 5, 4, 11}
	oidOrganizationIdentifier = asn1.ObjectIdentifier{2, 5, 4, 97}
	oidProvince               = asn1.ObjectIdentifier{2, 5, 4, 8}
	oidLocality               = asn1.ObjectIdentifier{2, 5, 4, 7}
	oidTitle                  = asn1.ObjectIdentifier{2, 5, 4, 12}
	oidSurname                = asn1.ObjectIdentifier{2, 5, 4, 4}
	oidGivenName              = asn1.ObjectIdentifier{2, 5, 4, 42}
	oidSerialNumber           = asn1.ObjectIdentifier{2, 5, 4, 5}
	oidCommonName             = asn1.ObjectIdentifier{2, 5, 4, 3}
)

// subjectOf is the name of a natural person affiliated with an organisation
// (domain §4.3). The person code stands bare in serialNumber, as the national
// profile has it, not in ETSI EN 319 412-1's form.
func subjectOf(f enrollment.Form, sector string) ([]byte, error) {
	return asn1.Marshal(pkix.RDNSequence{
		printable(oidCountry, "IR"),
		utf8String(oidOrganization, sector),
		utf8String(oidOrganizationalUnit, f.OrganizationName),
		utf8String(oidOrganizationIdentifier, f.Organization),
		utf8String(oidProvince, f.Province),
		utf8String(oidLocality, f.City),
		utf8String(oidTitle, f.Post),
		utf8String(oidSurname, f.Surname),
		utf8String(oidGivenName, f.GivenName),
		printable(oidSerialNumber, f.PersonCode),
		utf8String(oidCommonName, f.LatinGivenName+" "+f.LatinSurname+" [Sign]"),
	})
}

// officerOf is the name of a registration officer, by his office (domain §4.5).
func officerOf(f enrollment.Form, sector string) ([]byte, error) {
	return asn1.Marshal(pkix.RDNSequence{
		printable(oidCountry, "IR"),
		utf8String(oidOrganization, sector),
		utf8String(oidOrganizationalUnit, f.OrganizationName),
		utf8String(oidProvince, f.Province),
		utf8String(oidLocality, f.City),
		utf8String(oidTitle, f.Post),
		utf8String(oidSurname, f.Surname),
		utf8String(oidGivenName, f.GivenName),
		printable(oidSerialNumber, f.PersonCode),
		utf8String(oidCommonName, f.LatinGivenName+" "+f.LatinSurname+" [RA]"),
	})
}

// utf8String is how RFC 5280 §4.1.2.4 wants names; Persian fits nowhere else.
func utf8String(t asn1.ObjectIdentifier, value string) []pkix.AttributeTypeAndValue {
	return attribute(t, asn1.TagUTF8String, value)
}

// printable is for country and serialNumber, which X.520 defines so.
func printable(t asn1.ObjectIdentifier, value string) []pkix.AttributeTypeAndValue {
	return attribute(t, asn1.TagPrintableString, value)
}

func attribute(t asn1.ObjectIdentifier, tag int, value string) []pkix.AttributeTypeAndValue {
	return []pkix.AttributeTypeAndValue{{Type: t, Value: asn1.RawValue{Tag: tag, Bytes: []byte(value)}}}
}
