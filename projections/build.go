package projections

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"govahi/domain/event"
	"govahi/domain/projection"
)

// held is what the database holds of a schema.
type held struct {
	version  int // 0 without a checkpoint, negative if it is to be built anew
	position event.Position
	events   int64
	anchor   string
	present  bool // the schema is there
	whole    bool // and its checkpoint, and every table that it began with
	ours     bool // the log holds what was taken last
}

// asker is a pool or a transaction.
type asker interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (v *view) held(ctx context.Context, db asker, schema string) (h held, err error) {
	var position int64
	err = db.QueryRow(ctx, `
		SELECT coalesce(c.version, 0), coalesce(c.position, 0), coalesce(c.events, 0), coalesce(c.anchor, ''),
		       to_regnamespace(n.name) IS NOT NULL,
		       c.projection IS NOT NULL AND to_regnamespace(n.name) IS NOT NULL AND NOT EXISTS (
		           SELECT FROM unnest(c.tables) t WHERE to_regclass(n.name || '.' || quote_ident(t)) IS NULL)
		FROM (VALUES ($1)) n (name) LEFT JOIN govahi.checkpoints c ON c.projection = n.name`, schema).
		Scan(&h.version, &position, &h.events, &h.anchor, &h.present, &h.whole)
	h.position = event.Position(position)
	return h, err
}

// found is held, and whether it is of this log. The log is asked later: other
// processes move the checkpoint on, and who knew the log's end from before would
// take theirs for one of another log.
func (v *view) found(ctx context.Context, db asker, schema string) (held, error) {
	h, err := v.held(ctx, db, schema)
	if err != nil {
		return h, err
	}
	head, err := v.Log.Head(ctx)
	if err != nil || h.position > head {
		return h, err
	}
	h.ours, err = holds(ctx, v.Log, h.anchor)
	return h, err
}

// serves says that these tables are this version's, and of this log.
func (h held) serves(version int) bool { return h.whole && h.version == version && h.ours }

// asks says that these tables are, and are to be built anew.
func (h held) asks(version int) bool { return h.whole && h.version == -version && h.ours }

// open finds the tables as they must be, or builds them: beside the older ones
// if there are any that a reader may be using, else straight. Those of this very
// version are kept up meanwhile; see rebuild.
func (v *view) open(ctx context.Context) error {
	if err := lay(ctx, v.Pool); err != nil {
		return err
	}
	name, version := v.projection.Name, v.projection.Version
	h, err := v.found(ctx, v.Pool, name)
	switch {
	case err != nil:
		return err
	case h.serves(version), h.asks(version):
	case h.whole && h.version > version && v.opened:
		return errSuperseded
	case !h.present, h.version > 0 && !h.whole, !h.ours:
		err = v.inTx(ctx, func(tx pgx.Tx) error { return v.claim(ctx, tx, name, v.projection.Tables) })
	default:
		err = v.build(ctx)
	}
	if err != nil {
		return err
	}
	v.opened = true
	return v.load(ctx, name, Following)
}

// load takes up the work where the database says it stands.
func (v *view) load(ctx context.Context, schema string, state State) error {
	h, err := v.held(ctx, v.Pool, schema) // first: whatever moves later is noticed by the fence
	if err != nil {
		return err
	}
	parked, err := parkedStreams(ctx, v.Pool, schema)
	if err != nil {
		return err
	}
	if v.skipped, err = projection.ReadSkipped(ctx, v.Log, v.projection.Name); err != nil {
		return err
	}
	v.schema, v.version, v.at, v.stored, v.events, v.parked = schema, h.version, h.position, h.position, h.events, parked
	v.status.set(func(s *Status) { s.State, s.Position, s.Parked, s.Trouble = state, h.position, len(parked), "" })
	return nil
}

// build makes the next version beside the present one, from the log, and swaps
// when it has caught up. It resumes where an earlier attempt ended.
func (v *view) build(ctx context.Context) error {
	next := v.projection.Name + "_next"
	if err := v.inTx(ctx, func(tx pgx.Tx) error { return v.reclaim(ctx, tx) }); err != nil {
		return err
	}
	head, err := v.Log.Head(ctx)
	if err != nil {
		return err
	}
	if err := v.load(ctx, next, Building); err != nil {
		return err
	}
	v.status.set(func(s *Status) { s.Goal = head })
	v.Report.Info("projection is built anew", "projection", v.projection.Name, "version", v.projection.Version, "from", v.at, "head", head)
	if err := v.fill(ctx, v.building); err != nil {
		return err
	}
	if err := v.index(ctx); err != nil {
		return err
	}
	for {
		if err := v.catchUp(ctx); err != nil {
			return err
		}
		err := v.inTx(ctx, func(tx pgx.Tx) error { return v.swap(ctx, tx) })
		if !errors.Is(err, errBehind) {
			return err
		}
	}
}

// errBehind reports that the tables in use went on while the new ones caught up.
var errBehind = errors.New("projections: the tables in use are further")

// rebuild builds tables that somebody asked for beside those that are kept up,
// and ends their following when they are in place.
func (v *view) rebuild(ctx context.Context, stop context.CancelCauseFunc) {
	next := &view{
		Parts: v.Parts, projection: v.projection, catalogs: v.catalogs, prefixes: v.prefixes,
		building: v.building, passing: v.passing, opened: true,
	}
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, lastPause) {
		err := next.build(ctx)
		h, lost := v.held(ctx, v.Pool, v.projection.Name)
		if err == nil || lost == nil && h.version != v.version { // by another process, perhaps
			stop(errMoved)
			return
		}
		if ctx.Err() == nil {
			next.trouble(err)
		}
		rest(ctx, pause)
	}
}

// index makes the indexes of NAME_next, unless it has them, and lets PostgreSQL
// learn how its tables are filled.
func (v *view) index(ctx context.Context) error {
	return pgx.BeginFunc(ctx, v.Pool, func(tx pgx.Tx) error {
		// First and alone: what the next query sees is what others have committed.
		_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('govahi.indexes'), hashtext($1))`, v.schema)
		if err != nil {
			return err
		}
		indexed, analyze, err := filled(ctx, tx, v.schema)
		if err != nil {
			return err
		}
		_, indexes := v.projection.sql()
		if indexed {
			indexes = ""
		}
		_, err = tx.Exec(ctx, "SET LOCAL search_path = "+quote(v.schema)+", public;"+indexes+";"+analyze)
		return err
	})
}

// filled says whether a schema has indexes beside its keys, and how its tables
// are analyzed.
func filled(ctx context.Context, tx pgx.Tx, schema string) (indexed bool, analyze string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = to_regnamespace($1)
		           AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)),
		       coalesce((SELECT string_agg(format('ANALYZE %I.%I;', schemaname, tablename), '') FROM pg_tables WHERE schemaname = $1), '')`,
		schema).Scan(&indexed, &analyze)
	return indexed, analyze, err
}

// reclaim finds or makes NAME_next. If the version before the present one is the
// one wanted, the program was rolled back, and what was kept is taken up again;
// a rebuild of the same version wants nothing of what it once replaced.
func (v *view) reclaim(ctx context.Context, tx pgx.Tx) error {
	next, prev := v.projection.Name+"_next", v.projection.Name+"_prev"
	now, err := v.held(ctx, tx, v.projection.Name)
	switch {
	case err != nil:
		return err
	case now.whole && now.version == v.projection.Version:
		return errMoved // another process has built it
	}
	h, err := v.found(ctx, tx, next)
	if err != nil || h.serves(v.projection.Version) {
		return err
	}
	if h, err = v.found(ctx, tx, prev); err != nil {
		return err
	}
	if h.serves(v.projection.Version) && now.version != -v.projection.Version {
		return rename(ctx, tx, prev, next)
	}
	tables, _ := v.projection.sql()
	return v.claim(ctx, tx, next, tables)
}

// claim makes a schema's tables anew and its checkpoint zero, unless another
// process just did.
func (v *view) claim(ctx context.Context, tx pgx.Tx, schema, tables string) error {
	h, err := v.found(ctx, tx, schema)
	if err != nil || h.serves(v.projection.Version) {
		return err
	}
	if err := drop(ctx, tx, schema); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "CREATE SCHEMA "+quote(schema)+"; SET LOCAL search_path = "+quote(schema)+", public;"+tables)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO govahi.checkpoints (projection, version, position, tables)
		SELECT $1::text, $2, 0, coalesce(array_agg(tablename::text), '{}') FROM pg_tables WHERE schemaname = $1::text`,
		schema, v.projection.Version)
	return err
}

// swap puts NAME_next in the place of NAME and keeps that as NAME_prev. Readers
// see the one or the other, never neither, and never less than before: whoever
// keeps NAME up waits meanwhile, and finds then that it was moved.
func (v *view) swap(ctx context.Context, tx pgx.Tx) error {
	name := v.projection.Name
	h, err := v.held(ctx, tx, name+"_next")
	if err != nil {
		return err
	}
	if !h.whole || h.version != v.projection.Version || h.position != v.at {
		return errMoved
	}
	if err := v.ahead(ctx, tx); err != nil {
		return err
	}
	if err := rename(ctx, tx, name, name+"_prev"); err != nil {
		return err
	}
	if err := rename(ctx, tx, name+"_next", name); err != nil {
		return err
	}
	var batch pgx.Batch
	batch.Queue(`UPDATE govahi.checkpoints SET version = abs(version) WHERE projection = $1 || '_prev'`, name)
	batch.Queue(`UPDATE govahi.parked n SET asked = p.asked FROM govahi.parked p -- what was asked for meanwhile
		WHERE n.projection = $1 AND p.projection = $1 || '_prev' AND p.stream = n.stream AND p.asked IS NOT NULL`, name)
	batch.Queue(`SELECT pg_notify('checkpoints', $1)`, name+":"+v.at.String())
	return tx.SendBatch(ctx, &batch).Close()
}

// ahead refuses a swap while the tables in use are further. One that is further
// than the log is of another log.
func (v *view) ahead(ctx context.Context, tx pgx.Tx) error {
	var used int64
	err := tx.QueryRow(ctx, `SELECT position FROM govahi.checkpoints WHERE projection = $1 FOR UPDATE`, v.projection.Name).Scan(&used)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil || used <= int64(v.at):
		return err
	}
	head, err := v.Log.Head(ctx)
	if err == nil && event.Position(used) <= head {
		err = errBehind
	}
	return err
}

// rename moves a schema, if it is there, with its checkpoint and parked events,
// over whatever has the new name.
func rename(ctx context.Context, tx pgx.Tx, from, to string) error {
	if err := drop(ctx, tx, to); err != nil {
		return err
	}
	var batch pgx.Batch
	batch.Queue("ALTER SCHEMA " + quote(from) + " RENAME TO " + quote(to))
	batch.Queue(`UPDATE govahi.checkpoints SET projection = $2 WHERE projection = $1`, from, to)
	batch.Queue(`UPDATE govahi.parked SET projection = $2 WHERE projection = $1`, from, to)
	return tx.SendBatch(ctx, &batch).Close()
}

func drop(ctx context.Context, tx pgx.Tx, schema string) error {
	var batch pgx.Batch
	batch.Queue("DROP SCHEMA IF EXISTS " + quote(schema) + " CASCADE")
	batch.Queue(`DELETE FROM govahi.checkpoints WHERE projection = $1`, schema)
	batch.Queue(`DELETE FROM govahi.parked WHERE projection = $1`, schema)
	return tx.SendBatch(ctx, &batch).Close()
}

// inTx runs a change of schemas alone.
func (v *view) inTx(ctx context.Context, change func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, v.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock); err != nil {
			return err
		}
		return change(tx)
	})
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
