package auditor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strings"
	"time"
)

// Rules are the house's own lints, beside those of the standards: what every
// certificate here must be, whatever its profile, and what the three oldest
// profiles promise. It knows nothing of the code that builds certificates.
func Rules(profile string, c *x509.Certificate) (broken []string, err error) {
	for _, rule := range slices.Concat(general, particular(profile)) {
		if !rule.holds(c) {
			broken = append(broken, "govahi_"+rule.name)
		}
	}
	return broken, nil
}

type rule struct {
	name  string
	holds func(*x509.Certificate) bool
}

const enciphers = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement

var general = []rule{
	{"version_3", func(c *x509.Certificate) bool { return c.Version == 3 }},
	{"serial_positive_20_octets", func(c *x509.Certificate) bool { // RFC 5280 §4.1.2.2
		return c.SerialNumber.Sign() > 0 && len(c.SerialNumber.Bytes()) <= 20
	}},
	{"serial_64_bits", func(c *x509.Certificate) bool { return c.SerialNumber.BitLen() >= 64 }}, // CA/B BR §7.1
	{"not_a_ca", func(c *x509.Certificate) bool {
		return !c.IsCA && c.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) == 0
	}},
	{"key_identifiers", func(c *x509.Certificate) bool { return len(c.SubjectKeyId) > 0 && len(c.AuthorityKeyId) > 0 }},
	{"key_usage_critical", func(c *x509.Certificate) bool { return c.KeyUsage != 0 && critical(c, "2.5.29.15") }},
	{"key_separation", func(c *x509.Certificate) bool { // a key for signatures is never escrowed (pki §2)
		return c.KeyUsage&x509.KeyUsageContentCommitment == 0 || c.KeyUsage&enciphers == 0
	}},
	{"extended_key_usage", func(c *x509.Certificate) bool {
		return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
	}},
	{"no_unknown_critical_extension", func(c *x509.Certificate) bool { return len(c.UnhandledCriticalExtensions) == 0 }},
	{"country_ir", func(c *x509.Certificate) bool { return slices.Equal(c.Subject.Country, []string{"IR"}) }},
	{"issuer_address_http", func(c *x509.Certificate) bool { return plainHTTP(c.IssuingCertificateURL) }},
	{"key_strength", strong},
	{"signature_sha2", func(c *x509.Certificate) bool {
		return slices.Contains([]x509.SignatureAlgorithm{
			x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384,
		}, c.SignatureAlgorithm)
	}},
}

// others are for everybody but the responder, whose revocation is not checked.
var others = []rule{
	{"revocation_addresses_http", func(c *x509.Certificate) bool { // RFC 5280 §8 warns against https
		return plainHTTP(c.CRLDistributionPoints) && plainHTTP(c.OCSPServer)
	}},
	{"policy", func(c *x509.Certificate) bool { return len(c.PolicyIdentifiers)+len(c.Policies) > 0 }},
	{"does_not_answer_ocsp", func(c *x509.Certificate) bool {
		return !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && !has(c, noCheck)
	}},
}

var responders = []rule{ // RFC 6960 §4.2.2.2
	{"ocsp_signing_alone", func(c *x509.Certificate) bool {
		return slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}) && c.KeyUsage == x509.KeyUsageDigitalSignature
	}},
	{"ocsp_nocheck", func(c *x509.Certificate) bool { return has(c, noCheck) }},
	{"short_life", func(c *x509.Certificate) bool { return c.NotAfter.Sub(c.NotBefore) <= 31*24*time.Hour }},
}

var persons = []rule{ // domain §4.3
	{"signature_key_usage", func(c *x509.Certificate) bool {
		return c.KeyUsage == x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment
	}},
	{"one_email", func(c *x509.Certificate) bool { return len(c.EmailAddresses) == 1 }},
	{"person_code", func(c *x509.Certificate) bool { return c.Subject.SerialNumber != "" }},
	{"two_years_at_most", func(c *x509.Certificate) bool { return c.NotAfter.Sub(c.NotBefore) <= 2*366*24*time.Hour }},
}

func particular(profile string) []rule {
	name, _, _ := strings.Cut(profile, "@")
	switch name {
	case "ocsp-responder":
		return responders
	case "cpmis-signature", "ra-officer":
		return slices.Concat(others, persons)
	}
	return others
}

const noCheck = "1.3.6.1.5.5.7.48.1.5"

func has(c *x509.Certificate, id string) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == id {
			return true
		}
	}
	return false
}

func critical(c *x509.Certificate, id string) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == id {
			return e.Critical
		}
	}
	return false
}

func plainHTTP(addresses []string) bool {
	for _, a := range addresses {
		if !strings.HasPrefix(a, "http://") {
			return false
		}
	}
	return len(addresses) > 0
}

func strong(c *x509.Certificate) bool {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256() || k.Curve == elliptic.P384()
	}
	return false
}
