// Package projections turns events into tables that queries read.
//
// A projection is a name, a version, its tables and one function; the Runner
// alone owns checkpoint, batching, idempotence, poison events and rebuild. The
// tables hold nothing that the log does not: they may be dropped at any time.
package projections

import (
	"regexp"
	"strings"

	"govahi/domain/event"
)

// Projection is a read view: the tables of one PostgreSQL schema, which has the
// projection's name, and how events change them.
type Projection struct {
	Name     string // lower-case plural noun, also the schema's name
	Version  int    // from 1; a higher one is built anew from the log
	Tables   string // SQL that makes the tables, unqualified, in an empty schema
	Catalogs []event.Catalog

	// Apply says by w.Exec what an event changes. It must depend on the event
	// alone; unqualified table names are the projection's own.
	Apply func(w *Writer, e Event)
}

// Event is a recorded event with what its stored form means.
type Event struct {
	event.Recorded
	Meta event.Meta
	Is   event.Event // decoded, in today's shape
}

// legalName keeps names usable as schemas, also with _next and _prev behind.
var legalName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,50}$`)

func (p Projection) check() {
	if !legalName.MatchString(p.Name) || p.Version < 1 || p.Apply == nil {
		panic("projections: " + p.Name + " needs a plain name, a version from 1 and Apply")
	}
}

// catalog finds who lists a stored name. Types of no catalog are none of the
// projection's business.
func (p Projection) catalog(name string) (event.Catalog, bool) {
	for _, c := range p.Catalogs {
		if strings.HasPrefix(name, c.Prefix()) {
			return c, true
		}
	}
	return event.Catalog{}, false
}

// open decodes an event, and its metadata if it has any.
func open(c event.Catalog, r event.Recorded) (e Event, err error) {
	e.Recorded = r
	if len(r.Meta) > 0 {
		if e.Meta, err = r.DecodeMeta(); err != nil {
			return e, err
		}
	}
	e.Is, err = c.Open(r)
	return e, err
}
