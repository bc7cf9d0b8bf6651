package projections

import (
	_ "embed"

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

func applyCase(w *Writer, e Event) {
	switch e := e.Is.(type) {
	case revocation.InaccuracyReported:
		w.Exec(`INSERT INTO cases (number, serial, status, reporter, statement, reported_at)
			VALUES ($1, $2, 'open', $3, $4, $5)`, e.Case, e.Certificate, e.By, Column(e.Statement), e.At)
	case revocation.InaccuracyRefuted:
		decideCase(w, e.Case, "refuted", e.By, Column(e.Statement), e.At)
	case revocation.InaccuracyEstablished:
		decideCase(w, e.Case, "established", e.By, Column(e.Statement), e.At)
	}
}

func decideCase(w *Writer, number, status string, args ...any) {
	w.Exec(`UPDATE cases SET status = $2, decided_by = $3, verdict = $4, decided_at = $5 WHERE number = $1`,
		append([]any{number, status}, args...)...)
}
