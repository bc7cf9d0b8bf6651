package projections

import (
	_ "embed"
	"time"

	"govahi/domain/consignment"
	"govahi/domain/event"
)

//go:embed consignments.sql
var consignmentsSQL string

// Consignments is the bags of dossiers on their way, and what was found in them
// (S1.19).
var Consignments = Projection{
	Name: "consignments", Version: 1, Tables: consignmentsSQL,
	Catalogs: []event.Catalog{consignment.Catalog},
	Apply:    applyConsignment,
}

var consignments = NewTable[consignmentRow]("consignments", consignment.Kind.Category)

type consignmentRow struct {
	Number     string `row:"key"`
	Status     string
	Sender     string
	Receiver   string
	Dossiers   []string
	Missing    []string
	Surplus    []string
	Seal       string
	SealIntact *bool
	Cause      *string
	SentAt     time.Time
	Since      time.Time
}

func applyConsignment(w *Writer, e Event) {
	number := e.Stream.ID()
	switch e := e.Is.(type) {
	case consignment.Dispatched:
		consignments.Insert(w, consignmentRow{
			Number: number, Status: string(consignment.OnItsWay), Sender: e.From, Receiver: e.To, Dossiers: e.Dossiers,
			Missing: []string{}, Surplus: []string{}, Seal: e.Seal, SentAt: e.At, Since: e.At,
		})
	case consignment.Received:
		r := consignments.Change(w, number)
		r.Status, r.SealIntact, r.Since = string(consignment.Complete), &e.SealIntact, e.At
		r.Missing, r.Surplus = append([]string{}, e.Missing...), append([]string{}, e.Surplus...)
		if len(e.Missing) > 0 || len(e.Surplus) > 0 || !e.SealIntact {
			r.Status = string(consignment.Discrepant)
		}
	case consignment.DiscrepancyResolved:
		r := consignments.Change(w, number)
		r.Status, r.Cause, r.Since = string(consignment.Resolved), new(string(e.Cause)), e.At
	}
}
