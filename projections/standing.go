package projections

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Standing is how a view, or a policies' runner, stands beside the log.
type Standing struct {
	Name     string // or policy:NAME
	Version  int
	State    string // current, behind, building
	Position event.Position
	Behind   int           // events of the log that it has not seen; CountedMost means at least so many
	Late     time.Duration // since the first of them was recorded

	Parked, ParkedStreams int // events that fail or wait behind those, and their streams
}

// CountedMost bounds what it costs to count, for each.
const CountedMost = 100_000

// Standings tells of all, from what the database holds: no process need run.
func Standings(ctx context.Context, pool *pgxpool.Pool, log event.Log) ([]Standing, error) {
	list, err := standings(ctx, pool)
	if err != nil {
		return nil, err
	}
	misses := map[event.Position]missed{} // most stand at the same place
	for i, s := range list {
		m, known := misses[s.Position]
		if !known {
			if m, err = missedAfter(ctx, log, s.Position); err != nil {
				return nil, err
			}
			misses[s.Position] = m
		}
		list[i].Behind, list[i].Late = m.events, m.late
		if s.State == "current" && m.events > 0 {
			list[i].State = "behind"
		}
	}
	return list, nil
}

// Names are those of all views and policies' runners that have a checkpoint.
func Names(ctx context.Context, pool *pgxpool.Pool) (names []string, err error) {
	list, err := standings(ctx, pool)
	for _, s := range list {
		names = append(names, s.Name)
	}
	return names, err
}

// missed is what the log holds behind a position.
type missed struct {
	events int
	late   time.Duration
}

func missedAfter(ctx context.Context, log event.Log, p event.Position) (m missed, err error) {
	for r, err := range log.ReadAll(ctx, p) {
		if err != nil {
			return m, err
		}
		if m.events++; m.events == 1 {
			m.late = time.Since(r.Created)
		}
		if m.events == CountedMost {
			break
		}
	}
	return m, nil
}

func standings(ctx context.Context, pool *pgxpool.Pool) ([]Standing, error) {
	rows, err := pool.Query(ctx, `
		SELECT c.projection, abs(c.version), c.position,
		       c.version <= 0 OR EXISTS (SELECT FROM govahi.checkpoints n WHERE n.projection = c.projection || '_next'),
		       count(p.position), count(DISTINCT p.stream)
		FROM govahi.checkpoints c LEFT JOIN govahi.parked p USING (projection)
		WHERE c.projection !~ '_(next|prev)$' GROUP BY c.projection ORDER BY c.projection LIKE 'policy:%', c.projection`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Standing, err error) {
		var position int64
		var building bool
		err = row.Scan(&s.Name, &s.Version, &position, &building, &s.Parked, &s.ParkedStreams)
		if s.Position, s.State = event.Position(position), "current"; building {
			s.State = "building"
		}
		return s, err
	})
}

// Progress is how many events of their own views have taken that are being built,
// of how many: those that the tables in use have taken. It is complete once they
// are in use.
func Progress(ctx context.Context, pool *pgxpool.Pool, names []string) (done, total int64, err error) {
	err = pool.QueryRow(ctx, `
		SELECT coalesce(sum(CASE WHEN c.version > 0 THEN c.events + 1 ELSE least(coalesce(n.events, 0), c.events) END), 0),
		       coalesce(sum(c.events + 1), 0)
		FROM govahi.checkpoints c LEFT JOIN govahi.checkpoints n ON n.projection = c.projection || '_next'
		WHERE c.projection = ANY ($1)`, names).Scan(&done, &total)
	return done, total, err
}

// ErrNothingKept refuses to put back what is not there.
var ErrNothingKept = fault.New(fault.NotFound, "nothing-kept",
	"نسخهٔ پیشین این نما نگه داشته نشده است.",
	"Nothing was kept of this view: only what the last rebuild has replaced can be put back.")

// ErrKeptVersion refuses tables that the running program would not know.
var ErrKeptVersion = fault.New(fault.Conflict, "kept-of-another-version",
	"نسخهٔ نگه‌داشته‌شده از برنامهٔ دیگری است؛ با اجرای همان برنامه خودش بازمی‌گردد.",
	"What was kept is of another version of the view: it comes back by itself when the program of that version runs.")

// Back puts the tables back that the last rebuild has replaced; what was in use
// is kept in turn. They then catch up with the log. A rebuild that goes on ends.
func Back(ctx context.Context, pool *pgxpool.Pool, name string) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock); err != nil {
			return err
		}
		var now, kept int
		var position int64
		err := tx.QueryRow(ctx, `SELECT abs(n.version), abs(p.version), p.position FROM govahi.checkpoints n, govahi.checkpoints p
			WHERE n.projection = $1 AND p.projection = $1 || '_prev'`, name).Scan(&now, &kept, &position)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return ErrNothingKept
		case err != nil:
			return err
		case now != kept:
			return ErrKeptVersion
		}
		if err := drop(ctx, tx, name+"_next"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE govahi.checkpoints SET version = abs(version) WHERE projection = $1`, name); err != nil {
			return err
		}
		away := name + "_away"
		for _, step := range [][2]string{{name, away}, {name + "_prev", name}, {away, name + "_prev"}} {
			if err := rename(ctx, tx, step[0], step[1]); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `SELECT pg_notify('checkpoints', $1)`, name+":"+event.Position(position).String())
		return err
	})
}
