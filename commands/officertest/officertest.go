// Package officertest gives registration officers of tests their certificates,
// and signatures that stand for those of their tokens.
package officertest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Signatures reads what Sign makes.
type Signatures struct{}

type signature struct{ Serial, Over string }

// ErrMalformed and ErrWrong stand for the real verifier's.
var (
	ErrMalformed = fault.New(fault.Invalid, "signature-malformed", "امضا خوانده نمی‌شود.", "The signature cannot be read.").At("signature")
	ErrWrong     = fault.New(fault.Invalid, "signature-wrong", "امضا از آن این پرونده نیست.", "The signature is of something else.").At("signature")
)

// Serial is that of the certificate that it names.
func (Signatures) Serial(data []byte) (string, error) {
	var s signature
	if json.Unmarshal(data, &s) != nil {
		return "", ErrMalformed
	}
	return s.Serial, nil
}

// Check compares what was signed, and by what.
func (Signatures) Check(data, statement, der []byte) error {
	var s signature
	if json.Unmarshal(data, &s) != nil || s.Over != digest(statement) || s.Serial != string(der) && s.Serial != digest(der) {
		return ErrWrong
	}
	return nil
}

// Sign signs a statement by the officer's certificate.
func Sign(serial string, statement []byte) []byte {
	data, _ := json.Marshal(signature{serial, digest(statement)})
	return data
}

// SignBy signs a statement by a real certificate, DER.
func SignBy(der, statement []byte) []byte { return Sign(digest(der), statement) }

// SerialOf is that of an officer's certificate.
func SerialOf(officer event.Subject) string {
	sum := sha256.Sum256([]byte(officer))
	return "67" + hex.EncodeToString(sum[:8])
}

// Certify plants an officer's own certificate in the log, valid for a year.
func Certify(ctx context.Context, log event.Log, keeper event.Keeper, officer event.Subject, at time.Time) error {
	serial := SerialOf(officer)
	until := at.AddDate(1, 0, 0)
	der := event.About(officer, certificate.DER{DER: []byte(serial)})
	stream := certificate.Kind.Stream(serial)
	proposed, err := certificate.Kind.Encode(ctx, keeper, stream, event.Meta{CommandID: "certify/" + serial, Actor: "test", At: at}, []event.Event{
		certificate.IssuanceIntended{
			Serial: serial, Record: &certificate.Citation{Stream: "credential-test"}, Subject: officer, Profile: certificate.OfficersProfile + "@1",
			Issuer: "test", KeyHash: serial, NotBefore: at, NotAfter: until, TBS: event.About(officer, certificate.DER{DER: []byte(serial)}), TBSHash: serial, At: at,
		},
		certificate.SigningStarted{Signer: "test", At: at},
		certificate.Issued{
			Serial: serial, Subject: officer, Profile: certificate.OfficersProfile + "@1", Fingerprint: digest([]byte(serial)),
			NotBefore: at, NotAfter: until, Certificate: der, Signer: "test", At: at,
		},
	})
	if err == nil {
		_, err = log.Append(ctx, stream, event.NoStream, proposed...)
	}
	return err
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
