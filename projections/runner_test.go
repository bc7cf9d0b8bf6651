package projections_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/nats"
	"govahi/adapters/postgres"
	"govahi/adapters/postgres/pgtest"
	"govahi/commands/memlog"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/projections"
)

// A small slice to project: parcels are posted and then weighed.
type (
	posted struct {
		To *event.Personal[string] `json:"to"`
	}
	weighed struct {
		Grams string `json:"grams"` // a number, or poison
	}
)

func (p posted) Personal() []event.Sealable { return []event.Sealable{p.To} }

var parcel = event.Kind[struct{}]{
	Category: "parcel",
	Catalog:  event.NewCatalog(event.Of[posted]("parcel.posted.v1"), event.Of[weighed]("parcel.weighed.v1")),
}

// parcels shows each parcel with the sum of its weights: a sum betrays an event
// that was applied twice.
func parcels(version int) projections.Projection {
	return projections.Projection{
		Name:    "parcels",
		Version: version,
		Tables: `
			CREATE TABLE parcels (stream text PRIMARY KEY, term bytea, "to" jsonb, grams bigint NOT NULL DEFAULT 0,
				revision bigint NOT NULL, version integer NOT NULL DEFAULT ` + strconv.Itoa(version) + `);
			CREATE INDEX ON parcels (term);`,
		Catalogs: []event.Catalog{parcel.Catalog},
		Apply:    applyParcel,
	}
}

func applyParcel(w *projections.Writer, e projections.Event) {
	switch is := e.Is.(type) {
	case posted:
		var term []byte
		if to, ok := projections.Open(w, is.To); ok {
			term = w.Term("name", to)
		}
		w.Exec(`INSERT INTO parcels (stream, term, "to", revision) VALUES ($1, $2, $3, $4)`,
			e.Stream, term, projections.Column(is.To), int64(e.Revision))
	case weighed:
		if is.Grams == "panic" {
			panic(is.Grams)
		}
		w.Exec(`UPDATE parcels SET grams = grams + $2::text::bigint, revision = $3 WHERE stream = $1`,
			e.Stream, is.Grams, int64(e.Revision))
	}
}

// keeper seals by reversing; it can lose a key, or be down.
type keeper struct {
	down   atomic.Bool
	mu     sync.Mutex
	erased map[event.Subject]bool
}

func (k *keeper) Seal(_ context.Context, _ event.Subject, _ string, plain []byte) ([]byte, error) {
	return turned(plain), nil
}

func (k *keeper) Open(_ context.Context, s event.Subject, _ string, sealed []byte) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.down.Load():
		return nil, fault.New(fault.Unavailable, "vault-down", "", "")
	case k.erased[s]:
		return nil, event.ErrErased
	}
	return turned(sealed), nil
}

func turned(b []byte) []byte {
	r := make([]byte, len(b))
	for i := range b {
		r[len(b)-1-i] = b[i] ^ 0x55
	}
	return r
}

// terms marks texts, so that a test can tell what a column came from.
type terms struct{}

func (terms) Term(kind, text string) []byte { return turned([]byte(kind + "|" + text)) }

// quiet is a feed that is dead, so that only the log serves.
type quiet struct{}

func (quiet) Fetch(ctx context.Context, _ int) ([]event.Message, error) {
	select {
	case <-ctx.Done():
	case <-time.After(50 * time.Millisecond):
	}
	return nil, errors.New("dead")
}

// wild is a feed that repeats, reorders and loses.
type wild struct {
	log  event.Log
	dice *rand.Rand
}

func (f *wild) Fetch(ctx context.Context, max int) ([]event.Message, error) {
	var messages []event.Message
	var previous event.Position
	for r, err := range f.log.ReadAll(ctx, 0) {
		if err != nil {
			return nil, err
		}
		for range f.dice.IntN(3) {
			messages = append(messages, event.Message{Recorded: r, Previous: previous, Ack: func() {}})
		}
		previous = r.Position
	}
	f.dice.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
	rest(ctx, time.Millisecond)
	return messages[:min(max, len(messages), f.dice.IntN(100))], nil
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// house is all that a test needs.
type house struct {
	*testing.T
	pool   *pgxpool.Pool
	log    event.Log
	feed   func(string) event.Feed
	keeper *keeper
	waiter *projections.Waiter
	count  int // what was appended
}

func newHouse(t *testing.T, feed func(event.Log) event.Feed) *house {
	t.Helper()
	return furnish(t, pgtest.Pool(t), feed)
}

func furnish(t *testing.T, pool *pgxpool.Pool, feed func(event.Log) event.Feed) *house {
	log := memlog.New()
	h := &house{T: t, pool: pool, log: log, keeper: &keeper{erased: map[event.Subject]bool{}}}
	h.feed = func(string) event.Feed { return feed(log) }
	h.waiter = projections.NewWaiter(h.pool)
	h.background(h.waiter.Run)
	return h
}

func deadFeed(event.Log) event.Feed { return quiet{} }

func wildFeed(log event.Log) event.Feed {
	return &wild{log, rand.New(rand.NewPCG(1, 2))}
}

// background runs something until stop or the test's end.
func (h *house) background(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = run(ctx) }()
	stop = func() { cancel(); <-done }
	h.Cleanup(stop)
	return stop
}

func (h *house) run(ps ...projections.Projection) (r *projections.Runner, stop func()) {
	return h.runOn(h.log, ps...)
}

func (h *house) runOn(log event.Log, ps ...projections.Projection) (r *projections.Runner, stop func()) {
	r = projections.NewRunner(projections.Parts{
		Pool: h.pool, Log: log, Feed: h.feed, Keeper: h.keeper, Terms: terms{}, Report: slog.New(slog.NewTextHandler(h.Output(), nil)),
	}, ps...)
	return r, h.background(r.Run)
}

// post appends a parcel and its weights.
func (h *house) post(name string, grams ...string) event.Receipt {
	h.Helper()
	stream := parcel.Stream(name)
	events := []event.Event{posted{To: event.About(event.Subject("s-"+name), "somebody of "+name)}}
	for _, g := range grams {
		events = append(events, weighed{g})
	}
	meta := event.Meta{CommandID: name, Actor: "clerk"}
	proposed, err := parcel.Encode(h.Context(), h.keeper, stream, meta, events)
	if err != nil {
		h.Fatal(err)
	}
	receipt, err := h.log.Append(h.Context(), stream, event.NoStream, proposed...)
	if err != nil {
		h.Fatal(err)
	}
	return receipt
}

func (h *house) postMany(n int) (last event.Receipt) {
	h.Helper()
	for range n {
		h.count++
		last = h.post("p"+strconv.Itoa(h.count), strconv.Itoa(h.count), "1000")
	}
	return last
}

// foreign appends an event that no projection here knows.
func (h *house) foreign() event.Receipt {
	h.Helper()
	h.count++
	receipt, err := h.log.Append(h.Context(), event.NewStream("letter", strconv.Itoa(h.count)), event.NoStream,
		event.Proposed{ID: event.DeriveID("letter", strconv.Itoa(h.count)), Type: "letter.sent.v1", Data: []byte("{}")})
	if err != nil {
		h.Fatal(err)
	}
	return receipt
}

// shows waits until the projection shows the position.
func (h *house) shows(p event.Position) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 10*time.Second)
	defer cancel()
	if err := h.waiter.Wait(ctx, "parcels", p); err != nil {
		h.Fatalf("parcels never showed %d: %v", p, err)
	}
}

func (h *house) until(what string, so func() bool) {
	h.Helper()
	for deadline := time.Now().Add(10 * time.Second); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("never: %s", what)
		}
	}
}

type row struct {
	Stream   string
	Term     []byte
	Subject  event.Subject
	Grams    int64
	Revision int64
}

func (h *house) rows() map[string]row {
	h.Helper()
	found, _ := h.pool.Query(h.Context(), `SELECT stream, term, "to"->>'subject' AS subject, grams, revision FROM parcels.parcels`)
	list, err := pgx.CollectRows(found, pgx.RowToStructByPos[row])
	if err != nil {
		h.Fatal(err)
	}
	all := map[string]row{}
	for _, r := range list {
		all[r.Stream] = r
	}
	return all
}

// folded is what the table must show, by a plain walk over the log.
func (h *house) folded() map[string]row {
	all := map[string]row{}
	for r, err := range h.log.ReadAll(h.Context(), 0, "parcel.") {
		if err != nil {
			h.Fatal(err)
		}
		is := all[string(r.Stream)]
		is.Stream, is.Revision = string(r.Stream), int64(r.Revision)
		switch r.Type {
		case "parcel.posted.v1":
			name := r.Stream.ID()
			is.Subject, is.Term = event.Subject("s-"+name), terms{}.Term("name", "somebody of "+name)
		case "parcel.weighed.v1":
			var w weighed
			if err := json.Unmarshal(r.Data, &w); err != nil {
				h.Fatal(err)
			}
			grams, _ := strconv.ParseInt(w.Grams, 10, 64)
			is.Grams += grams
		}
		all[string(r.Stream)] = is
	}
	return all
}

func (h *house) tellsTheLog() {
	h.Helper()
	if diff := cmp.Diff(h.folded(), h.rows()); diff != "" {
		h.Fatalf("the table is not what the log tells (-log +table):\n%s", diff)
	}
	if n := one[int64](h, `SELECT count(*) FROM govahi.parked`); n != 0 {
		h.Fatalf("%d events were parked", n)
	}
}

func (h *house) exec(sql string, args ...any) {
	h.Helper()
	if _, err := h.pool.Exec(h.Context(), sql, args...); err != nil {
		h.Fatal(err)
	}
}

func one[T any](h *house, sql string, args ...any) T {
	h.Helper()
	found, _ := h.pool.Query(h.Context(), sql, args...)
	v, err := pgx.CollectExactlyOneRow(found, pgx.RowTo[T])
	if err != nil {
		h.Fatal(err)
	}
	return v
}

func (h *house) status(r *projections.Runner) projections.Status {
	h.Helper()
	all, err := r.Status(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return all[0]
}

func TestTableTellsTheLogThroughAWildFeed(t *testing.T) {
	h := newHouse(t, wildFeed)
	h.postMany(50) // before
	_, stop := h.run(parcels(1))
	for range 10 {
		h.postMany(20)
		h.foreign()
	}
	stop()
	h.postMany(20) // while it is down
	r, _ := h.run(parcels(1))
	h.postMany(20)
	h.shows(h.foreign().Position)
	h.tellsTheLog()
	h.until("its status says so", func() bool { return h.status(r).Lag() == 0 }) // rows are seen before
	if s := h.status(r); s.State != projections.Following || s.Parked != 0 {
		t.Errorf("%+v", s)
	}
}

func TestTwoRunnersApplyEachEventOnce(t *testing.T) {
	h := newHouse(t, wildFeed)
	one, _ := h.run(parcels(1))
	two, _ := h.run(parcels(1))
	for range 10 {
		h.shows(h.postMany(5).Position)
	}
	last := h.postMany(200).Position
	for _, r := range []*projections.Runner{one, two} {
		h.until("both at the head", func() bool { return h.status(r).Position == last })
	}
	h.tellsTheLog()
}

func TestKilledConnectionsLoseAndRepeatNothing(t *testing.T) {
	h := newHouse(t, wildFeed)
	h.run(parcels(1))
	h.shows(h.postMany(1).Position)
	for range 10 {
		last := h.postMany(30)
		h.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		h.shows(last.Position)
	}
	h.shows(h.postMany(1).Position)
	h.tellsTheLog()
}

func TestConnectionKilledInsideABatch(t *testing.T) {
	h := newHouse(t, deadFeed)
	p, kills := parcels(1), atomic.Int32{}
	p.Apply = func(w *projections.Writer, e projections.Event) {
		applyParcel(w, e)
		if e.Stream == "parcel-p10" && kills.Add(1) < 3 {
			w.Exec(`SELECT pg_terminate_backend(pg_backend_pid())`)
		}
	}
	r, _ := h.run(p)
	h.shows(h.postMany(30).Position)
	h.tellsTheLog()
	if s := h.status(r); s.Parked != 0 || kills.Load() < 3 {
		t.Errorf("parked %d, killed %d times", s.Parked, kills.Load())
	}
}

func TestPoisonIsParkedWithItsStreamOnly(t *testing.T) {
	for name, poison := range map[string]string{"data": "heavy", "panic": "panic"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, deadFeed)
			r, stop := h.run(parcels(1))
			h.post("a", "1")
			h.post("bad", "5", poison, "7")
			h.post("b", "2")
			h.shows(h.post("c", "3").Position)
			if got := h.rows(); len(got) != 4 || got["parcel-bad"].Grams != 5 || got["parcel-c"].Grams != 3 {
				t.Errorf("%+v", got)
			}
			if s := h.status(r); s.Parked != 1 {
				t.Errorf("%+v", s)
			}
			stop()
			h.run(parcels(1))
			receipt, err := h.log.Append(t.Context(), "parcel-bad", 3,
				event.Proposed{ID: event.DeriveID("later"), Type: "parcel.weighed.v1", Data: []byte(`{"grams":"9"}`)})
			if err != nil {
				t.Fatal(err)
			}
			h.shows(receipt.Position)
			reasons := one[[]string](h, `SELECT array_agg(type || ' ' || attempts || ' ' || reason ORDER BY position) FROM govahi.parked`)
			first := map[string]string{"data": "sqlstate 22P02", "panic": "projections: Apply panicked: string"}[name]
			want := []string{"parcel.weighed.v1 3 " + first, "parcel.weighed.v1 0 behind-a-parked-event", "parcel.weighed.v1 0 behind-a-parked-event"}
			if diff := cmp.Diff(want, reasons); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnlistedEventIsParkedNotSkipped(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.run(parcels(1))
	receipt, err := h.log.Append(t.Context(), "parcel-x", event.NoStream,
		event.Proposed{ID: event.DeriveID("x"), Type: "parcel.lost.v1", Data: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	h.shows(receipt.Position)
	if got := one[string](h, `SELECT reason FROM govahi.parked`); got != "event-unlisted" {
		t.Error(got)
	}
	receipt, err = h.log.Append(t.Context(), "parcel-\x00\xff", event.NoStream,
		event.Proposed{ID: event.DeriveID("odd"), Type: "parcel.lost\x00.v1", Data: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	h.shows(receipt.Position)
}

func TestVaultThatIsDownIsWaitedForAndErasedDataLeftOut(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.keeper.erased["s-gone"] = true
	h.keeper.down.Store(true)
	r, _ := h.run(parcels(1))
	h.post("gone", "1")
	last := h.post("here", "2")
	h.until("waiting", func() bool { s := h.status(r); return s.State == projections.Waiting && s.Trouble == "vault-down" })
	h.keeper.down.Store(false)
	h.shows(last.Position)
	got := h.rows()
	if got["parcel-gone"].Term != nil || got["parcel-gone"].Grams != 1 || got["parcel-here"].Term == nil {
		t.Errorf("%+v", got)
	}
	if s := h.status(r); s.Parked != 0 || s.Trouble != "" {
		t.Errorf("%+v", s)
	}
}

// held lets the log pass a stretch at a time.
type held struct {
	event.Log
	gate chan struct{}
}

const stretch = 4000 // events

func (l held) ReadAll(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		n := 0
		for r, err := range l.Log.ReadAll(ctx, after, prefixes...) {
			if n++; n%stretch == 1 {
				select {
				case <-l.gate:
				case <-ctx.Done():
				}
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func TestNewVersionIsBuiltBesideAndSwapped(t *testing.T) {
	h := newHouse(t, deadFeed)
	_, stop := h.run(parcels(1))
	last := h.postMany(3000)
	h.shows(last.Position)
	stop()
	version := `SELECT version FROM parcels.parcels WHERE stream = 'parcel-p1'` // prepared once, must follow the swap
	reader, err := h.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	read := func() (v int) {
		t.Helper()
		if err := reader.QueryRow(t.Context(), version).Scan(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	gate := make(chan struct{})
	r, stop := h.runOn(held{h.log, gate}, parcels(2))
	gate <- struct{}{} // two stretches of the build
	gate <- struct{}{}
	if got := read(); got != 1 {
		t.Errorf("a reader saw version %d while version 2 was built", got)
	}
	h.until("building", func() bool { s := h.status(r); return s.State == projections.Building && s.Position > 0 })
	stop() // half-way; the next attempt resumes
	half := one[int64](h, `SELECT position FROM govahi.checkpoints WHERE projection = 'parcels_next'`)
	if half == 0 {
		t.Error("nothing was built yet")
	}
	_, stop = h.run(parcels(2))
	h.until("version 2", func() bool { return read() == 2 })
	h.shows(h.postMany(10).Position)
	h.tellsTheLog()
	stop()
	if got := one[int64](h, `SELECT count(*) FROM parcels_prev.parcels`); got != 3000 {
		t.Errorf("%d rows were kept of version 1", got)
	}
	h.exec(`CREATE TABLE parcels_prev.witness ()`)
	h.run(parcels(1)) // rolled back: what was kept is taken up again
	h.until("version 1", func() bool { return read() == 1 })
	h.shows(h.postMany(10).Position)
	h.tellsTheLog()
	if !one[bool](h, `SELECT to_regclass('parcels.witness') IS NOT NULL`) {
		t.Error("what was kept was thrown away")
	}
}

// TestIndexesAreMadeOnce, at the end, also by who takes up a build that had come
// so far.
func TestIndexesAreMadeOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, deadFeed)
	indexes := func(schema string) int {
		return one[int](h, `SELECT count(*) FROM pg_indexes WHERE schemaname = $1 AND indexname !~ '_pkey$'`, schema)
	}
	_, stop := h.run(parcels(1))
	last := h.postMany(10).Position
	h.shows(last)
	stop()
	r, stop := h.runOn(held{h.log, make(chan struct{})}, parcels(2))
	h.building(r)
	stop()
	if straight, beside := indexes("parcels"), indexes("parcels_next"); straight != 1 || beside != 0 {
		t.Errorf("%d indexes of an empty table, %d of one that is being filled", straight, beside)
	}
	h.exec(`CREATE INDEX ON parcels_next.parcels (term)`)
	for version := 2; version < 4; version++ {
		_, stop := h.run(parcels(version))
		h.built(1, version, last)
		stop()
		if n := indexes("parcels"); n != 1 {
			t.Errorf("version %d has %d indexes", version, n)
		}
	}
}

func TestOlderRunnerStandsAsideForANewerOne(t *testing.T) {
	h := newHouse(t, deadFeed)
	old, _ := h.run(parcels(1))
	h.shows(h.postMany(10).Position)
	h.run(parcels(2))
	h.until("superseded", func() bool { h.postMany(1); return h.status(old).State == projections.Superseded })
	h.shows(h.postMany(10).Position)
	h.tellsTheLog()
	if got := one[int](h, `SELECT version FROM govahi.checkpoints WHERE projection = 'parcels'`); got != 2 {
		t.Errorf("version %d is in place", got)
	}
}

func TestRebuildIsAskedForWhileRunning(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.run(parcels(1))
	h.shows(h.postMany(10).Position)
	h.exec(`UPDATE parcels.parcels SET grams = 0`) // damage
	if err := projections.Rebuild(t.Context(), h.pool, "parcels"); err != nil {
		t.Fatal(err)
	}
	last := h.postMany(1)
	h.until("rebuilt", func() bool {
		return one[int](h, `SELECT version FROM govahi.checkpoints WHERE projection = 'parcels'`) == 1
	})
	h.shows(last.Position)
	h.tellsTheLog()
}

// TestARebuildDoesNotTakeUpWhatTheLastOneReplaced: that may be why it was asked for.
func TestARebuildDoesNotTakeUpWhatTheLastOneReplaced(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.run(parcels(1))
	h.shows(h.postMany(10).Position)
	h.exec(`UPDATE parcels.parcels SET grams = 0`) // damage
	for range 2 {
		h.rebuilt()
		h.shows(h.postMany(1).Position)
		h.tellsTheLog()
	}
}

func TestDroppedViewsAreRebuilt(t *testing.T) {
	for name, drop := range map[string]string{
		"schema":             `DROP SCHEMA parcels CASCADE`,
		"table":              `DROP TABLE parcels.parcels`,
		"checkpoints":        `DROP TABLE govahi.checkpoints`,
		"foundation":         `DROP SCHEMA govahi CASCADE`,
		"everything":         `DROP SCHEMA govahi, parcels CASCADE`,
		"checkpoints' row":   `DELETE FROM govahi.checkpoints`,
		"emptied the parked": `DROP TABLE govahi.parked; DROP TABLE parcels.parcels`,
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, deadFeed)
			_, stop := h.run(parcels(1))
			h.shows(h.postMany(20).Position)
			h.exec(drop)
			h.shows(h.postMany(20).Position)
			h.tellsTheLog()
			stop()
			h.exec(drop)
			h.run(parcels(1))
			h.shows(h.postMany(20).Position)
			h.tellsTheLog()
		})
	}
}

func TestViewsOfAnotherLogAreRebuilt(t *testing.T) {
	h := newHouse(t, deadFeed)
	_, stop := h.run(parcels(1))
	h.shows(h.postMany(20).Position)
	stop()
	h.log = memlog.New()
	last := h.post("other", "4")
	h.run(parcels(1))
	h.until("the other log's", func() bool {
		return one[int64](h, `SELECT position FROM govahi.checkpoints WHERE projection = 'parcels'`) == int64(last.Position)
	})
	h.tellsTheLog()
}

func TestPostgresKilledAndRestarted(t *testing.T) {
	dir := home(t)
	server := startPostgres(t, dir)
	pool, err := postgres.Pool(t.Context(), server.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	h := furnish(t, pool, wildFeed)
	r, _ := h.run(parcels(1))
	h.shows(h.postMany(50).Position)
	kill(t, server)
	h.postMany(50)
	h.until("waiting", func() bool { return h.status(r).State == projections.Waiting })
	startPostgres(t, dir)
	h.shows(h.postMany(10).Position)
	h.tellsTheLog()
}

func TestThroughJetStreamAndItsDeletion(t *testing.T) {
	server, err := nats.StartServer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	bus, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.Close)
	h := newHouse(t, deadFeed)
	h.feed = func(string) event.Feed { return bus.Feed() }
	relay := nats.NewRelay(bus, h.log, slog.New(slog.DiscardHandler))
	h.background(relay.Run)
	h.postMany(20)
	h.run(parcels(1))
	h.shows(h.postMany(200).Position)
	h.tellsTheLog()
	if err := bus.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.shows(h.postMany(200).Position)
	h.tellsTheLog()
	h.until("quick again", func() bool {
		begun := time.Now()
		h.shows(h.postMany(1).Position)
		return time.Since(begun) < 30*time.Millisecond
	})
	took := make([]time.Duration, 200)
	for i := range took {
		begun := time.Now()
		h.shows(h.postMany(1).Position)
		took[i] = time.Since(begun)
	}
	t.Log("append to visible:", percentiles(took))
	begun := time.Now()
	h.shows(h.postMany(5000).Position)
	t.Logf("%.0f events/s", 15000/time.Since(begun).Seconds())
	h.tellsTheLog()
}
