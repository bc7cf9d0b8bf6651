package projections

import (
	_ "embed"
	"encoding/json"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/person"
)

//go:embed certificates.sql
var certificatesSQL string

// Certificates is every serial and where it stands.
var Certificates = Projection{
	Name: "certificates", Version: 4, Tables: certificatesSQL,
	Catalogs: []event.Catalog{certificate.Catalog, person.Catalog},
	Apply:    applyCertificate,
}

var certificates = NewTable[certificateRow]("certificates", certificate.Kind.Category)

type certificateRow struct {
	Serial      string `row:"key"`
	Request     *string
	Person      *string
	Profile     string
	Status      string
	Fingerprint *string
	NotBefore   *time.Time
	NotAfter    *time.Time
	IssuedAt    *time.Time
	Token       *string
	Certificate json.RawMessage `row:"kept"`
	Public      []byte          `row:"kept"`
	Reason      *string
	Ground      *string
	RevokedAt   *time.Time
	RevokedBy   *string
	Cause       *string
	HeldAt      *time.Time
	HeldUntil   *time.Time
}

func applyCertificate(w *Writer, e Event) {
	serial := e.Stream.ID()
	switch e := e.Is.(type) {
	case certificate.IssuanceIntended:
		certificates.Insert(w, certificateRow{
			Serial: serial, Request: orNull(requestOf(e)), Person: orNull(string(e.Subject)), Profile: e.Profile, Status: "intended",
			NotBefore: &e.NotBefore, NotAfter: &e.NotAfter, Token: orNull(e.Token),
		})
	case certificate.SigningStarted:
		certificates.Change(w, serial).Status = "signing"
	case certificate.Issued:
		r := certificates.Change(w, serial)
		r.Status, r.Fingerprint, r.IssuedAt = "valid", &e.Fingerprint, &e.At
		r.Certificate, r.Public = Column(e.Certificate), e.Public
	case certificate.IssuanceAbandoned:
		r := certificates.Find(w, serial)
		if r == nil { // the serial was never intended
			r = certificates.Insert(w, certificateRow{Serial: serial})
		}
		r.Status = "abandoned"
	case certificate.Suspended:
		r := certificates.Change(w, serial)
		r.Status, r.HeldAt, r.HeldUntil = string(certificate.OnHold), &e.At, &e.Until
	case certificate.SuspensionLifted:
		r := certificates.Change(w, serial)
		r.Status, r.HeldAt, r.HeldUntil = string(certificate.Valid), nil, nil
	case certificate.Revoked:
		certificates.Change(w, serial).revoke(e)
	case person.Erased:
		w.Exec(`UPDATE certificates SET certificate = NULL WHERE person = $1`, e.Subject)
	}
}

func (r *certificateRow) revoke(e certificate.Revoked) {
	r.HeldAt, r.HeldUntil = nil, nil
	r.Status, r.Reason, r.RevokedBy, r.Cause = "revoked", new(string(e.Reason)), &e.By, orNull(string(e.Case))
	r.Ground = orNull(string(e.Ground))
	if r.RevokedAt == nil {
		r.RevokedAt = &e.At
	}
}

// requestOf is the request that a certificate stands on; an officer's stands on
// none.
func requestOf(e certificate.IssuanceIntended) string {
	if e.Record == nil || e.Record.Stream.Category() != enrollment.Kind.Category {
		return ""
	}
	return e.Record.Stream.ID()
}
