package signer

import (
	"crypto/x509"
	"slices"
	"time"
)

const (
	day  = 24 * time.Hour
	year = 366 * day
)

// profile is what the signer itself holds a certificate to, whatever built it:
// exactly these extensions, and nobody becomes a CA.
type profile struct {
	person     bool // about a person: the confirmed record is checked
	officer    bool // about an officer: the word of who vouched for him is checked instead
	usage      x509.KeyUsage
	extended   []x509.ExtKeyUsage
	extensions []string
	life       time.Duration // the longest validity
}

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

var profiles = map[string]profile{
	"cpmis-signature@1": {
		person:   true,
		usage:    x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		extended: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection},
		extensions: []string{
			extKeyUsage, extExtended, extSubjectKeyID, extAuthorityKeyID, extAuthorityInfo, extAlternative, extCRLPoints, extPolicies,
		},
		life: year,
	},
	"ra-officer@1": {
		person:   true,
		officer:  true,
		usage:    x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		extended: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		extensions: []string{
			extKeyUsage, extExtended, extSubjectKeyID, extAuthorityKeyID, extAuthorityInfo, extAlternative, extCRLPoints, extPolicies,
		},
		life: year,
	},
	"ocsp-responder@1": {
		usage:      x509.KeyUsageDigitalSignature,
		extended:   []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		extensions: []string{extKeyUsage, extExtended, extSubjectKeyID, extAuthorityKeyID, extAuthorityInfo, extNoCheck},
		life:       30 * day,
	},
}

func (p profile) matches(c *x509.Certificate) bool {
	var extensions []string
	for _, e := range c.Extensions {
		id := e.Id.String()
		if e.Critical != (id == extKeyUsage) {
			return false
		}
		extensions = append(extensions, id)
	}
	slices.Sort(extensions)
	return c.Version == 3 && !c.IsCA && c.KeyUsage == p.usage && len(c.UnknownExtKeyUsage) == 0 &&
		slices.Equal(c.ExtKeyUsage, p.extended) &&
		slices.Equal(extensions, slices.Sorted(slices.Values(p.extensions)))
}
