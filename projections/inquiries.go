package projections

import (
	_ "embed"
	"time"

	"govahi/domain/event"
	"govahi/domain/inquiry"
)

//go:embed inquiries.sql
var inquiriesSQL string

// Inquiries is the to-do list of questions to the registry, and the record of
// their purposes (invariant 10).
var Inquiries = Projection{
	Name: "inquiries", Version: 4, Tables: inquiriesSQL,
	Catalogs: []event.Catalog{inquiry.Catalog},
	Apply:    applyInquiry,
}

var inquiries = NewTable[inquiryRow]("inquiries", inquiry.Kind.Category)

type inquiryRow struct {
	ID           string `row:"key"`
	Request      string
	Person       string
	Purpose      string
	LegalBasis   string
	AskedBy      string
	AskedAt      time.Time
	Status       string
	DueAt        *time.Time
	SetAt        time.Time
	Attempts     int
	Cause        *string
	Matched      *bool
	Differs      []string
	TrackingCode *string
	Finding      *string
	AnsweredAt   *time.Time
}

func applyInquiry(w *Writer, e Event) {
	id := e.Stream.ID()
	switch e := e.Is.(type) {
	case inquiry.Requested:
		r := inquiries.Find(w, id)
		if r == nil {
			r = inquiries.Insert(w, inquiryRow{
				ID: id, Request: e.Request.ID(), Person: string(e.Subject), Purpose: e.Purpose, LegalBasis: e.LegalBasis,
			})
		}
		r.AskedBy, r.AskedAt, r.Status, r.DueAt, r.SetAt, r.Cause = string(e.By), e.At, "due", &e.At, e.At, nil
	case inquiry.Deferred:
		r := inquiries.Change(w, id)
		r.DueAt, r.Attempts, r.Cause, r.SetAt = &e.RetryAt, e.Attempt, new(string(e.Cause)), e.At
	case inquiry.Inconclusive:
		r := inquiries.Change(w, id)
		r.Status, r.DueAt, r.Cause = "inconclusive", nil, &e.Code
	case inquiry.Answered:
		r := inquiries.Change(w, id)
		r.Status, r.DueAt, r.Cause = "answered", nil, nil
		r.Matched, r.Differs, r.TrackingCode, r.Finding = &e.Matched, e.Differs, &e.TrackingCode, new(string(e.Finding))
		r.AnsweredAt = &e.At
	}
}
