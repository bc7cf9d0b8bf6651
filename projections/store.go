package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"govahi/domain/event"
)

// store puts events and checkpoint into the tables in one transaction. If an
// event is at fault, they go one by one, so that only that one stays behind.
func (v *view) store(ctx context.Context, events []event.Recorded) error {
	err := v.write(ctx, events)
	if !atFault(err) {
		return err
	}
	for _, r := range events {
		if err := v.storeOne(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// attempts is how often an event may fail alone before it is parked.
const attempts = 3

func (v *view) storeOne(ctx context.Context, r event.Recorded) error {
	var err error
	for n := range attempts {
		rest(ctx, time.Duration(n)*firstPause)
		if err = v.write(ctx, []event.Recorded{r}); !atFault(err) {
			return err
		}
	}
	return v.park(ctx, r, err)
}

func (v *view) write(ctx context.Context, events []event.Recorded) error {
	upto := events[len(events)-1].Position
	w := v.writer(ctx, upto)
	for _, r := range events {
		if err := v.apply(w, r); err != nil {
			return blame(err)
		}
	}
	return v.commit(ctx, w, upto)
}

// writer begins with the checkpoint's step, which touches one row or tells that
// another process was here: this is the fence, and what makes repeating harmless.
func (v *view) writer(ctx context.Context, upto event.Position) *Writer {
	// The mark keeps equal statements of different schemas apart in the cache of
	// prepared statements.
	w := &Writer{ctx: ctx, mark: "/* " + v.schema + " */ ", keeper: v.Keeper, terms: v.Terms}
	w.Exec(`UPDATE govahi.checkpoints SET position = $1, changed = now()
		WHERE projection = $2 AND version = $3 AND position = $4`,
		int64(upto), v.schema, v.projection.Version, int64(v.at))
	return w
}

// apply adds an event's statements. A panic is the event's fault too: one event
// must not stop the others.
func (v *view) apply(w *Writer, r event.Recorded) (err error) {
	catalog, ours := v.projection.catalog(r.Type)
	switch {
	case !ours:
		return nil
	case v.parked[r.Stream]:
		v.addParked(w, r, "behind-a-parked-event", 0)
		return nil
	}
	e, err := open(catalog, r)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %T", errPanic, p)
		}
	}()
	v.projection.Apply(w, e)
	return w.err
}

// commit puts everything into the tables, or tells who is at fault.
func (v *view) commit(ctx context.Context, w *Writer, upto event.Position) error {
	w.Exec(`SELECT pg_notify('checkpoints', $1)`, v.schema+":"+upto.String())
	if lost, err := v.transact(ctx, &w.batch); err != nil {
		return v.judge(ctx, err, lost)
	}
	v.at = upto
	v.status.set(func(s *Status) { s.Position = upto })
	return nil
}

// transact sends the batch in one go. PostgreSQL may forget a commit in a crash,
// rows and checkpoint together: the log still has it, so no disk is waited for.
// Lost is said of a connection that is not there to ask any more.
func (v *view) transact(ctx context.Context, batch *pgx.Batch) (lost bool, err error) {
	tx, err := v.Pool.BeginTx(ctx, pgx.TxOptions{
		BeginQuery: "BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL search_path = " + quote(v.schema) + ", public",
	})
	if err != nil {
		return true, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after Commit it does nothing
	if err := send(ctx, tx, batch); err != nil {
		return tx.Conn().IsClosed(), err
	}
	return true, tx.Commit(ctx)
}

// send runs the batch, whose first statement must touch one row.
func send(ctx context.Context, tx pgx.Tx, batch *pgx.Batch) error {
	results := tx.SendBatch(ctx, batch)
	for n := range batch.Len() {
		tag, err := results.Exec()
		if err == nil && n == 0 && tag.RowsAffected() != 1 {
			err = errMoved
		}
		if err != nil {
			_ = results.Close() // the error is known
			return err
		}
	}
	return results.Close()
}

func quote(schema string) string { return pgx.Identifier{schema}.Sanitize() }
