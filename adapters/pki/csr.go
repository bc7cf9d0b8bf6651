package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"math"
	"slices"

	"govahi/domain/profile"
)

// minRSA is the shortest RSA modulus in bits, and rsaSizes those that a profile
// may allow.
const minRSA = 2048

var rsaSizes = []int{2048, 3072}

// CheckCSR proves possession (RFC 2986 §4.2), key type and strength, and
// returns the SHA-256 of the key's SubjectPublicKeyInfo. Whatever else the
// request asks for is not looked at: only the key is taken from it.
func (a *Authority) CheckCSR(csr []byte) (string, error) {
	request, err := a.checked(csr)
	if err != nil {
		return "", err
	}
	return sha256Hex(request.RawSubjectPublicKeyInfo), nil
}

// checked is a request that holds.
func (a *Authority) checked(csr []byte) (*x509.CertificateRequest, error) {
	request, err := parseCSR(csr)
	if err != nil {
		return nil, err
	}
	if err := a.checkKey(request.PublicKey); err != nil {
		return nil, err
	}
	if a.owns(request.PublicKey) {
		return nil, ErrKeyOurs
	}
	if !slices.Contains(requestSignatures, request.SignatureAlgorithm) {
		return nil, ErrCSRDigest
	}
	if request.CheckSignature() != nil {
		return nil, ErrCSRSignature
	}
	return request, nil
}

// Fits refuses a key of a kind that the profile does not certify.
func (a *Authority) Fits(csr []byte, p profile.Profile) error {
	request, err := parseCSR(csr)
	if err != nil {
		return err
	}
	if k, ok := profile.KeyOf(request.PublicKey); !ok || !p.Allows(k) {
		return errKeyKind(p)
	}
	return nil
}

var requestSignatures = []x509.SignatureAlgorithm{
	x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
	x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
	x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512,
}

// maxCSR bounds what is parsed and stored; an RSA key of 4096 bits needs 1,200
// bytes.
const maxCSR = 16 << 10

// parseCSR takes DER only: PEM or anything behind the request is refused, so
// that what was stored is exactly what was checked.
func parseCSR(csr []byte) (*x509.CertificateRequest, error) {
	if len(csr) > maxCSR {
		return nil, ErrCSRLong
	}
	var whole asn1.RawValue
	if rest, err := asn1.Unmarshal(csr, &whole); err != nil || len(rest) > 0 {
		return nil, ErrCSRMalformed
	}
	request, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		return nil, unread(csr)
	}
	return request, nil
}

// unread tells a request that cannot be read from one whose key cannot: the
// parser knows neither other curves nor points beside them.
func unread(csr []byte) error {
	var request struct {
		Info struct {
			Version int
			Subject asn1.RawValue
			Key     struct {
				Raw       asn1.RawContent
				Algorithm pkix.AlgorithmIdentifier
				Bits      asn1.BitString
			}
			Attributes asn1.RawValue `asn1:"optional"`
		}
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(csr, &request); err != nil {
		return ErrCSRMalformed
	}
	key := request.Info.Key
	if _, err := x509.ParsePKIXPublicKey(key.Raw); err == nil {
		return ErrCSRMalformed
	}
	var curve asn1.ObjectIdentifier
	_, err := asn1.Unmarshal(key.Algorithm.Parameters.FullBytes, &curve)
	if key.Algorithm.Algorithm.Equal(oidECPublicKey) && (err != nil || !curve.Equal(oidP256) && !curve.Equal(oidP384)) {
		return ErrKeyType
	}
	return ErrKeyMalformed
}

// Kinds of keys (RFC 5480 §2.1.1).
var (
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidP256        = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	oidP384        = asn1.ObjectIdentifier{1, 3, 132, 0, 34}
)

// owns tells the keys of the issuer and of the root, which certify and are not
// certified here.
func (a *Authority) owns(public any) bool {
	k, ok := public.(interface{ Equal(crypto.PublicKey) bool })
	return ok && (k.Equal(a.certificate.PublicKey) || k.Equal(a.root.PublicKey))
}

func (a *Authority) checkKey(public any) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return a.checkRSA(k)
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() || k.Curve == elliptic.P384() {
			return nil
		}
	}
	return ErrKeyType
}

func (a *Authority) checkRSA(k *rsa.PublicKey) error {
	switch bits := k.N.BitLen(); {
	case bits < minRSA:
		return ErrKeyWeak
	case !slices.Contains(rsaSizes, bits):
		return ErrKeyType
	case k.E < 65537 || k.E%2 == 0 || k.E > math.MaxInt32: // FIPS 186-5 §A.1.1; beyond, libraries differ
		return ErrKeyExponent
	case !a.sound.keeps(k.N):
		return ErrKeyBroken
	}
	return nil
}

// DecodeCSR reads a request as a workstation hands it over, PEM, base64 or DER,
// into the DER that is checked and stored.
func DecodeCSR(data []byte) []byte {
	if block, rest := pem.Decode(data); block != nil && block.Type == "CERTIFICATE REQUEST" && len(bytes.TrimSpace(rest)) == 0 {
		return block.Bytes
	}
	if der, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data))); err == nil {
		return der
	}
	return data
}
