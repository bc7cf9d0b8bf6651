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
	Name: "cases", Version: 1, Tables: casesSQL,
	Catalogs: []event.Catalog{revocation.Catalog},
	Apply:    applyCase,
}

var cases = NewTable[caseRow]("cases", revocation.Kind.Category)

type caseRow struct {
	Number     string `row:"key"`
	Serial     string
	Status     string
	Reporter   string
	Statement  json.RawMessage `row:"kept"`
	ReportedAt time.Time
	DecidedBy  *string
	Verdict    json.RawMessage `row:"kept"`
	DecidedAt  *time.Time
}

func applyCase(w *Writer, e Event) {
	switch e := e.Is.(type) {
	case revocation.InaccuracyReported:
		cases.Insert(w, caseRow{
			Number: e.Case, Serial: e.Certificate, Status: "open", Reporter: string(e.By), Statement: Column(e.Statement), ReportedAt: e.At,
		})
	case revocation.InaccuracyRefuted:
		cases.Change(w, e.Case).decide("refuted", e.By, Column(e.Statement), e.At)
	case revocation.InaccuracyEstablished:
		cases.Change(w, e.Case).decide("established", e.By, Column(e.Statement), e.At)
	}
}

func (r *caseRow) decide(status string, by event.Subject, verdict []byte, at time.Time) {
	r.Status, r.DecidedBy, r.Verdict, r.DecidedAt = status, new(string(by)), verdict, &at
}
