package projections

import (
	_ "embed"
	"time"

	"govahi/domain/access"
	"govahi/domain/event"
)

//go:embed accesses.sql
var accessesSQL string

// Accesses is the users of CPMIS.
var Accesses = Projection{
	Name: "accesses", Version: 2, Tables: accessesSQL,
	Catalogs: []event.Catalog{access.Catalog},
	Apply:    applyAccess,
}

var accesses = NewTable[accessRow]("accesses", access.Kind.Category)

type accessRow struct {
	UserName    string `row:"key"`
	Level       string
	Person      string
	Request     string
	Serial      string
	Fingerprint string
	Unit        string
	Active      bool
	Pending     bool
	Since       time.Time
	Cause       *string
}

func applyAccess(w *Writer, e Event) {
	switch e := e.Is.(type) {
	case access.UserDefined:
		accesses.Put(w, accessRow{
			UserName: e.UserName, Level: string(e.Level), Person: string(e.Person), Request: e.Request.ID(),
			Serial: e.Certificate, Fingerprint: e.Fingerprint, Unit: e.Unit, Active: !e.Pending, Pending: e.Pending, Since: e.At,
		})
	case access.CertificateBound:
		r := accesses.Change(w, e.UserName)
		r.Active, r.Pending, r.Since = r.Cause == nil, false, e.At
	case access.Suspended:
		r := accesses.Change(w, e.UserName)
		r.Active, r.Since, r.Cause = false, e.At, new(string(e.Cause))
	case access.Restored:
		r := accesses.Change(w, e.UserName)
		r.Active, r.Since, r.Cause = !r.Pending, e.At, nil
	}
}
