package projections

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Most events concern two or three views. The others only pass them: no row of
// theirs changes, but who waits for a view must learn that it has come so far.
// Their steps are made together, in one transaction, a moment after those that
// bring something, which people wait for.
type passing struct {
	pool *pgxpool.Pool
	news chan struct{} // some view has passed something

	mu    sync.Mutex
	all   map[*view]*passage // passed in memory, and not yet in the database
	under map[*view]*passage // on their way there
	busy  chan struct{}      // closed when those have arrived
}

// passage is where a view has come, and what ends its following when the
// database does not take that.
type passage struct {
	place
	stop context.CancelCauseFunc
}

// passAfter lets those go first who have something to bring.
const passAfter = 300 * time.Microsecond

func newPassing(pool *pgxpool.Pool) *passing {
	return &passing{pool: pool, news: make(chan struct{}, 1), all: map[*view]*passage{}}
}

// pass notes that a view has come to a place with nothing to change.
func (p *passing) pass(v *view, to place, stop context.CancelCauseFunc) {
	p.mu.Lock()
	p.all[v] = &passage{to, stop}
	p.mu.Unlock()
	v.at = to.Position
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// own leaves a view's step to itself: when it returns, nothing of that view is on
// its way, and its checkpoint is what v.stored says.
func (p *passing) own(ctx context.Context, v *view) error {
	p.mu.Lock()
	delete(p.all, v)
	busy, going := p.busy, p.under[v] != nil
	p.mu.Unlock()
	if !going {
		return nil
	}
	select {
	case <-busy:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run makes the steps until the context ends.
func (p *passing) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-p.news:
			rest(ctx, passAfter)
			p.arrive(ctx)
		}
	}
}

// arrive makes the steps of all who have passed something.
func (p *passing) arrive(ctx context.Context) {
	p.mu.Lock()
	if len(p.all) == 0 { // it was noted while others arrived
		p.mu.Unlock()
		return
	}
	under, busy := p.all, make(chan struct{})
	p.all, p.under, p.busy = map[*view]*passage{}, under, busy
	var s steps
	for v, to := range under {
		s.add(v, to.place)
	}
	p.mu.Unlock()
	arrived, err := s.store(ctx, p.pool)
	p.mu.Lock()
	defer p.mu.Unlock()
	for v, to := range under {
		switch {
		case err != nil:
			to.stop(err)
		case !arrived[v.schema]:
			to.stop(errOvertaken)
		default:
			v.stored = to.Position
			v.status.set(func(s *Status) { s.Position = to.Position })
		}
	}
	p.under = nil
	close(busy)
}

// steps are those of several checkpoints, column by column.
type steps struct {
	schemas, anchors   []string
	versions           []int
	from, upto, events []int64
}

func (s *steps) add(v *view, to place) {
	s.schemas, s.anchors = append(s.schemas, v.schema), append(s.anchors, to.anchor)
	s.versions, s.events = append(s.versions, v.version), append(s.events, v.events)
	s.from, s.upto = append(s.from, int64(v.stored)), append(s.upto, int64(to.Position))
}

// stepWithin is how long the database may take.
const stepWithin = 10 * time.Second

// store moves those checkpoints that stand where they were left; see Writer.begin.
// Rows are locked in order, so that two processes do not wait for each other.
func (s *steps) store(ctx context.Context, pool *pgxpool.Pool) (moved map[string]bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	rows, err := pool.Query(ctx, `
		WITH want AS (
			SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
				u (projection, version, stood, upto, events, anchor)
		), held AS (
			SELECT c.projection, w.upto, w.anchor FROM govahi.checkpoints c JOIN want w USING (projection)
			WHERE c.version = w.version AND c.position = w.stood AND c.events = w.events
			ORDER BY c.projection FOR UPDATE OF c
		), moved AS (
			UPDATE govahi.checkpoints c SET position = h.upto, changed = now(), anchor = coalesce(nullif(h.anchor, ''), c.anchor)
			FROM held h WHERE c.projection = h.projection RETURNING c.projection, c.position
		)
		SELECT projection, pg_notify('checkpoints', projection || ':' || position)::text,
		       set_config('synchronous_commit', 'off', true) FROM moved`,
		s.schemas, s.versions, s.from, s.upto, s.events, s.anchors)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	moved = map[string]bool{}
	for rows.Next() {
		var schema string
		if err := rows.Scan(&schema, nil, nil); err != nil {
			return nil, err
		}
		moved[schema] = true
	}
	return moved, rows.Err()
}
