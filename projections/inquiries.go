package projections

import (
	_ "embed"

	"govahi/domain/event"
	"govahi/domain/inquiry"
)

//go:embed inquiries.sql
var inquiriesSQL string

// Inquiries is the to-do list of questions to the registry, and the record of
// their purposes (invariant 10).
var Inquiries = Projection{
	Name: "inquiries", Version: 2, Tables: inquiriesSQL,
	Catalogs: []event.Catalog{inquiry.Catalog},
	Apply:    applyInquiry,
}

func applyInquiry(w *Writer, e Event) {
	id := e.Stream.ID()
	switch e := e.Is.(type) {
	case inquiry.Requested:
		w.Exec(`INSERT INTO inquiries (id, request, person, purpose, legal_basis, asked_by, asked_at, status, due_at, set_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 'due', $7, $7)
			ON CONFLICT (id) DO UPDATE SET asked_by = excluded.asked_by, asked_at = excluded.asked_at,
				status = 'due', due_at = excluded.due_at, set_at = excluded.set_at, cause = NULL`,
			id, e.Request.ID(), e.Subject, e.Purpose, e.LegalBasis, e.By, e.At)
	case inquiry.Deferred:
		w.Exec(`UPDATE inquiries SET due_at = $2, attempts = $3, cause = $4, set_at = $5 WHERE id = $1`,
			id, e.RetryAt, e.Attempt, e.Cause, e.At)
	case inquiry.Inconclusive:
		w.Exec(`UPDATE inquiries SET status = 'inconclusive', due_at = NULL, cause = $2 WHERE id = $1`, id, e.Code)
	case inquiry.Answered:
		w.Exec(`UPDATE inquiries SET status = 'answered', due_at = NULL, cause = NULL, matched = $2, differs = $3,
			tracking_code = $4 WHERE id = $1`, id, e.Matched, e.Differs, e.TrackingCode)
	}
}
