package pki

import (
	"time"

	"govahi/commands"
)

// EncodeCRL is the encoder without the lints, which refuse what no list of ours
// holds and the encoder can write all the same.
func (a *Authority) EncodeCRL(number uint64, at time.Time, revoked []commands.RevokedSerial) ([]byte, error) {
	return a.crls.encode(number, at, at.Add(CRLLife), revoked)
}
