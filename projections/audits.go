package projections

import (
	_ "embed"
	"encoding/json"
	"time"

	"govahi/domain/audit"
	"govahi/domain/event"
)

//go:embed audits.sql
var auditsSQL string

// Audits is the daily audit of the certificates, each day's, and what it found.
var Audits = Projection{
	Name: "audits", Version: 1, Tables: auditsSQL,
	Catalogs: []event.Catalog{audit.Kind.Catalog},
	Apply:    applyAudit,
}

var audits = NewTable[auditRow]("audits", audit.Kind.Category)

type auditRow struct {
	Day         string `row:"key"`
	Handler     string
	StartedAt   time.Time
	CompletedAt *time.Time
	Checked     *int64
	Abandoned   *int64
	Erased      *int64
	Listed      *int64
	Asked       *int64
	Differences json.RawMessage `row:"kept"`
}

func applyAudit(w *Writer, e Event) {
	day := e.Stream.ID()
	switch is := e.Is.(type) {
	case audit.Started:
		if e.Revision == 0 {
			audits.Insert(w, auditRow{Day: day, Handler: is.Handler, StartedAt: is.At})
			return
		}
		r := audits.Change(w, day) // taken over, or begun anew
		r.Handler, r.StartedAt = is.Handler, is.At
	case audit.Completed:
		r := audits.Change(w, day)
		r.CompletedAt, r.Differences = &is.At, byKind(is.Differences)
		r.Checked, r.Abandoned, r.Erased = count(is.Checked), count(is.Abandoned), count(is.Erased)
		r.Listed, r.Asked = count(is.Listed), count(is.Asked)
	}
}

func byKind(differences map[string]int) json.RawMessage {
	text, err := json.Marshal(differences)
	if err != nil {
		panic(err) // texts and numbers
	}
	return text
}

func count(n int) *int64 { return new(int64(n)) }
