package projections

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"govahi/domain/event"
)

// Terms makes keyed search terms, by which sealed data can be found by equality
// and by nobody without the key. Kinds keep equal texts of different meaning
// apart.
type Terms interface {
	Term(kind, text string) []byte
}

// Writer collects what a batch of events changes; it takes effect together with
// the checkpoint, in one transaction, or not at all.
type Writer struct {
	ctx     context.Context // of the batch that is being written
	view    *view
	under   *writing // what must be in the tables before; may be nil
	schema  string
	from    event.Position // where the checkpoint stands then, …
	upto    event.Position // … and where it is moved
	had     int64          // events that it has counted until then
	events  int            // of this batch
	anchor  string
	begun   bool   // the checkpoint's step was queued
	rest    []told // from the event that is being applied on
	pages   []page
	batch   pgx.Batch // what is to be sent next
	spoken  bool      // some statement is a projection's own: its names need the schema
	stepped bool      // the checkpoint's step was sent
	tx      pgx.Tx    // once the batch had to be begun before its end
	err     error     // the batch cannot be stored; judged
}

// Exec adds a statement, which sees what the events before it changed. Its
// error, if any, is the batch's. It costs more than a row of a Table: it is for
// what concerns rows that no key names.
func (w *Writer) Exec(sql string, args ...any) {
	w.flush()
	for _, p := range w.pages {
		p.forget() // the statement may change any row
	}
	// The mark keeps equal statements of different schemas apart in the cache of
	// prepared statements.
	w.batch.Queue("/* "+w.schema+" */ "+sql, args...)
	w.spoken = true
}

// flush queues what was changed in memory.
func (w *Writer) flush() {
	w.begin()
	for _, p := range w.pages {
		p.flush(w)
	}
}

// begin queues the checkpoint's step, which fails unless it touches its row as it
// was left: else another process was here. This is the fence, and what makes
// repeating harmless. Events are counted in it too, because what is taken up late
// leaves the position as it is. PostgreSQL may forget a commit in a crash, rows and
// checkpoint together: the log still has it, so no disk is waited for.
func (w *Writer) begin() {
	if w.begun {
		return
	}
	w.begun = true
	w.batch.Queue(`WITH moved AS (
			UPDATE govahi.checkpoints SET position = $1, events = events + $6, changed = now(),
				anchor = coalesce(nullif($7, ''), anchor)
			WHERE projection = $2 AND version = $3 AND position = $4 AND events = $8 RETURNING 1)
		SELECT 1 / count(*), set_config('synchronous_commit', 'off', true), pg_notify('checkpoints', $5) FROM moved`,
		int64(w.upto), w.schema, w.view.version, int64(w.from), w.schema+":"+w.upto.String(), w.events, w.anchor, w.had)
}

// Term is the search term of a text, for a column of type bytea.
func (w *Writer) Term(kind, text string) []byte { return w.view.Terms.Term(kind, text) }

// fail keeps the first error: the batch cannot be stored.
func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// Open reads personal data, to derive search terms or groups from it; nothing
// of it may be stored in clear. It is not ok once the person's data was erased;
// any other failure is the batch's.
func Open[T any](w *Writer, p *event.Personal[T]) (value T, ok bool) {
	if p == nil || w.err != nil {
		return value, false
	}
	value, err := p.Open(w.ctx, w.view.Keeper)
	switch {
	case errors.Is(err, event.ErrErased):
		return value, false
	case err != nil:
		w.fail(blame(err))
		return value, false
	}
	return value, true
}

// Column is personal data as a jsonb column holds it: sealed, with the place
// for which it was sealed. Queries read it back into an event.Personal.
func Column[T any](p *event.Personal[T]) []byte {
	if p == nil {
		return nil
	}
	sealed, err := json.Marshal(p)
	if err != nil {
		panic(err) // what comes from the log is sealed
	}
	return sealed
}

// look has each row that a query finds learned. Rows stand as they did at the
// checkpoint, which nobody can have left without this batch's failing, unless a
// statement of this batch changes them: then that goes first.
func (w *Writer) look(sql string, args []any, learn func(pgx.Rows) error) {
	if w.err != nil {
		return
	}
	if err := w.query(sql, args, learn); err != nil {
		w.fail(w.view.judge(w.ctx, err, w.lost(err)))
	}
}

// query plans anew each time: a plan from when the table was empty would walk
// through all of it for ever.
func (w *Writer) query(sql string, args []any, learn func(pgx.Rows) error) error {
	var found pgx.Rows
	var err error
	args = append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	if w.spoken {
		if err = w.send(); err == nil {
			found, err = w.tx.Query(w.ctx, sql, args...)
		}
	} else {
		found, err = w.view.Pool.Query(w.ctx, sql, args...)
	}
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		if err := learn(found); err != nil {
			return err
		}
	}
	return found.Err()
}

// send runs what was queued, in a transaction that stays open.
func (w *Writer) send() (err error) {
	if w.under != nil {
		<-w.under.done // if it failed, so will this
	}
	if w.tx == nil {
		w.tx, err = w.view.Pool.BeginTx(w.ctx, pgx.TxOptions{
			BeginQuery: "BEGIN; SET LOCAL search_path = " + quote(w.schema) + ", public",
		})
		if err != nil {
			return err
		}
	}
	return w.run(w.tx)
}

// sender is a connection or a transaction.
type sender interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// run sends what was queued. The checkpoint's step, which goes first, divides by
// the rows that it touched.
func (w *Writer) run(to sender) error {
	batch := w.batch
	w.batch = pgx.Batch{}
	results := to.SendBatch(w.ctx, &batch)
	if !w.stepped {
		var pg *pgconn.PgError
		if _, err := results.Exec(); errors.As(err, &pg) && pg.Code == divisionByZero {
			_ = results.Close() // the error is known
			return errMoved
		}
		w.stepped = true
	}
	return results.Close()
}

const divisionByZero = "22012"

// lost says that there is no connection that could be asked any more, and that
// the statements are not why.
func (w *Writer) lost(err error) bool {
	return (w.tx == nil || w.tx.Conn().IsClosed()) && !unfit(err)
}

// unfit says that an argument cannot be what its statement takes it for. pgx has
// only words for that, and gives the connection up.
func unfit(err error) bool {
	return err != nil && strings.HasPrefix(err.Error(), "error preprocessing batch (build)")
}

// settle makes all that was flushed so. Most often that is one round trip: statements that
// are sent together are one transaction. Lost is said of a connection that is
// not there to ask any more.
func (w *Writer) settle() (lost bool, err error) {
	if w.spoken {
		return w.commit()
	}
	conn, err := w.view.Pool.Acquire(w.ctx)
	if err != nil {
		return true, err
	}
	defer conn.Release()
	err = w.run(conn)
	return conn.Conn().IsClosed() && !unfit(err), err
}

func (w *Writer) commit() (lost bool, err error) {
	if err := w.send(); err != nil {
		return w.lost(err), err
	}
	return true, w.tx.Commit(w.ctx)
}

// close gives up what was begun and not committed.
func (w *Writer) close() {
	if w.tx != nil {
		_ = w.tx.Rollback(context.WithoutCancel(w.ctx)) // after Commit it does nothing
	}
}
