package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"govahi/projections"
)

// rewriting is what a view wrote: for each of its transactions the rows that it
// left, as they stood then, ready to be sent again.
type rewriting struct {
	view   projections.Projection
	tables []*tableForm
	txs    [][]upsert
}

// tableForm is a table and the statement that puts many rows into it at once.
type tableForm struct {
	name, columns, statement string
}

// upsert is rows of one table, column by column, in PostgreSQL's binary form.
type upsert struct {
	table   *tableForm
	columns [][]byte
	rows    uint32
}

// formOf reads the catalogue. A column that holds lists goes as text: unnest
// would take lists of lists apart.
func formOf(ctx context.Context, pool *pgxpool.Pool, schema, table string) (*tableForm, error) {
	rows, _ := pool.Query(ctx, `
		SELECT a.attname::text, format_type(a.atttypid, NULL), t.typcategory = 'A',
		       coalesce(a.attnum = ANY (c.conkey), false)
		FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		LEFT JOIN pg_constraint c ON c.conrelid = a.attrelid AND c.contype = 'p'
		WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, schema+"."+table)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Name, Type string
		List, Key  bool
	}])
	if err != nil {
		return nil, err
	}
	var names, read, taken, sets, keys, arrays []string
	for n, c := range columns {
		names = append(names, c.Name)
		if c.Key {
			keys = append(keys, c.Name)
		} else {
			sets = append(sets, c.Name+" = excluded."+c.Name)
		}
		sent := c.Type
		if c.List {
			sent = "text"
		}
		read = append(read, c.Name+"::"+sent)
		taken = append(taken, c.Name+"::"+c.Type)
		arrays = append(arrays, fmt.Sprintf("$%d::%s[]", n+1, sent))
	}
	then := "NOTHING"
	if len(sets) > 0 {
		then = "UPDATE SET " + strings.Join(sets, ", ")
	}
	list := strings.Join(names, ", ")
	return &tableForm{
		name: schema + "." + table, columns: strings.Join(read, ", "),
		statement: fmt.Sprintf("INSERT INTO %s.%s (%s) SELECT %s FROM unnest(%s) AS u (%s) ON CONFLICT (%s) DO %s",
			schema, table, list, strings.Join(taken, ", "), strings.Join(arrays, ", "), list, strings.Join(keys, ", "), then),
	}, nil
}

// since reads the rows that were written after a transaction.
func (t *tableForm) since(ctx context.Context, pool *pgxpool.Pool, transaction int64) (u upsert, some bool, err error) {
	rows, err := pool.Query(ctx, "SELECT "+t.columns+" FROM "+t.name+" WHERE xmin::text::bigint > $1",
		pgx.QueryResultFormats{pgx.BinaryFormatCode}, transaction)
	if err != nil {
		return u, false, err
	}
	defer rows.Close()
	fields := rows.FieldDescriptions()
	u = upsert{table: t, columns: make([][]byte, len(fields))}
	for ; rows.Next(); u.rows++ {
		for n, value := range rows.RawValues() {
			size := uint32(len(value))
			if value == nil {
				size = 1<<32 - 1
			}
			u.columns[n] = append(binary.BigEndian.AppendUint32(u.columns[n], size), value...)
		}
	}
	for n, elements := range u.columns {
		var head []byte
		for _, number := range []uint32{1, 1, fields[n].DataTypeOID, u.rows, 1} { // one dimension, perhaps nulls, …, counted from 1
			head = binary.BigEndian.AppendUint32(head, number)
		}
		u.columns[n] = append(head, elements...)
	}
	return u, u.rows > 0, rows.Err()
}

// rewrite puts the same rows into the same tables, in as many transactions, and
// the views abreast; it tells how long that took.
func rewrite(ctx context.Context, pool *pgxpool.Pool, all []*rewriting) (time.Duration, error) {
	if err := prepareTables(ctx, pool, all); err != nil {
		return 0, err
	}
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for _, w := range all {
		group.Go(func() error {
			conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
			if err != nil {
				return err
			}
			return errors.Join(w.send(ctx, conn.PgConn()), conn.Close(ctx))
		})
	}
	err := group.Wait()
	return time.Since(began), err
}

const benchCheckpoints = `CREATE SCHEMA IF NOT EXISTS ceiling; DROP TABLE IF EXISTS ceiling.checkpoints;
	CREATE TABLE ceiling.checkpoints (projection text PRIMARY KEY, position bigint NOT NULL, changed timestamptz NOT NULL)`

// prepareTables makes the views' tables anew, and a checkpoint for each.
func prepareTables(ctx context.Context, pool *pgxpool.Pool, all []*rewriting) error {
	_, err := pool.Exec(ctx, benchCheckpoints)
	for _, w := range all {
		_, wrong := pool.Exec(ctx, "DROP SCHEMA IF EXISTS "+w.view.Name+" CASCADE; CREATE SCHEMA "+w.view.Name+
			"; SET LOCAL search_path = "+w.view.Name+"; "+w.view.Tables)
		_, failed := pool.Exec(ctx, `INSERT INTO ceiling.checkpoints VALUES ($1, 0, now())`, w.view.Name)
		err = errors.Join(err, wrong, failed)
	}
	return err
}

// send writes one transaction after the other. Like a view's own they wait for
// no disk: the log still has what PostgreSQL would forget.
func (w *rewriting) send(ctx context.Context, conn *pgconn.PgConn) error {
	if _, err := conn.Exec(ctx, "SET synchronous_commit = off").ReadAll(); err != nil {
		return err
	}
	const step = `UPDATE ceiling.checkpoints SET position = position + 1, changed = now() WHERE projection = $1`
	if _, err := conn.Prepare(ctx, "step", step, nil); err != nil {
		return err
	}
	for _, t := range w.tables {
		if _, err := conn.Prepare(ctx, t.name, t.statement, nil); err != nil {
			return err
		}
	}
	binaryForm := []int16{pgx.BinaryFormatCode}
	for _, tx := range w.txs {
		var batch pgconn.Batch // without a BEGIN, what is sent together is one transaction
		batch.ExecPrepared("step", [][]byte{[]byte(w.view.Name)}, nil, nil)
		for _, u := range tx {
			batch.ExecPrepared(u.table.name, u.columns, binaryForm, nil)
		}
		if _, err := conn.ExecBatch(ctx, &batch).ReadAll(); err != nil {
			return err
		}
	}
	return nil
}

// rows is how many were written.
func (w *rewriting) rows() (n int) {
	for _, tx := range w.txs {
		for _, u := range tx {
			n += int(u.rows)
		}
	}
	return n
}
