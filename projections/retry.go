package projections

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/event"
	"govahi/domain/projection"
)

// Parked is an event that a view, or a policies' runner, could not take.
type Parked struct {
	Projection string // or policy:NAME
	Position   event.Position
	Stream     event.Stream
	Revision   uint64
	Type       string
	Reason     string // a code, never personal data
	Attempts   int    // 0 for events behind a parked one of their stream
	Parked     time.Time
	Asked      *time.Time // an operator wants it tried again
}

// ListParked lists what is parked, of one name or, if it is empty, of all.
func ListParked(ctx context.Context, pool *pgxpool.Pool, name string) ([]Parked, error) {
	rows, _ := pool.Query(ctx, `
		SELECT projection, position, stream, revision, type, reason, attempts, parked, asked
		FROM govahi.parked WHERE $1 IN ('', projection) ORDER BY projection, position`, name)
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Parked])
}

// Retry asks whoever keeps a view, or runs the policies, to try the parked events
// of a stream again, in their order; of all streams if it is empty. It tells how
// many events that concerns.
func Retry(ctx context.Context, pool *pgxpool.Pool, name string, stream event.Stream) (int64, error) {
	tag, err := pool.Exec(ctx, `UPDATE govahi.parked SET asked = now() WHERE projection = $1 AND $2 IN ('', stream)`, name, string(stream))
	return tag.RowsAffected(), err
}

func parkedStreams(ctx context.Context, pool *pgxpool.Pool, name string) (map[event.Stream]bool, error) {
	return streams(ctx, pool, `SELECT DISTINCT stream FROM govahi.parked WHERE projection = $1`, name)
}

func askedStreams(ctx context.Context, pool *pgxpool.Pool, name string) (map[event.Stream]bool, error) {
	return streams(ctx, pool, `SELECT DISTINCT stream FROM govahi.parked WHERE projection = $1 AND asked IS NOT NULL`, name)
}

func streams(ctx context.Context, pool *pgxpool.Pool, sql, name string) (map[event.Stream]bool, error) {
	rows, _ := pool.Query(ctx, sql, name)
	list, err := pgx.CollectRows(rows, pgx.RowTo[event.Stream])
	all := map[event.Stream]bool{}
	for _, s := range list {
		all[s] = true
	}
	return all, err
}

// parkedOf are the parked events of a stream in their order, from the log.
func parkedOf(ctx context.Context, pool *pgxpool.Pool, log event.Log, name string, stream event.Stream) ([]event.Recorded, error) {
	rows, _ := pool.Query(ctx, `SELECT revision FROM govahi.parked WHERE projection = $1 AND stream = $2 ORDER BY position`, name, string(stream))
	waiting, err := pgx.CollectRows(rows, pgx.RowTo[uint64])
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	var events []event.Recorded
	for r, err := range log.Read(ctx, stream, waiting[0]) {
		if err != nil {
			return nil, err
		}
		if r.Revision == waiting[len(events)] {
			events = append(events, r)
		}
		if len(events) == len(waiting) {
			break
		}
	}
	return events, nil
}

// retryAsked tries again what an operator wants tried, or has skipped.
func (v *view) retryAsked(ctx context.Context) error {
	asked, err := askedStreams(ctx, v.Pool, v.schema)
	if err != nil {
		return err
	}
	if err := v.addSkipped(ctx, asked); err != nil {
		return err
	}
	for stream := range asked {
		if err := v.retry(ctx, stream); err != nil {
			return err
		}
	}
	return nil
}

// addSkipped adds the streams that wait behind an event which is left out by now:
// a rebuild may have parked it before it was skipped, and nobody knows of that.
func (v *view) addSkipped(ctx context.Context, asked map[event.Stream]bool) error {
	if len(v.skipped) == 0 || len(v.parked) == 0 {
		return nil
	}
	rows, _ := v.Pool.Query(ctx, `SELECT DISTINCT ON (stream) stream, revision FROM govahi.parked WHERE projection = $1 ORDER BY stream, position`, v.schema)
	first, err := pgx.CollectRows(rows, pgx.RowToStructByPos[projection.One])
	for _, one := range first {
		if v.skipped[one] {
			asked[one.Stream] = true
		}
	}
	return err
}

// retry takes a stream's parked events up in their order, as far as they go.
func (v *view) retry(ctx context.Context, stream event.Stream) error {
	events, err := parkedOf(ctx, v.Pool, v.Log, v.schema, stream)
	if err != nil {
		return err
	}
	delete(v.parked, stream)
	p := portion{}.decode(events, v.catalogs)
	p.decoded.Wait()
	for _, e := range p.told {
		err := v.takeUp(ctx, e)
		switch {
		case atFault(err):
			v.parked[stream] = true
			return stillParked(ctx, v.Pool, v.schema, e.Recorded, reason(err))
		case err != nil:
			return err // the view begins anew, with what is parked then
		}
	}
	v.status.set(func(s *Status) { s.Parked = len(v.parked) })
	return nil
}

// takeUp applies a parked event, at the checkpoint as it stands, and ends its
// being parked: both or neither.
func (v *view) takeUp(ctx context.Context, e told) error {
	w := v.step(ctx, v.at, 1, "")
	defer w.close()
	if err := v.warm(ctx, []told{e}); err != nil {
		return blame(err)
	}
	w.rest = []told{e}
	if err := v.apply(w, e); err != nil {
		return err
	}
	w.Exec(`DELETE FROM govahi.parked WHERE projection = $1 AND position = $2`, v.schema, int64(e.Position))
	return v.commit(ctx, w, v.at)
}

// stillParked notes that a parked event failed again; the operator is told why.
func stillParked(ctx context.Context, pool *pgxpool.Pool, name string, r event.Recorded, reason string) error {
	_, err := pool.Exec(ctx, `
		UPDATE govahi.parked SET asked = NULL,
			attempts = attempts + CASE WHEN position = $3 THEN 1 ELSE 0 END,
			reason = CASE WHEN position = $3 THEN $4 ELSE reason END
		WHERE projection = $1 AND stream = $2`, name, string(r.Stream), int64(r.Position), reason)
	return err
}
