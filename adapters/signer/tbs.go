package signer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
)

// assemble puts a to-be-signed part and its signature together: certificates
// and revocation lists have the same outer form (RFC 5280 §4.1, §5.1).
func assemble(tbs, signature []byte) ([]byte, error) {
	algorithm, err := innerAlgorithm(tbs)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
}

// innerAlgorithm is the signature algorithm that the to-be-signed part names,
// and that the outer form must repeat (RFC 5280 §4.1.1.2): in certificates and
// lists alike the first SEQUENCE inside.
func innerAlgorithm(tbs []byte) (asn1.RawValue, error) {
	var whole, part asn1.RawValue
	if rest, err := asn1.Unmarshal(tbs, &whole); err != nil || len(rest) > 0 || whole.Tag != asn1.TagSequence {
		return part, ErrTBS
	}
	for rest := whole.Bytes; len(rest) > 0; {
		var err error
		if rest, err = asn1.Unmarshal(rest, &part); err != nil {
			return part, ErrTBS
		}
		if part.Class == asn1.ClassUniversal && part.Tag == asn1.TagSequence {
			return part, nil
		}
	}
	return part, ErrTBS
}

// parseCertificate reads a to-be-signed certificate, under a signature of
// nothing.
func parseCertificate(tbs []byte) (*x509.Certificate, error) {
	der, err := assemble(tbs, []byte{0})
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil || !bytes.Equal(c.RawTBSCertificate, tbs) {
		return nil, ErrTBS
	}
	return c, nil
}

// algorithmFor is the one way in which the issuer signs.
func algorithmFor(public crypto.PublicKey) (x509.SignatureAlgorithm, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return x509.SHA256WithRSA, nil
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 256:
			return x509.ECDSAWithSHA256, nil
		case 384:
			return x509.ECDSAWithSHA384, nil
		}
	}
	return 0, errors.New("signer: the issuer's key is of a kind that is not used here")
}

// digestOf is what the token is asked to sign.
func digestOf(a x509.SignatureAlgorithm, tbs []byte) ([]byte, crypto.Hash) {
	hash := hashOf(a)
	h := hash.New()
	h.Write(tbs)
	return h.Sum(nil), hash
}

func hashOf(a x509.SignatureAlgorithm) crypto.Hash {
	if a == x509.ECDSAWithSHA384 {
		return crypto.SHA384
	}
	return crypto.SHA256
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}
