package projections

import (
	_ "embed"

	"govahi/domain/access"
	"govahi/domain/event"
)

//go:embed accesses.sql
var accessesSQL string

// Accesses is the users of CPMIS.
var Accesses = Projection{
	Name: "accesses", Version: 1, Tables: accessesSQL,
	Catalogs: []event.Catalog{access.Catalog},
	Apply:    applyAccess,
}

func applyAccess(w *Writer, e Event) {
	switch e := e.Is.(type) {
	case access.UserDefined:
		w.Exec(`INSERT INTO accesses (user_name, level, person, request, serial, fingerprint, unit, active, since)
			VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8)
			ON CONFLICT (user_name) DO UPDATE SET level = excluded.level, person = excluded.person,
				request = excluded.request, serial = excluded.serial, fingerprint = excluded.fingerprint,
				unit = excluded.unit, active = true, since = excluded.since, cause = NULL`,
			e.UserName, e.Level, e.Person, e.Request.ID(), e.Certificate, e.Fingerprint, e.Unit, e.At)
	case access.Suspended:
		w.Exec(`UPDATE accesses SET active = false, since = $2, cause = $3 WHERE user_name = $1`, e.UserName, e.At, e.Cause)
	}
}
