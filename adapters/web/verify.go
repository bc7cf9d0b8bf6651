package web

import (
	"io"
	"time"

	"govahi/domain/certificate"
)

// Standing is what the public may know of a serial.
type Standing string

// The standings.
const (
	Valid   Standing = "valid"
	Held    Standing = "suspended" // for a time
	Revoked Standing = "revoked"
	Expired Standing = "expired"
	Unknown Standing = "unknown" // never issued by us, or not yet
)

// VerifyData is the public answer about one serial. It has no place for
// personal data.
type VerifyData struct {
	Serial   string // hexadecimal, as asked; empty shows the form alone
	Standing Standing
	// Fingerprint is the SHA-256 of the certificate, hexadecimal, if known: who
	// holds a sheet sees by it that the sheet is of this very certificate.
	Fingerprint string
	Reason      certificate.Reason // if revoked, or suspended
	RevokedAt   time.Time          // if revoked, or suspended
	NotBefore   time.Time          // if known
	NotAfter    time.Time          // if known
	Issuer      string             // its name, if known
	CheckedAt   time.Time
	Action      string // the form's target; takes ?serial=
}

// Verify renders the answer.
func Verify(w io.Writer, d VerifyData) error { return verifyPage.Execute(w, d) }
