package projections

import (
	_ "embed"

	"govahi/domain/crl"
	"govahi/domain/event"
)

//go:embed crls.sql
var crlsSQL string

// CRLs is every revocation list's number, and what became of it. The
// latest list itself lies on the Shelf.
var CRLs = Projection{
	Name: "crls", Version: 2, Tables: crlsSQL,
	Catalogs: []event.Catalog{crl.Catalog},
	Apply:    applyCRL,
}

func applyCRL(w *Writer, e Event) {
	issuer := e.Stream.ID()
	switch e := e.Is.(type) {
	case crl.Intended:
		w.Exec(`INSERT INTO crls (issuer, number, this_update, next_update, entries) VALUES ($1, $2, $3, $4, $5)`,
			issuer, e.Number, e.ThisUpdate, e.NextUpdate, e.Entries)
	case crl.Signed:
		w.Exec(`UPDATE crls SET sha256 = $3, size = $4, signed_at = $5 WHERE issuer = $1 AND number = $2`, issuer, e.Number, e.Hash, e.Size, e.At)
	}
}
