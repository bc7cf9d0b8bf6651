package main

import (
	"crypto/x509"
	"encoding/hex"
)

// onList tells whether a serial stands on a revocation list.
func onList(der []byte, serial string) (bool, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return false, err
	}
	for _, e := range list.RevokedCertificateEntries {
		if hex.EncodeToString(e.SerialNumber.Bytes()) == serial {
			return true, nil
		}
	}
	return false, nil
}
