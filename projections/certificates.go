package projections

import (
	_ "embed"

	"govahi/domain/certificate"
	"govahi/domain/event"
	"govahi/domain/person"
)

//go:embed certificates.sql
var certificatesSQL string

// Certificates is every serial and where it stands.
var Certificates = Projection{
	Name: "certificates", Version: 1, Tables: certificatesSQL,
	Catalogs: []event.Catalog{certificate.Catalog, person.Catalog},
	Apply:    applyCertificate,
}

func applyCertificate(w *Writer, e Event) {
	serial := e.Stream.ID()
	switch e := e.Is.(type) {
	case certificate.IssuanceIntended:
		w.Exec(`INSERT INTO certificates (serial, request, person, profile, status, not_before, not_after, token)
			VALUES ($1, NULLIF($2, ''), NULLIF($3, ''), $4, 'intended', $5, $6, NULLIF($7, ''))`,
			serial, requestOf(e), e.Subject, e.Profile, e.NotBefore, e.NotAfter, e.Token)
	case certificate.SigningStarted:
		w.Exec(`UPDATE certificates SET status = 'signing' WHERE serial = $1`, serial)
	case certificate.Issued:
		w.Exec(`UPDATE certificates SET status = 'valid', fingerprint = $2, issued_at = $3, certificate = $4, public = $5
			WHERE serial = $1`, serial, e.Fingerprint, e.At, Column(e.Certificate), e.Public)
	case certificate.IssuanceAbandoned: // also of a serial that was never intended
		w.Exec(`INSERT INTO certificates (serial, profile, status) VALUES ($1, '', 'abandoned')
			ON CONFLICT (serial) DO UPDATE SET status = 'abandoned'`, serial)
	case certificate.Revoked:
		w.Exec(`UPDATE certificates SET status = 'revoked', reason = $2, revoked_at = COALESCE(revoked_at, $3), revoked_by = $4,
			cause = NULLIF($5, '') WHERE serial = $1`, serial, e.Reason, e.At, e.By, e.Case)
	case person.Erased:
		w.Exec(`UPDATE certificates SET certificate = NULL WHERE person = $1`, e.Subject)
	}
}

func requestOf(e certificate.IssuanceIntended) string {
	if e.Record == nil {
		return ""
	}
	return e.Record.Stream.ID()
}
