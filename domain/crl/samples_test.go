package crl

import "time"

var noon = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

func intended(number uint64) Intended {
	return Intended{number, noon, noon.AddDate(0, 0, 7), 3, "115f", "7b5", Event{"certificate-6f3a", 3}}
}

func starting(number uint64) StartSigning { return StartSigning{number, "7b5", "signer-1", noon} }

func started(number uint64) SigningStarted { return SigningStarted{number, "signer-1", noon} }

func signed(number uint64) Signed { return Signed{number, []byte{0x30, 1}, "c41", 30_000_000, noon} }
