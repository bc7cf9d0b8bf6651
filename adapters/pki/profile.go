package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"govahi/domain/profile"
)

var (
	oidPolicies       = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidAuthorityKeyID = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidOCSPNoCheck    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
)

// request is everything that goes into a certificate beside its profile.
type request struct {
	serial      *big.Int
	particulars particulars
	key         profile.Key
	notBefore   time.Time
}

// template is a certificate as its profile wants it. The responder's has no
// revocation of its own, for nobody could answer whether the one who answers is
// revoked (RFC 6960 §4.2.2.2.1).
func (a *Authority) template(p profile.Profile, r request) (*x509.Certificate, error) {
	subject, err := a.subject(p, r.particulars)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber:          r.serial,
		RawSubject:            subject,
		NotBefore:             r.notBefore,
		NotAfter:              a.capped(p.Until(r.notBefore)),
		KeyUsage:              p.Bits(r.key),
		ExtKeyUsage:           p.ExtKeyUsages(),
		IssuingCertificateURL: []string{a.config.IssuerCertificate},
	}
	if p.Email == profile.EmailRequired {
		t.EmailAddresses = []string{r.particulars.email}
	}
	if p.Holder == profile.Responder {
		t.ExtraExtensions = []pkix.Extension{{Id: oidOCSPNoCheck, Value: asn1.NullBytes}}
		return t, nil
	}
	t.CRLDistributionPoints, t.OCSPServer = []string{a.config.CRL}, []string{a.config.OCSP}
	policies, err := a.policies(p)
	t.ExtraExtensions = []pkix.Extension{policies}
	return t, err
}

// capped keeps a certificate from outliving its issuer.
func (a *Authority) capped(notAfter time.Time) time.Time {
	if notAfter.After(a.certificate.NotAfter) {
		return a.certificate.NotAfter
	}
	return notAfter
}

// policies is the policy and where its practice statement stands (RFC 5280
// §4.2.1.4). crypto/x509 writes no qualifiers.
func (a *Authority) policies(p profile.Profile) (pkix.Extension, error) {
	cps := p.CPS
	if cps == "" {
		cps = a.config.CPS
	}
	policy, err := parseOID(p.Policy)
	if err != nil {
		return pkix.Extension{}, err
	}
	value, err := asn1.Marshal([]profile.Statement{{Policy: policy, Qualifiers: []profile.Qualifier{{ID: profile.OIDCPS, CPS: cps}}}})
	return pkix.Extension{Id: oidPolicies, Value: value}, err
}

func parseOID(text string) (id asn1.ObjectIdentifier, err error) {
	for arc := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(arc)
		if err != nil {
			return nil, fmt.Errorf("pki: %q is not an OID", text)
		}
		id = append(id, n)
	}
	return id, nil
}

func parseSerial(text string) (*big.Int, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw) > 20 {
		return nil, ErrSerial
	}
	serial := new(big.Int).SetBytes(raw)
	if hex.EncodeToString(serial.Bytes()) != text {
		return nil, ErrSerial // leading zeros or capitals: streams are named by one form only
	}
	return serial, nil
}
