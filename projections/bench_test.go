package projections_test

import (
	"context"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/adapters/nats"
	"govahi/adapters/postgres/pgtest"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/projections"
)

// benchEvents is how many events the benchmarks' log holds; GOVAHI_BENCH_EVENTS
// says otherwise.
func benchEvents(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("GOVAHI_BENCH_EVENTS"))
	if err != nil {
		return 200_000
	}
	return n
}

// BenchmarkRebuild builds all views anew from a real node's log, beside what the
// same run takes to read the log and to upsert the views' rows from memory.
func BenchmarkRebuild(b *testing.B) {
	log := startLog(b)
	n := fill(b, log, benchEvents(b))
	pool := pgtest.Pool(b)
	all := projections.All()
	build(b, pool, log, all) // the version before, and warm caches
	for b.Loop() {
		reading := timed(b, func() error { return readAll(b, log, n) })
		upserts, rows := upsertAll(b, pool, all, 1)
		for _, p := range all {
			if err := projections.Rebuild(b.Context(), pool, p.Name); err != nil {
				b.Fatal(err)
			}
		}
		took := build(b, pool, log, all)
		report(b, n, took, reading+upserts)
		b.Logf("%d events read in %v, %d rows upserted in %v, all views rebuilt in %v", n, reading, rows, upserts, took)
	}
}

// BenchmarkCatchUp brings one view from the log's beginning to its end, beside
// upserts from memory: of a row for each event, and of each row once.
func BenchmarkCatchUp(b *testing.B) {
	log := startLog(b)
	fill(b, log, benchEvents(b))
	for _, p := range []projections.Projection{projections.Requests, projections.Certificates, projections.Notifications, projections.Tokens} {
		b.Run(p.Name, func(b *testing.B) {
			for b.Loop() {
				pool, one := pgtest.Pool(b), []projections.Projection{p}
				took := build(b, pool, log, one)
				var n int
				if err := pool.QueryRow(b.Context(), `SELECT events FROM govahi.checkpoints`).Scan(&n); err != nil {
					b.Fatal(err)
				}
				once, rows := upsertAll(b, pool, one, 1)
				each, written := upsertAll(b, pool, one, n/rows)
				report(b, n, took, each)
				b.Logf("%d events caught up in %v; %d rows upserted in %v, %d in %v", n, took, rows, once, written, each)
			}
		})
	}
}

func report(b *testing.B, n int, took, ceiling time.Duration) {
	b.ReportMetric(float64(n)/took.Seconds(), "events/s")
	b.ReportMetric(ceiling.Seconds()/took.Seconds(), "of-ceiling")
}

func timed(b *testing.B, do func() error) time.Duration {
	b.Helper()
	begun := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return time.Since(begun)
}

func readAll(b *testing.B, log event.Log, want int) error {
	got := 0
	for _, err := range log.ReadAll(b.Context(), 0) {
		if err != nil {
			return err
		}
		got++
	}
	if got != want {
		return fmt.Errorf("read %d events of %d", got, want)
	}
	return nil
}

// build runs projections until they show the log's head.
func build(b *testing.B, pool *pgxpool.Pool, log event.Log, ps []projections.Projection) time.Duration {
	b.Helper()
	runner := projections.NewRunner(projections.Parts{
		Pool: pool, Log: log, Feed: func(string) event.Feed { return quiet{} }, Keeper: benchKeeper, Terms: keyedTerms{},
		Report: slog.New(slog.DiscardHandler),
	}, ps...)
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	begun := time.Now()
	running.Go(func() { _ = runner.Run(ctx) })
	head, err := log.Head(ctx)
	if err != nil {
		b.Fatal(err)
	}
	for {
		var behind, parked int
		err := pool.QueryRow(ctx, `SELECT $1 - count(*) FILTER (WHERE position = $2 AND version > 0 AND projection !~ '_(next|prev)$'),
			(SELECT count(*) FROM govahi.parked) FROM govahi.checkpoints`, len(ps), int64(head)).Scan(&behind, &parked)
		if err == nil && parked > 0 {
			b.Fatalf("%d events were parked", parked)
		}
		if err == nil && behind == 0 {
			return time.Since(begun)
		}
		rest(ctx, 5*time.Millisecond)
	}
}

const upsertSize = 5000 // rows in one statement of the ceiling

// upsertAll upserts the rows of all views from memory into empty tables, so many
// times each, as many views abreast as the runner has.
func upsertAll(b *testing.B, pool *pgxpool.Pool, ps []projections.Projection, times int) (took time.Duration, rows int) {
	b.Helper()
	var all []*copied
	for _, p := range ps {
		all = append(all, copiesOf(b, pool, p)...)
	}
	took = timed(b, func() error {
		var errs [64]error
		var group sync.WaitGroup
		for i, c := range all {
			group.Go(func() { errs[i] = c.upsert(b.Context(), pool, times) })
		}
		group.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range all {
		rows += c.count * times
	}
	if _, err := pool.Exec(b.Context(), `DROP SCHEMA ceiling CASCADE`); err != nil {
		b.Fatal(err)
	}
	return took, rows
}

// BenchmarkVisible appends through a real node, relay and JetStream, and waits
// until the view of the request shows it: alone, and among 1,000 events a second
// that go through all views.
func BenchmarkVisible(b *testing.B) {
	for _, each := range []time.Duration{0, time.Millisecond} {
		b.Run(fmt.Sprint("background-", each), func(b *testing.B) {
			h := newRoad(b)
			if each > 0 {
				defer h.background(func(ctx context.Context) error { return h.appendEvery(ctx, each) })()
			}
			took := make([]time.Duration, 1000)
			for b.Loop() {
				begun, before := time.Now(), h.appended.Load()
				for i := range took {
					took[i] = h.visible(fmt.Sprintf("%012d", mathrand.Uint64N(1_000_000_000_000)))
					rest(b.Context(), 3*time.Millisecond)
				}
				rate := float64(h.appended.Load()-before) / time.Since(begun).Seconds()
				b.Logf("append to visible among %.0f events/s: %s", rate, percentiles(took))
			}
		})
	}
}

// road is everything between an append and a reader.
type road struct {
	*testing.B
	log      event.Log
	waiter   *projections.Waiter
	appended atomic.Int64
}

func newRoad(b *testing.B) *road {
	b.Helper()
	log, pool := startLog(b), pgtest.Pool(b)
	server, err := nats.StartServer(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Close)
	bus, err := server.Connect()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(bus.Close)
	h := &road{B: b, log: log, waiter: projections.NewWaiter(pool)}
	runner := projections.NewRunner(projections.Parts{
		Pool: pool, Log: log, Feed: func(string) event.Feed { return bus.Feed() }, Keeper: benchKeeper, Terms: keyedTerms{}, Report: slog.New(slog.DiscardHandler),
	}, projections.All()...)
	for _, run := range []func(context.Context) error{nats.NewRelay(bus, log, slog.New(slog.DiscardHandler)).Run, runner.Run, h.waiter.Run} {
		b.Cleanup(h.background(run))
	}
	for took := time.Hour; took > 20*time.Millisecond; { // until everybody listens
		took = h.visible(fmt.Sprintf("%012d", mathrand.Uint64N(1_000_000_000_000)))
	}
	return h
}

func (h *road) background(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = run(ctx) }()
	return func() { cancel(); <-done }
}

// opened appends the beginning of a request.
func (h *road) opened(ctx context.Context, code string) (event.Receipt, error) {
	e := enrollment.Opened{TrackingCode: code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: "somebody", At: noon}
	stream := enrollment.Kind.Stream(code)
	proposed, err := enrollment.Kind.Encode(ctx, benchKeeper, stream, event.Meta{CommandID: code, Actor: "somebody", Status: "draft"}, []event.Event{e})
	if err != nil {
		return event.Receipt{}, err
	}
	h.appended.Add(1)
	return h.log.Append(ctx, stream, event.NoStream, proposed...)
}

// visible is how long it takes from an acknowledged append to a row.
func (h *road) visible(code string) time.Duration {
	h.Helper()
	receipt, err := h.opened(h.Context(), code)
	if err != nil {
		h.Fatal(err)
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(h.Context(), 10*time.Second)
	defer cancel()
	if err := h.waiter.Wait(ctx, "requests", receipt.Position); err != nil {
		h.Fatal(err)
	}
	return time.Since(begun)
}

// appendEvery appends at a steady pace, whoever waits for what.
func (h *road) appendEvery(ctx context.Context, each time.Duration) error {
	var group sync.WaitGroup
	defer group.Wait()
	for tick := time.Tick(each); ctx.Err() == nil; <-tick {
		group.Go(func() { _, _ = h.opened(ctx, fmt.Sprintf("%012d", mathrand.Uint64N(1_000_000_000_000))) })
	}
	return nil
}

// copied is a table's rows in memory, column by column, in portions.
type copied struct {
	insert   string
	portions [][]any // of arrays in their text form
	count    int
}

// copiesOf makes empty copies of a view's tables in a schema of their own, and
// takes the rows into memory.
func copiesOf(b *testing.B, pool *pgxpool.Pool, p projections.Projection) (all []*copied) {
	b.Helper()
	ctx := b.Context()
	_, err := pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS ceiling; SET search_path = ceiling; `+p.Tables+`; RESET search_path`)
	if err != nil {
		b.Fatal(err)
	}
	names := columnOf[string](b, pool, `SELECT tablename FROM pg_tables WHERE schemaname = $1`, p.Name)
	for _, name := range names {
		columns := columnOf[string](b, pool, `SELECT attname FROM pg_attribute WHERE attrelid = ($1 || '.' || $2)::regclass AND attnum > 0`, p.Name, name)
		types := columnOf[string](b, pool, `SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = ($1 || '.' || $2)::regclass AND attnum > 0`, p.Name, name)
		keys := columnOf[string](b, pool, `SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
			WHERE indrelid = ($1 || '.' || $2)::regclass AND indisprimary`, p.Name, name)
		all = append(all, takeRows(b, pool, p.Name+"."+name, "ceiling."+name, columns, types, keys))
	}
	return all
}

func takeRows(b *testing.B, pool *pgxpool.Pool, from, into string, columns, types, keys []string) *copied {
	b.Helper()
	var values, params, sets, arrays []string
	for i, c := range columns {
		arrays = append(arrays, "array_agg("+c+"::text)")
		params = append(params, fmt.Sprintf("$%d::text[]", i+1))
		values = append(values, fmt.Sprintf("c%d::%s", i, types[i]))
		sets = append(sets, c+" = excluded."+c)
	}
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = fmt.Sprint("c", i)
	}
	list := strings.Join(columns, ", ")
	c := &copied{insert: `INSERT INTO ` + into + ` AS t (` + list + `) SELECT ` + strings.Join(values, ", ") +
		` FROM unnest(` + strings.Join(params, ", ") + `) u (` + strings.Join(names, ", ") + `) ON CONFLICT (` +
		strings.Join(keys, ", ") + `) DO UPDATE SET ` + strings.Join(sets, ", ")}
	rows, err := pool.Query(b.Context(), fmt.Sprintf(`SELECT %s FROM (SELECT *, row_number() OVER () AS n FROM %s) t GROUP BY n / %d`,
		strings.Join(arrays, ", "), from, upsertSize))
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		into := make([]any, len(columns))
		portion := make([]any, len(columns))
		for i := range into {
			into[i] = new([]*string)
		}
		if err := rows.Scan(into...); err != nil {
			b.Fatal(err)
		}
		for i := range into {
			portion[i] = *into[i].(*[]*string)
		}
		c.count += len(portion[0].([]*string))
		c.portions = append(c.portions, portion)
	}
	return c
}

func (c *copied) upsert(ctx context.Context, pool *pgxpool.Pool, times int) error {
	for n := range len(c.portions) * times {
		portion := c.portions[n/times] // as events of one thing come: close together
		if _, err := pool.Exec(ctx, c.insert, portion...); err != nil {
			return err
		}
	}
	return nil
}

func columnOf[T any](b *testing.B, pool *pgxpool.Pool, sql string, args ...any) (all []T) {
	b.Helper()
	rows, err := pool.Query(b.Context(), sql, args...)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			b.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// startLog starts a node of its own behind a Unix socket.
func startLog(b *testing.B) event.Log {
	b.Helper()
	dir, err := os.MkdirTemp("", "log")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	node, err := eventnode.Open(b.Context(), filepath.Join(dir, "node"), eventnode.Options{})
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "log.sock")
	listener, err := eventnode.ListenUnix(path)
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- node.Serve(listener) }()
	log, err := eventstore.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _, _ = log.Close(), node.Close(), <-served })
	return log
}

var benchKeeper = spec.NewKeeper()
