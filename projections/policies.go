package projections

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/event"
	"govahi/domain/projection"
)

// Checkpoints keeps how far policies have come, and what they could not take,
// beside the projections'. When they are lost, a policy begins at its start again
// and is told that all is done.
type Checkpoints struct {
	pool *pgxpool.Pool
	log  event.Log

	mu    sync.Mutex
	known map[string]event.Position // where each was last: it goes back only if it is lost
}

// NewCheckpoints keeps the checkpoints of a log in the views database.
func NewCheckpoints(pool *pgxpool.Pool, log event.Log) *Checkpoints {
	return &Checkpoints{pool: pool, log: log, known: map[string]event.Position{}}
}

// Load is the position up to which the policies have acted; zero if they never
// did, or on another log. What they know of that, parked events too, is forgotten:
// they come again.
func (c *Checkpoints) Load(ctx context.Context, policies string) (event.Position, error) {
	if err := lay(ctx, c.pool); err != nil {
		return 0, err
	}
	var p int64
	var anchored string
	err := c.pool.QueryRow(ctx, `INSERT INTO govahi.checkpoints (projection, version, position) VALUES ($1, 1, 0)
		ON CONFLICT (projection) DO UPDATE SET version = 1 RETURNING position, anchor`, projection.NameOf(policies)).Scan(&p, &anchored)
	if err != nil {
		return 0, err
	}
	ours, err := holds(ctx, c.log, anchored)
	if err == nil && !ours {
		p, err = 0, c.forget(ctx, policies, anchored)
	}
	if err == nil {
		c.know(policies, event.Position(p))
	}
	return event.Position(p), err
}

func (c *Checkpoints) know(policies string, p event.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[policies] = p
}

func (c *Checkpoints) knows(policies string) event.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[policies]
}

// forget drops what policies have kept of a log that is no more, unless another
// process did.
func (c *Checkpoints) forget(ctx context.Context, policies, anchored string) error {
	_, err := c.pool.Exec(ctx, `
		WITH gone AS (UPDATE govahi.checkpoints SET position = 0, anchor = '' WHERE projection = $1 AND anchor = $2 RETURNING 1)
		DELETE FROM govahi.parked WHERE projection = $1 AND EXISTS (SELECT FROM gone)`, projection.NameOf(policies), anchored)
	return err
}

// Save stores the event up to which the policies have acted; a process that is
// behind another one does not set it back. It is false if there is no checkpoint
// any more, or another process has made it anew: then what was parked is lost, too.
func (c *Checkpoints) Save(ctx context.Context, policies string, last event.Recorded) (known bool, err error) {
	var told int
	was := c.knows(policies)
	err = c.pool.QueryRow(ctx, `
		WITH saved AS (
			UPDATE govahi.checkpoints SET position = $2, anchor = $3, changed = now()
			WHERE projection = $1 AND position BETWEEN $4 AND $2
			RETURNING projection, position)
		SELECT EXISTS (SELECT FROM govahi.checkpoints WHERE projection = $1 AND position >= $4),
		       (SELECT count(pg_notify('checkpoints', projection || ':' || position)) FROM saved)`,
		projection.NameOf(policies), int64(last.Position), anchor(last), int64(was)).Scan(&known, &told)
	if missing(err) {
		return false, nil
	}
	if known {
		c.know(policies, max(was, last.Position))
	}
	return known, err
}

// laid does it again once the tables were made, if they were missing.
func (c *Checkpoints) laid(ctx context.Context, do func() error) error {
	err := do()
	if missing(err) {
		err = errors.Join(lay(ctx, c.pool), do())
	}
	return err
}

// Parked are the streams that wait behind an event that could not be taken, and
// those of them that an operator wants tried again.
func (c *Checkpoints) Parked(ctx context.Context, policies string) (parked, asked map[event.Stream]bool, err error) {
	err = c.laid(ctx, func() (err error) {
		parked, err = parkedStreams(ctx, c.pool, projection.NameOf(policies))
		return err
	})
	if err == nil {
		asked, err = askedStreams(ctx, c.pool, projection.NameOf(policies))
	}
	return parked, asked, err
}

// Park puts an event aside, and with it all later ones of its stream.
func (c *Checkpoints) Park(ctx context.Context, policies string, r event.Recorded, cause error) error {
	return c.laid(ctx, func() error {
		_, err := c.pool.Exec(ctx, `INSERT INTO govahi.parked (projection, position, stream, revision, type, reason, attempts)
			VALUES ($1, $2, $3, $4, $5, $6, 1) ON CONFLICT DO NOTHING`,
			projection.NameOf(policies), int64(r.Position), storable(r.Stream), int64(r.Revision), storable(r.Type), reason(cause))
		return err
	})
}

// ParkBehind puts a later event of a parked stream aside. It is not parked if
// the stream is not any more: another process has taken up what was. If what is
// before it is just being tried again, it will be too.
func (c *Checkpoints) ParkBehind(ctx context.Context, policies string, r event.Recorded) (parked bool, err error) {
	tag, err := c.pool.Exec(ctx, `
		INSERT INTO govahi.parked (projection, position, stream, revision, type, reason, attempts, asked)
		SELECT $1, $2, $3, $4, $5, $6, 0, before.asked
		FROM (SELECT asked FROM govahi.parked WHERE projection = $1 AND stream = $3 AND position < $2
		      ORDER BY position DESC LIMIT 1 FOR UPDATE) before
		ON CONFLICT (projection, position) DO UPDATE SET reason = parked.reason`,
		projection.NameOf(policies), int64(r.Position), storable(r.Stream), int64(r.Revision), storable(r.Type), behind)
	return err == nil && tag.RowsAffected() > 0, err
}

// Waiting are the parked events of a stream, in their order.
func (c *Checkpoints) Waiting(ctx context.Context, policies string, stream event.Stream) ([]event.Recorded, error) {
	return parkedOf(ctx, c.pool, c.log, projection.NameOf(policies), stream)
}

// Taken ends an event's being parked, or notes why it failed again.
func (c *Checkpoints) Taken(ctx context.Context, policies string, r event.Recorded, failed error) error {
	if failed != nil {
		return stillParked(ctx, c.pool, projection.NameOf(policies), r, reason(failed))
	}
	_, err := c.pool.Exec(ctx, `DELETE FROM govahi.parked WHERE projection = $1 AND position = $2`, projection.NameOf(policies), int64(r.Position))
	return err
}
