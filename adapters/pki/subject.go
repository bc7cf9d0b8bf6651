package pki

import (
	"crypto/x509/pkix"
	"encoding/asn1"

	"govahi/domain/enrollment"
	"govahi/domain/profile"
)

// particulars are what a subject's attributes may be taken from.
type particulars struct {
	values map[profile.Source]string
	email  string
}

// particularsOf reads a request form. The person code stands bare in
// serialNumber, as the national profile has it (domain §4.3), not in ETSI EN 319
// 412-1's form.
func particularsOf(f enrollment.Form) particulars {
	return particulars{email: f.Email, values: map[profile.Source]string{
		profile.FromOrganizationName:      f.OrganizationName,
		profile.FromOrganization:          f.Organization,
		profile.FromPost:                  f.Post,
		profile.FromProvince:              f.Province,
		profile.FromCity:                  f.City,
		profile.FromSurname:               f.Surname,
		profile.FromGivenName:             f.GivenName,
		profile.FromPersonCode:            f.PersonCode,
		profile.FromLatinName:             f.LatinGivenName + " " + f.LatinSurname,
		profile.FromLatinOrganizationName: f.LatinOrganizationName,
	}}
}

// subject is the name that the profile makes of the particulars, attribute by
// attribute in its order.
func (a *Authority) subject(p profile.Profile, from particulars) ([]byte, error) {
	var name pkix.RDNSequence
	for _, rule := range p.Subject {
		for _, value := range a.values(p, rule, from) {
			name = append(name, attribute(rule.Type, value))
		}
	}
	return asn1.Marshal(name)
}

func (a *Authority) values(p profile.Profile, rule profile.Attribute, from particulars) []string {
	switch rule.From {
	case "":
		return []string{rule.Value}
	case profile.FromSector:
		return []string{string(p.Sector)}
	case profile.FromIssuer:
		return a.certificate.Subject.Organization
	}
	value := from.values[rule.From]
	if rule.Suffix != "" {
		value += " " + rule.Suffix
	}
	return []string{value}
}

func attribute(t profile.Type, value string) []pkix.AttributeTypeAndValue {
	return []pkix.AttributeTypeAndValue{{Type: t.OID(), Value: asn1.RawValue{Tag: t.Tag(), Bytes: []byte(value)}}}
}
