package projections

import (
	_ "embed"
	"encoding/json"
	"time"

	"govahi/domain/event"
	"govahi/domain/revocation"
)

//go:embed cases.sql
var casesSQL string

// Cases is the reports of false information and their verdicts.
var Cases = Projection{
	Name: "cases", Version: 2, Tables: casesSQL,
	Catalogs: []event.Catalog{revocation.Catalog},
	Apply:    applyCase,
}

var cases = NewTable[caseRow]("cases", revocation.Kind.Category)

type caseRow struct {
	Number     string `row:"key"`
	Serial     string
	Status     string
	Source     string
	Reporter   *string
	Statement  json.RawMessage `row:"kept"`
	ReportedAt time.Time
	Evidence   int
	Finding    *string
	DecidedBy  *string
	Verdict    json.RawMessage `row:"kept"`
	DecidedAt  *time.Time
}

func applyCase(w *Writer, e Event) {
	switch e := e.Is.(type) {
	case revocation.Opened:
		cases.Insert(w, caseRow{
			Number: e.Case, Serial: e.Certificate, Status: "open", Source: string(e.Source), Reporter: orNull(string(e.By)),
			Statement: Column(e.Statement), ReportedAt: e.At, Evidence: 1,
		})
	case revocation.EvidenceAdded:
		cases.Change(w, e.Case).Evidence++
	case revocation.InvestigationOpened:
		cases.Change(w, e.Case).Status = "investigating"
	case revocation.InaccuracyRefuted:
		cases.Change(w, e.Case).decide("refuted", e.By, Column(e.Statement), e.At)
	case revocation.InaccuracyEstablished:
		r := cases.Change(w, e.Case)
		r.decide("established", e.By, Column(e.Statement), e.At)
		r.Finding = new(string(e.Finding))
	}
}

func (r *caseRow) decide(status string, by event.Subject, verdict []byte, at time.Time) {
	r.Status, r.DecidedBy, r.Verdict, r.DecidedAt = status, new(string(by)), verdict, &at
}
