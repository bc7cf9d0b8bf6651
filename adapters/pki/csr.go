package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"slices"
)

// minRSA is the shortest RSA modulus in bits, and rsaSizes those that the
// profile allows.
const minRSA = 2048

var rsaSizes = []int{2048, 3072, 4096}

// CheckCSR proves possession (RFC 2986 §4.2), key type and strength, and
// returns the SHA-256 of the key's SubjectPublicKeyInfo. Whatever else the
// request asks for is not looked at: only the key is taken from it.
func (a *Authority) CheckCSR(csr []byte) (string, error) {
	request, err := parseCSR(csr)
	if err != nil {
		return "", err
	}
	if err := checkKey(request.PublicKey); err != nil {
		return "", err
	}
	if !slices.Contains(requestSignatures, request.SignatureAlgorithm) {
		return "", ErrCSRDigest
	}
	if request.CheckSignature() != nil {
		return "", ErrCSRSignature
	}
	return sha256Hex(request.RawSubjectPublicKeyInfo), nil
}

var requestSignatures = []x509.SignatureAlgorithm{
	x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
	x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
	x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512,
}

// parseCSR takes DER only: PEM or anything behind the request is refused, so
// that what was stored is exactly what was checked.
func parseCSR(csr []byte) (*x509.CertificateRequest, error) {
	var whole asn1.RawValue
	if rest, err := asn1.Unmarshal(csr, &whole); err != nil || len(rest) > 0 {
		return nil, ErrCSRMalformed
	}
	request, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		return nil, ErrCSRMalformed
	}
	return request, nil
}

func checkKey(public any) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return checkRSA(k)
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() || k.Curve == elliptic.P384() {
			return nil
		}
	}
	return ErrKeyType
}

func checkRSA(k *rsa.PublicKey) error {
	switch bits := k.N.BitLen(); {
	case bits < minRSA:
		return ErrKeyWeak
	case !slices.Contains(rsaSizes, bits):
		return ErrKeyType
	case k.E < 65537 || k.E%2 == 0: // FIPS 186-5 §A.1.1
		return ErrKeyExponent
	}
	return nil
}

// DecodeCSR reads a request as a workstation hands it over, PEM or DER, into
// the DER that is checked and stored.
func DecodeCSR(data []byte) []byte {
	if block, rest := pem.Decode(data); block != nil && block.Type == "CERTIFICATE REQUEST" && len(rest) == 0 {
		return block.Bytes
	}
	return data
}
