package projections

import (
	_ "embed"
	"time"

	"govahi/domain/event"
	"govahi/domain/office"
	"govahi/domain/tariff"
)

//go:embed offices.sql
var officesSQL string

// Offices is what the public may know of the offices: where they are, and the
// approved tariff (S1.8, S1.9).
var Offices = Projection{
	Name: "offices", Version: 3, Tables: officesSQL,
	Catalogs: []event.Catalog{office.Catalog, tariff.Catalog},
	Apply:    applyOffice,
}

var (
	offices = NewTable[officeRow]("offices", office.Kind.Category)
	tariffs = NewTable[tariffRow]("tariffs", "")
)

type officeRow struct {
	Code     string `row:"key"`
	Sort     string
	Name     string
	Province string
	City     string
	Company  *string
	Licence  *string
	Until    *time.Time

	Controls     []string
	Announcement *string
}

type tariffRow struct {
	Product      string `row:"key"`
	Version      int    `row:"key"`
	Level        int
	IssuerKind   string
	TokenRial    int64
	IssuanceRial int64
	ValidFrom    time.Time
}

func applyOffice(w *Writer, e Event) {
	code := e.Stream.ID()
	switch e := e.Is.(type) {
	case office.Opened:
		r := officeRow{Code: e.Code, Sort: string(e.Sort), Name: e.Name, Province: e.Province, City: e.City, Controls: []string{}}
		if e.Company != "" {
			r.Company = &e.Company
		}
		offices.Insert(w, r)
	case office.Licensed:
		r := offices.Change(w, code)
		r.Licence, r.Until = &e.Number, &e.Until
	case office.ControlsAnnounced:
		r := offices.Change(w, code)
		r.Controls, r.Announcement = e.Controls, nil
		if e.Text != "" {
			r.Announcement = &e.Text
		}
	case tariff.Published:
		tariffs.Insert(w, tariffRow{
			Product: e.Product, Version: e.Version, Level: int(e.Level), IssuerKind: string(e.IssuerKind),
			TokenRial: e.TokenRial, IssuanceRial: e.IssuanceRial, ValidFrom: e.ValidFrom,
		})
	}
}
