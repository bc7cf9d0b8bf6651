package certificate

import (
	"time"

	"govahi/domain/event"
)

const (
	sara    event.Subject = "p-sara" // the holder
	request event.Stream  = "enrollment-140512345670"
	serial                = "a1b2"
)

var (
	noon  = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	later = noon.Add(time.Hour)
	until = noon.AddDate(2, 0, 0)
)

// intended is the intent of a person's certificate.
func intended() IssuanceIntended {
	return IssuanceIntended{
		Serial: serial, Record: &Citation{request, 12, "5eed"}, Confirmation: &Citation{request, 13, ""},
		Fee: &Citation{"fee-140512345670", 1, ""}, Subject: sara, Profile: "cpmis-signature@1", ProfileHash: "9f0f", Issuer: "155e",
		KeyHash: "4e7", Token: "T-1", Lint: LintResult{Linter: "zlint 3.7.3", Passed: 120, Notices: []string{"n_one"}},
		NotBefore: noon, NotAfter: until, TBS: event.About(sara, DER{[]byte{0x30, 1}}), TBSHash: "7b5", At: noon,
	}
}

// intendedForUs is the intent of a certificate that is about nobody, such as
// the responder's.
func intendedForUs() IssuanceIntended {
	return IssuanceIntended{
		Serial: serial, Profile: "ocsp-responder@1", Issuer: "155e", KeyHash: "4e7",
		Lint: LintResult{Linter: "zlint 3.7.3", Passed: 90}, NotBefore: noon, NotAfter: until,
		PublicTBS: []byte{0x30, 2}, TBSHash: "7b5", At: noon,
	}
}

func issued() Issued {
	return Issued{
		Serial: serial, Issuer: "155e", Request: request, Subject: sara, Profile: "cpmis-signature@1", Fingerprint: "f1",
		NotBefore: noon, NotAfter: until, Certificate: event.About(sara, DER{[]byte{0x30, 3}}), Signer: "signer-1", At: noon,
	}
}

var (
	started   = SigningStarted{"signer-1", noon}
	abandoned = IssuanceAbandoned{serial, "interrupted", noon}
)

func revoked(reason Reason) Revoked {
	return Revoked{Serial: serial, Request: request, Reason: reason, By: "p-operator", At: noon, Issuer: "155e", NotAfter: until}
}

func revoking(reason Reason) Revoke { return Revoke{Reason: reason, By: "p-operator", At: noon} }

func signing() []event.Event { return []event.Event{intended(), started} }

func valid() []event.Event { return append(signing(), issued()) }

func withdrawn(reason Reason) []event.Event { return append(valid(), revoked(reason)) }

func fold(events []event.Event) (s Certificate) {
	for _, e := range events {
		s = Evolve(s, e)
	}
	return s
}
