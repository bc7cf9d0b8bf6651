package projections

import (
	_ "embed"

	"govahi/domain/event"
	"govahi/domain/office"
	"govahi/domain/tariff"
)

//go:embed offices.sql
var officesSQL string

// Offices is what the public may know of the offices: where they are, and the
// approved tariff (S1.8, S1.9).
var Offices = Projection{
	Name: "offices", Version: 1, Tables: officesSQL,
	Catalogs: []event.Catalog{office.Catalog, tariff.Catalog},
	Apply:    applyOffice,
}

func applyOffice(w *Writer, e Event) {
	switch e := e.Is.(type) {
	case office.Opened:
		w.Exec(`INSERT INTO offices (code, sort, name, province, city) VALUES ($1, $2, $3, $4, $5)`,
			e.Code, e.Sort, e.Name, e.Province, e.City)
	case tariff.Published:
		w.Exec(`INSERT INTO tariffs (product, version, token_rial, issuance_rial, valid_from) VALUES ($1, $2, $3, $4, $5)`,
			e.Product, e.Version, e.TokenRial, e.IssuanceRial, e.ValidFrom)
	}
}
