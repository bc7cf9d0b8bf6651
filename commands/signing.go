package commands

import (
	"context"
	"errors"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/issuer"
	"govahi/domain/profile"
)

// Signer is the signing process, the only holder of the CA's token. It signs
// what the log holds as intended, once, and nothing else (pki §5.3).
type Signer interface {
	// SignCertificate asks for the signature of an intended certificate, cited
	// by stream and the intent's revision; the signer compares the bytes with
	// the intent, appends SigningStarted, signs once, and returns the DER. The
	// officer's certificate, DER, is that of who confirmed the record; the log
	// has it sealed. If nobody was there to be asked, the error is ErrSignerAway.
	SignCertificate(ctx context.Context, stream event.Stream, revision uint64, tbs, officer []byte) (der []byte, signer string, err error)

	// SignCRL is the same for an intended revocation list.
	SignCRL(ctx context.Context, stream event.Stream, revision uint64, tbs []byte) (der []byte, signer string, err error)

	// Ready tells whether a signature would be begun now; else the error says why,
	// and is ErrSignerAway too.
	Ready(ctx context.Context) error
}

// ErrSignerAway is a Signer's word that it was not reached: nothing was asked.
var ErrSignerAway = fault.New(fault.Unavailable, "signer-unavailable",
	"امضاکننده در دسترس نیست؛ دوباره بکوشید.", "The signer is not running; try again.")

// signed asks for the signature of an intent.
func signed(
	ctx context.Context, sign func(context.Context, event.Stream, uint64, []byte) ([]byte, string, error), intent Receipt, tbs []byte,
) (der []byte, signer string, err error) {
	err = patiently(ctx, func() (err error) {
		der, signer, err = sign(ctx, intent.Stream, intent.Revision, tbs)
		return err
	})
	return der, signer, err
}

// patiently goes on asking while the signer is away: giving up would cost a serial,
// or a list's number, each time.
func patiently(ctx context.Context, ask func() error) error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := ask()
		if !errors.Is(err, ErrSignerAway) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// Signatures reads and verifies what officers sign (CMS, RFC 5652).
type Signatures interface {
	// Serial is that of the certificate that a signature names, lower-case hexadecimal.
	Serial(signature []byte) (string, error)
	// Check verifies that it is over the statement, by the key of the certificate.
	Check(signature, statement, certificate []byte) error
}

// Draft is what a certificate will say.
type Draft struct {
	Serial    string // lower-case hexadecimal, from NewSerial
	Profile   profile.Profile
	Form      enrollment.Form
	CSR       []byte // DER; the key is taken from it, and nothing else
	NotBefore time.Time
}

// Prepared is a certificate ready to be intended: exactly the bytes to sign,
// already linted (CA/B BR §4.3.1.2).
type Prepared struct {
	TBS         []byte
	TBSHash     string // SHA-256, hexadecimal
	KeyHash     string // SHA-256 of the SubjectPublicKeyInfo, hexadecimal
	Profile     string // name@version
	ProfileHash string // SHA-256 of its canonical form, hexadecimal
	Issuer      string // SHA-256 of the issuer's certificate, hexadecimal
	Lint        certificate.LintResult
	NotBefore   time.Time
	NotAfter    time.Time
}

// RevokedSerial is a line of a revocation list.
type RevokedSerial struct {
	Serial string
	Reason certificate.Reason
	At     time.Time
}

// PreparedCRL is a revocation list ready to be intended.
type PreparedCRL struct {
	TBS                    []byte
	TBSHash                string
	ThisUpdate, NextUpdate time.Time
	Entries                int
}

// SignedCRL is what the log keeps of a list that was signed.
type SignedCRL struct {
	Signature []byte
	Hash      string // SHA-256 of the DER, hexadecimal
	Size      int    // of the DER, bytes
}

// Authority knows the issuer's certificate, its profiles and its lints. It
// holds no key.
type Authority interface {
	Issuer() string // SHA-256 of the issuer's certificate, hexadecimal
	// Introduction is its certificate's name and times.
	Introduction() issuer.Introduced
	// Ended is how it ended, as the CA's directory has it; empty if it did not.
	Ended() issuer.Ending
	// Profiles are those by which it issues.
	Profiles() profile.Set
	// NewSerial is a fresh serial: a prefix byte and 136 random bits. There is
	// none while the issuer's own certificate is not valid.
	NewSerial(at time.Time) (string, error)
	// CheckCSR proves possession (RFC 2986 §4.2), key type and strength, and
	// returns the hash of the key for the rule against key reuse.
	CheckCSR(csr []byte) (keyHash string, err error)
	// Fits refuses a request whose key is of a kind that the profile does not
	// certify.
	Fits(csr []byte, p profile.Profile) error
	// Prepare builds and lints the to-be-signed certificate.
	Prepare(Draft) (Prepared, error)
	// PrepareResponder does so for the OCSP responder's own certificate.
	PrepareResponder(serial string, publicKey []byte, notBefore time.Time) (Prepared, error)
	// PrepareCRL builds the to-be-signed revocation list.
	PrepareCRL(number uint64, thisUpdate time.Time, revoked []RevokedSerial) (PreparedCRL, error)
	// PrepareLastCRL builds the list that no other follows: it is good for ever.
	PrepareLastCRL(number uint64, thisUpdate time.Time, revoked []RevokedSerial) (PreparedCRL, error)
	// AssembleCRL puts a list's signature behind its bytes.
	AssembleCRL(tbs, signature []byte) (der []byte)
	// CheckIssued compares a signed certificate with its to-be-signed bytes and
	// verifies the issuer's signature; it returns the SHA-256 fingerprint.
	CheckIssued(der, tbs []byte) (fingerprint string, err error)
	// CheckCRL does so for a revocation list.
	CheckCRL(der, tbs []byte) (SignedCRL, error)
}

// signer signs certificates on the word of an officer, by his certificate; the
// CA's own need none.
func (a *App) signer(officer []byte) func(context.Context, event.Stream, uint64, []byte) ([]byte, string, error) {
	return func(ctx context.Context, stream event.Stream, revision uint64, tbs []byte) ([]byte, string, error) {
		return a.Signer.SignCertificate(ctx, stream, revision, tbs, officer)
	}
}
