// Package projections turns events into tables that queries read.
//
// A projection is a name, a version, its tables and one function; the Runner
// alone owns checkpoint, batching, idempotence, poison events and rebuild. The
// tables hold nothing that the log does not: they may be dropped at any time.
//
// A batch of events loads the rows that it is about, changes them in memory in
// the order of the log, and writes each once, in one transaction with the
// checkpoint: what a row was in between is seen, and judged, by nobody. Views
// that are built read the log together.
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
	Tables   string // SQL that makes the tables, then their indexes, unqualified, in an empty schema
	Catalogs []event.Catalog

	// Apply says what an event changes: rows of a Table, or by w.Exec anything. It
	// must depend on those and the event alone, and leave the event as it is, for
	// it is others' too. Unqualified table names in w.Exec are the projection's own.
	Apply func(w *Writer, e Event)

	// Opens names the person whose data Apply opens, so that a batch fetches all
	// keys at once; optional.
	Opens func(e event.Event) event.Subject
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
	if _, indexes := p.sql(); strings.Contains(indexes, "CREATE TABLE") {
		panic("projections: " + p.Name + " makes a table after an index")
	}
}

var firstIndex = regexp.MustCompile(`(?m)^\s*CREATE (UNIQUE )?INDEX`)

// sql is what makes the tables, and what makes their indexes, which is quicker
// once the tables are full.
func (p Projection) sql() (tables, indexes string) {
	if at := firstIndex.FindStringIndex(p.Tables); at != nil {
		return p.Tables[:at[0]], p.Tables[at[0]:]
	}
	return p.Tables, ""
}

// told is an event as it was decoded, for however many views read it, or why it
// cannot be.
type told struct {
	Event
	err error
}

// open decodes an event of one of the catalogs, which go by their prefixes, and
// its metadata if it has any.
func open(catalogs map[string]event.Catalog, r event.Recorded) (e told) {
	e.Recorded = r
	head, _, _ := strings.Cut(r.Type, ".")
	c, ok := catalogs[head+"."]
	if !ok {
		return e
	}
	if len(r.Meta) > 0 {
		if e.Meta, e.err = r.DecodeMeta(); e.err != nil {
			return e
		}
	}
	e.Is, e.err = c.Open(r)
	return e
}
