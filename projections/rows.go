package projections

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5/pgtype"
)

// Table is a table of rows of type R: a struct with one exported field for each
// column, named alike (RegistryCode is registry_code). Fields tagged `row:"key"`
// are the primary key. What a pointer or a slice lacks is NULL.
//
// Fields tagged `row:"kept"` are for what is bulky: it is written, but never
// read, and nil leaves what the table holds.
//
// The rows of a batch of events are changed in memory, in the order of the log,
// and each is written once.
type Table[R any] struct{ layout }

// NewTable describes a table. If a category is named, the table's key is the ID
// of a stream of that category, and nothing but that stream's events makes or
// removes its row: so rows are read ahead, and none is looked for at the
// stream's beginning.
func NewTable[R any](name, category string) *Table[R] {
	t := &Table[R]{layout{name: name, category: category}}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[R]()) {
		t.columns = append(t.columns, columnOf(f))
	}
	return t
}

// layout is how a table looks.
type layout struct {
	name     string
	category string // of the streams that its rows are of; may be empty
	columns  []column
}

// column is a column, and the field that holds it.
type column struct {
	name, sql string // its name and type in PostgreSQL
	wire      string // the type by which it travels in an array
	field     int
	null      bool // may be NULL
	key, kept bool
}

// types are PostgreSQL's for each type of field. A column of arrays, or of JSON,
// travels as text, and a number so that PostgreSQL is the one to find it too big.
var types = map[reflect.Type]column{
	reflect.TypeFor[string]():          {sql: "text"},
	reflect.TypeFor[*string]():         {sql: "text", null: true},
	reflect.TypeFor[bool]():            {sql: "boolean"},
	reflect.TypeFor[*bool]():           {sql: "boolean", null: true},
	reflect.TypeFor[int]():             {sql: "integer", wire: "bigint"},
	reflect.TypeFor[int64]():           {sql: "bigint"},
	reflect.TypeFor[*int64]():          {sql: "bigint", null: true},
	reflect.TypeFor[time.Time]():       {sql: "timestamp with time zone"},
	reflect.TypeFor[*time.Time]():      {sql: "timestamp with time zone", null: true},
	reflect.TypeFor[[]byte]():          {sql: "bytea", null: true},
	reflect.TypeFor[[]string]():        {sql: "text[]", wire: "text", null: true},
	reflect.TypeFor[json.RawMessage](): {sql: "jsonb", wire: "text", null: true},
}

func columnOf(f reflect.StructField) column {
	c, ok := types[f.Type]
	if !ok || len(f.Index) != 1 {
		panic(fmt.Sprintf("projections: no column can hold %s %s", f.Name, f.Type))
	}
	if c.wire == "" {
		c.wire = c.sql
	}
	c.name, c.field = snake(f.Name), f.Index[0]
	c.key, c.kept = f.Tag.Get("row") == "key", f.Tag.Get("row") == "kept"
	return c
}

// snake is a field's name as SQL writes it: PersonTerm is person_term, DER der.
func snake(name string) string {
	var s strings.Builder
	lower := false
	for _, r := range name {
		if unicode.IsUpper(r) && lower {
			s.WriteByte('_')
		}
		lower = !unicode.IsUpper(r)
		s.WriteRune(unicode.ToLower(r))
	}
	return s.String()
}

// key is a primary key's columns as text.
type key [3]string

func (l *layout) keyOf(row reflect.Value) (k key) {
	n := 0
	for _, c := range l.columns {
		if c.key {
			k[n] = fmt.Sprint(row.Field(c.field).Interface())
			n++
		}
	}
	return k
}

func (l *layout) only(which func(column) bool) (some []column) {
	for _, c := range l.columns {
		if which(c) {
			some = append(some, c)
		}
	}
	return some
}

func isKey(c column) bool { return c.key }

func isRead(c column) bool { return !c.kept }

// list writes something of each column, with commas between.
func list(columns []column, each func(i int, c column) string) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = each(i, c)
	}
	return strings.Join(all, ", ")
}

func nameOf(_ int, c column) string { return quote(c.name) }

func own(_ int, c column) string { return "t." + quote(c.name) }

func travels(i int, c column) string { return fmt.Sprintf("$%d::%s[]", i+1, c.wire) }

func arrives(i int, c column) string { return fmt.Sprintf("u.c%d::%s", i, c.sql) }

// unnested is the rows that the arguments $1, $2, … hold column by column.
func unnested(columns []column) string {
	return "unnest(" + list(columns, travels) + ") u (" +
		list(columns, func(i int, _ column) string { return fmt.Sprint("c", i) }) + ")"
}

func (l *layout) in(schema string) string { return quote(schema) + "." + quote(l.name) + " t" }

// insert adds rows that are not there; a twin is PostgreSQL's to refuse.
func (l *layout) insert(schema string) string {
	return "INSERT INTO " + quote(schema) + "." + quote(l.name) + " AS t (" + list(l.columns, nameOf) + ") SELECT " +
		list(l.columns, arrives) + " FROM " + unnested(l.columns)
}

// upsert writes rows over those that are there.
func (l *layout) upsert(schema string) string {
	set := list(l.only(func(c column) bool { return !c.key }), func(_ int, c column) string {
		if c.kept {
			return quote(c.name) + " = coalesce(excluded." + quote(c.name) + ", t." + quote(c.name) + ")"
		}
		return quote(c.name) + " = excluded." + quote(c.name)
	})
	return l.insert(schema) + " ON CONFLICT (" + list(l.only(isKey), nameOf) + ") DO UPDATE SET " + set
}

// matching says that a row's key is one of those in the arguments, as text. One
// column is compared in the form that PostgreSQL always looks up by index.
func (l *layout) matching() string {
	keys := l.only(isKey)
	if len(keys) == 1 {
		return " WHERE t." + quote(keys[0].name) + " = ANY ($1::text[]::" + keys[0].sql + "[])"
	}
	for i := range keys {
		keys[i].wire = "text"
	}
	return " WHERE (" + list(keys, own) + ") IN (SELECT " + list(keys, arrives) + " FROM " + unnested(keys) + ")"
}

func (l *layout) remove(schema string) string {
	return "DELETE FROM " + l.in(schema) + l.matching()
}

func (l *layout) find(schema string) string {
	return "SELECT " + list(l.only(isRead), own) + " FROM " + l.in(schema) + l.matching()
}

// array is one column of rows, for pgx to encode.
type array struct {
	rows  []reflect.Value
	field int
}

// arrays are the rows as the statement's arguments.
func (l *layout) arrays(rows []reflect.Value) []any {
	all := make([]any, len(l.columns))
	for i, c := range l.columns {
		all[i] = array{rows, c.field}
	}
	return all
}

// Dimensions says how many rows there are.
func (a array) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(a.rows)), LowerBound: 1}}
}

// Index is the column's value in row i.
func (a array) Index(i int) any { return portable(a.rows[i].Field(a.field)) }

// IndexType is a value of the type that Index returns.
func (a array) IndexType() any {
	return portable(reflect.New(a.rows[0].Type()).Elem().Field(a.field))
}

// portable is a field's value as it travels: by pointer, which costs no memory,
// or as text.
func portable(f reflect.Value) any {
	switch p := f.Addr().Interface().(type) {
	case *[]string:
		return braced(*p)
	case *json.RawMessage:
		return text(*p)
	case *[]byte:
		return *p
	case **string:
		return *p
	case **bool:
		return *p
	case **int64:
		return *p
	case **time.Time:
		return *p
	default:
		return p
	}
}

func text(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// braced is an array's text form (PostgreSQL §8.15.6), every element quoted.
func braced(elements []string) *string {
	if elements == nil {
		return nil
	}
	all := make([]string, len(elements))
	for i, e := range elements {
		all[i] = `"` + escaped.Replace(e) + `"`
	}
	s := "{" + strings.Join(all, ",") + "}"
	return &s
}
