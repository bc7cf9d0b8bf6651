package projections

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"govahi/adapters/postgres/pgtest"
)

// stated are the tables that only statements write.
var stated = []string{"crls.crls"}

// TestRowsFitTheirTables holds each row type against the table that the SQL
// makes: names, types, NULL and keys.
func TestRowsFitTheirTables(t *testing.T) {
	pool, described := pgtest.Pool(t), map[string]*layout{}
	for _, l := range []*layout{
		&requests.layout, &timeline.layout, &certificates.layout, &accesses.layout, &cases.layout, &credentials.layout, &consignments.layout, &inquiries.layout, &notifications.layout,
		&tokens.layout, &offices.layout, &tariffs.layout, &appointments.layout,
		&orders.layout, &refunds.layout, &tries.layout, &contracts.layout, &audits.layout,
	} {
		described[l.name] = l
	}
	for _, p := range All() {
		sql := "CREATE SCHEMA " + p.Name + "; SET search_path = " + p.Name + ";" + p.Tables + "; RESET search_path"
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	rows, _ := pool.Query(t.Context(), `
		SELECT t.schemaname || '.' || t.tablename, t.tablename, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
		       EXISTS (SELECT FROM pg_index WHERE indrelid = a.attrelid AND indisprimary AND a.attnum = ANY (indkey))
		FROM pg_tables t JOIN pg_attribute a ON attrelid = (t.schemaname || '.' || t.tablename)::regclass AND attnum > 0
		WHERE t.schemaname = ANY ($1)`, names())
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Table, Name, Column, Type string
		Null, Key                 bool
	}])
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]column{}, map[string]column{}
	for _, c := range columns {
		if !slices.Contains(stated, c.Table) {
			want[c.Name+"."+c.Column] = column{name: c.Column, sql: c.Type, null: c.Null, key: c.Key}
		}
	}
	for _, l := range described {
		for _, c := range l.columns {
			// Where a column may not be NULL, a slice is empty instead.
			null := c.null && (c.sql != "text[]" || want[l.name+"."+c.name].null)
			got[l.name+"."+c.name] = column{name: c.name, sql: c.sql, null: null, key: c.key}
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(column{})); diff != "" {
		t.Errorf("tables and row types differ (-table +type):\n%s", diff)
	}
}

func names() (all []string) {
	for _, p := range All() {
		all = append(all, p.Name)
	}
	return all
}
