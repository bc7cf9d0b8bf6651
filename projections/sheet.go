package projections

import (
	"reflect"

	"github.com/jackc/pgx/v5"
)

// Insert adds a row. If there is one of its key, that is the event's fault.
func (t *Table[R]) Insert(w *Writer, row R) *R {
	e := &entry[R]{key: t.keyOf(reflect.ValueOf(row)), row: &row}
	s := sheetOf(w, t)
	s.entries[e.key] = e
	s.touch(e)
	return e.row
}

// Put writes a row over the one of its key, if there is one.
func (t *Table[R]) Put(w *Writer, row R) {
	s, k := sheetOf(w, t), t.keyOf(reflect.ValueOf(row))
	e := s.entries[k]
	switch {
	case e == nil:
		e = &entry[R]{key: k, stored: true}
	case e.row == nil:
		e = &entry[R]{key: k}
	}
	e.row, e.lent = &row, false
	s.entries[k] = e
	s.touch(e)
}

// Find is the row of a key, to be changed before the next Exec; nil if there is
// none.
func (t *Table[R]) Find(w *Writer, columns ...string) *R {
	s := sheetOf(w, t)
	e := s.entry(w, keyed(columns))
	if e.row == nil {
		return nil
	}
	s.touch(e)
	return e.row
}

// Change is Find for who has nothing to say where there is no row: what is
// written to it then is lost, as with an UPDATE that finds none.
func (t *Table[R]) Change(w *Writer, columns ...string) *R {
	if row := t.Find(w, columns...); row != nil {
		return row
	}
	return new(R)
}

// Delete removes the row of a key, if there is one.
func (t *Table[R]) Delete(w *Writer, columns ...string) {
	s, k := sheetOf(w, t), keyed(columns)
	if e := s.entries[k]; e != nil {
		e.row = nil
	}
	s.entries[k] = &entry[R]{key: k}
	s.gone = append(s.gone, k)
}

func keyed(columns []string) (k key) {
	copy(k[:], columns)
	return k
}

// sheet is what a batch knows of a table, and has changed in it.
type sheet[R any] struct {
	*Table[R]
	entries map[key]*entry[R]
	touched []*entry[R] // in order
	gone    []key       // to be deleted, before anything is written
}

// entry is a row, or the knowledge that there is none.
type entry[R any] struct {
	key     key
	row     *R
	stored  bool // it stands in the table, or may
	touched bool
	lent    bool // the row is of a batch that is being written
}

// page is a sheet of any row type.
type page interface {
	flush(w *Writer)
	forget()
}

func sheetOf[R any](w *Writer, t *Table[R]) *sheet[R] {
	for _, p := range w.pages {
		if s, ok := p.(*sheet[R]); ok && s.Table == t {
			return s
		}
	}
	s := &sheet[R]{Table: t, entries: map[key]*entry[R]{}}
	if w.under != nil && !w.spoken { // a statement may have changed what that one left behind
		s.inherit(w.under.pages)
	}
	w.pages = append(w.pages, s)
	return s
}

// inherit knows the rows that a batch on its way has changed.
func (s *sheet[R]) inherit(pages []page) {
	for _, p := range pages {
		before, ok := p.(*sheet[R])
		if !ok || before.Table != s.Table {
			continue
		}
		for _, e := range before.touched {
			s.borrow(before.entries[e.key])
		}
		for _, k := range before.gone {
			s.borrow(before.entries[k])
		}
	}
}

func (s *sheet[R]) borrow(e *entry[R]) {
	s.entries[e.key] = &entry[R]{key: e.key, row: e.row, stored: e.row != nil, lent: e.row != nil}
}

func (s *sheet[R]) touch(e *entry[R]) {
	if !e.touched {
		e.touched = true
		s.touched = append(s.touched, e)
	}
}

// entry knows a key's row, or looks it up, with those that the rest of the batch
// is about.
func (s *sheet[R]) entry(w *Writer, k key) *entry[R] {
	if s.entries[k] == nil {
		s.look(w, k)
	}
	e := s.entries[k]
	if e.lent {
		e.row, e.lent = s.copied(e.row), false
	}
	return e
}

func (s *sheet[R]) look(w *Writer, k key) {
	asked := s.ahead(w.rest)
	if s.entries[k] == nil {
		s.entries[k] = &entry[R]{key: k}
		asked = append(asked, k)
	}
	if len(asked) > 0 {
		w.look(s.find(w.schema), s.keys(asked), s.learn)
	}
}

// ahead notes the keys of the table's own streams, and returns those that may
// have a row: a stream's row does not come before its first event.
func (s *sheet[R]) ahead(rest []told) (asked []key) {
	for _, e := range rest {
		if s.category == "" || e.err != nil || e.Stream.Category() != s.category {
			continue
		}
		k := key{e.Stream.ID()}
		if s.entries[k] != nil {
			continue
		}
		s.entries[k] = &entry[R]{key: k}
		if e.Revision > 0 {
			asked = append(asked, k)
		}
	}
	return asked
}

// copied is a row as it would be read: what is being written must stay as it is.
func (s *sheet[R]) copied(row *R) *R {
	own := new(R)
	from, to := reflect.ValueOf(row).Elem(), reflect.ValueOf(own).Elem()
	for _, c := range s.columns {
		if isRead(c) {
			to.Field(c.field).Set(cloned(from.Field(c.field)))
		}
	}
	return own
}

// cloned is a value that shares nothing.
func cloned(v reflect.Value) reflect.Value {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(v.Elem())
		return p
	case v.Kind() == reflect.Slice && !v.IsNil():
		return reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v)
	}
	return v
}

// keys are the arguments of the statement that finds or removes.
func (s *sheet[R]) keys(asked []key) []any {
	columns := s.only(isKey)
	args := make([]any, len(columns))
	for i := range columns {
		of := make([]string, len(asked))
		for n, k := range asked {
			of[n] = k[i]
		}
		args[i] = of
	}
	return args
}

// learn takes one row from the table.
func (s *sheet[R]) learn(found pgx.Rows) error {
	row := new(R)
	value, columns := reflect.ValueOf(row).Elem(), s.only(isRead)
	into := make([]any, len(columns))
	for i, c := range columns {
		into[i] = value.Field(c.field).Addr().Interface()
	}
	if err := found.Scan(into...); err != nil {
		return err
	}
	e := s.entries[s.keyOf(value)]
	e.row, e.stored = row, true
	return nil
}

// flush queues the statements that bring the table up to the sheet.
func (s *sheet[R]) flush(w *Writer) {
	if len(s.gone) > 0 {
		w.batch.Queue(s.remove(w.schema), s.keys(s.gone)...)
	}
	var fresh, stored []reflect.Value
	for _, e := range s.touched {
		switch {
		case e.row == nil:
		case e.stored:
			stored = append(stored, reflect.ValueOf(e.row).Elem())
		default:
			fresh = append(fresh, reflect.ValueOf(e.row).Elem())
		}
	}
	if len(fresh) > 0 {
		w.batch.Queue(s.insert(w.schema), s.arrays(fresh)...)
	}
	if len(stored) > 0 {
		w.batch.Queue(s.upsert(w.schema), s.arrays(stored)...)
	}
}

// forget is for when a statement may change the table.
func (s *sheet[R]) forget() {
	clear(s.entries)
	s.touched, s.gone = nil, nil
}
