package pki

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"time"

	"govahi/commands"
	"govahi/domain/certificate"
)

// CRLLife is thisUpdate to nextUpdate. A list is made at least daily, so that
// one that fails leaves a day to mend it (domain §4.6).
const CRLLife = 48 * time.Hour

// PrepareCRL builds and lints the to-be-signed revocation list (RFC 5280 §5):
// version 2, AKI, CRLNumber, reason codes; no entries field when it is empty.
func (a *Authority) PrepareCRL(number uint64, thisUpdate time.Time, revoked []commands.RevokedSerial) (commands.PreparedCRL, error) {
	entries, err := entriesOf(revoked)
	if err != nil {
		return commands.PreparedCRL{}, err
	}
	template := &x509.RevocationList{
		Number:                    new(big.Int).SetUint64(number),
		ThisUpdate:                seconds(thisUpdate),
		NextUpdate:                seconds(thisUpdate).Add(CRLLife),
		RevokedCertificateEntries: entries,
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.throwaway.issuer, a.throwaway.key)
	if err != nil {
		return commands.PreparedCRL{}, err
	}
	return a.preparedCRL(der)
}

func (a *Authority) preparedCRL(der []byte) (commands.PreparedCRL, error) {
	if err := a.linter.revocationList(der); err != nil {
		return commands.PreparedCRL{}, err
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return commands.PreparedCRL{}, err
	}
	return commands.PreparedCRL{
		TBS:        list.RawTBSRevocationList,
		TBSHash:    sha256Hex(list.RawTBSRevocationList),
		ThisUpdate: list.ThisUpdate,
		NextUpdate: list.NextUpdate,
		Entries:    len(list.RevokedCertificateEntries),
	}, nil
}

func entriesOf(revoked []commands.RevokedSerial) ([]x509.RevocationListEntry, error) {
	var entries []x509.RevocationListEntry
	listed := map[string]bool{}
	for _, r := range revoked {
		serial, err := parseSerial(r.Serial)
		if err != nil {
			return nil, err
		}
		if listed[r.Serial] {
			return nil, ErrListedTwice
		}
		listed[r.Serial] = true
		entries = append(entries, x509.RevocationListEntry{
			SerialNumber: serial, RevocationTime: seconds(r.At), ReasonCode: r.Reason.Code(),
		})
	}
	return entries, nil
}

// ListedIn reads the lines of a signed list, in its order; times are of whole
// seconds there.
func (a *Authority) ListedIn(der []byte) ([]commands.RevokedSerial, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	var revoked []commands.RevokedSerial
	for _, e := range list.RevokedCertificateEntries {
		revoked = append(revoked, commands.RevokedSerial{
			Serial: hex.EncodeToString(e.SerialNumber.Bytes()), Reason: certificate.ReasonOf(e.ReasonCode), At: e.RevocationTime,
		})
	}
	return revoked, nil
}
