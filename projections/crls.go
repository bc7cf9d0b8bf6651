package projections

import (
	_ "embed"

	"govahi/domain/crl"
	"govahi/domain/event"
)

//go:embed crls.sql
var crlsSQL string

// CRLs is every revocation list's number, and the bytes of the latest.
var CRLs = Projection{
	Name: "crls", Version: 1, Tables: crlsSQL,
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
		w.Exec(`UPDATE crls SET der = $3, sha256 = $4 WHERE issuer = $1 AND number = $2`, issuer, e.Number, e.DER, e.Hash)
		w.Exec(`UPDATE crls SET der = NULL WHERE issuer = $1 AND number < $2 AND der IS NOT NULL`, issuer, e.Number)
	}
}
