package projections_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/adapters/nats"
	"govahi/adapters/postgres/pgtest"
	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/inquiry"
	"govahi/domain/notification"
	"govahi/domain/token"
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
		upserts, rows := upsertAll(b, pool, all)
		for _, p := range all {
			if err := projections.Rebuild(b.Context(), pool, p.Name); err != nil {
				b.Fatal(err)
			}
		}
		took := build(b, pool, log, all)
		report(b, "rebuild", n, took, reading+upserts)
		b.Logf("%d events read in %v, %d rows upserted in %v, all views rebuilt in %v", n, reading, rows, upserts, took)
	}
}

// BenchmarkCatchUp brings one view from the log's beginning to its end, beside
// the upserts of its rows from memory.
func BenchmarkCatchUp(b *testing.B) {
	log := startLog(b)
	n := fill(b, log, benchEvents(b))
	for _, p := range projections.All() {
		b.Run(p.Name, func(b *testing.B) {
			for b.Loop() {
				pool := pgtest.Pool(b)
				took := build(b, pool, log, []projections.Projection{p})
				upserts, rows := upsertAll(b, pool, []projections.Projection{p})
				report(b, "catching up", n, took, upserts)
				b.Logf("%d events, %d rows upserted in %v, caught up in %v", n, rows, upserts, took)
			}
		})
	}
}

func report(b *testing.B, what string, n int, took, ceiling time.Duration) {
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

// upsertAll upserts the rows of all views from memory into empty tables, as many
// views abreast as the runner has.
func upsertAll(b *testing.B, pool *pgxpool.Pool, ps []projections.Projection) (took time.Duration, rows int) {
	b.Helper()
	var all []*copied
	for _, p := range ps {
		all = append(all, copiesOf(b, pool, p)...)
	}
	took = timed(b, func() error {
		var errs [64]error
		var group sync.WaitGroup
		for i, c := range all {
			group.Go(func() { errs[i] = c.upsert(b.Context(), pool) })
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
		rows += c.count
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
				for i := range took {
					took[i] = h.visible(fmt.Sprintf("%012d", mathrand.Uint64N(1_000_000_000_000)))
					rest(b.Context(), 3*time.Millisecond)
				}
				b.Log("append to visible:", percentiles(took))
			}
		})
	}
}

// road is everything between an append and a reader.
type road struct {
	*testing.B
	log    event.Log
	waiter *projections.Waiter
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
	h := &road{b, log, projections.NewWaiter(pool)}
	runner := projections.NewRunner(projections.Parts{
		Pool: pool, Log: log, Feed: bus.Feed, Keeper: benchKeeper, Terms: keyedTerms{}, Report: slog.New(slog.DiscardHandler),
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

func (c *copied) upsert(ctx context.Context, pool *pgxpool.Pool) error {
	for _, portion := range c.portions {
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

// fill tells so many events of requests from form to certificate, several
// hundred of them at once, so that their events lie between each other.
func fill(b *testing.B, log event.Log, events int) (n int) {
	b.Helper()
	const abreast = 256
	each := len(benchSteps)
	stories := max(events/each, 1)
	var group sync.WaitGroup
	next := make(chan int)
	for range abreast {
		group.Go(func() {
			for i := range next {
				if err := tellAll(b.Context(), log, i); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range stories {
		next <- i
	}
	close(next)
	group.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return stories * each
}

// benchStep is an event of a story on one of its streams.
type benchStep struct {
	kind string
	id   func(s *benchStory) string
	tell func(s *benchStory) event.Event
}

// benchStory is one request: its applicant, its certificate, its token.
type benchStory struct {
	n              int
	code, serial   string
	person         event.Subject
	der            []byte
	heads          map[string]int
	at             time.Time
	requests, mail int
}

var benchSteps = []benchStep{
	{"token", (*benchStory).tokenID, func(s *benchStory) event.Event {
		return token.ReceivedInStock{Serial: s.tokenID(), Model: "model", Office: s.office(), By: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.Opened{TrackingCode: s.code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: s.person, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		f := completed(s.person)
		f.At = s.at
		return f
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.EmailCodeSent{FormVersion: 1, Round: 1, ExpiresAt: s.at.Add(time.Hour)}
	}},
	mailAsked(1), mailSent(1),
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event { return enrollment.EmailConfirmed{FormVersion: 1, At: s.at} }},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.LiabilityAccepted{FormVersion: 1, NoticeVersion: "1", TextHash: strings.Repeat("ab", 32), By: s.person, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.Submitted{Office: s.office(), FormVersion: 1, At: s.at}
	}},
	mailAsked(2), mailSent(2),
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.DocumentSighted{Document: enrollment.NationalCard, By: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.DocumentSighted{Document: enrollment.BirthCertificate, By: officer, At: s.at}
	}},
	{"inquiry", (*benchStory).inquiryID, func(s *benchStory) event.Event {
		return inquiry.Requested{
			Inquiry: s.inquiryID(), Request: s.request(), FormVersion: 1, Subject: s.person, Purpose: "identity", LegalBasis: "basis", By: officer, At: s.at,
		}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.IdentityInquired{Inquiry: s.inquiryID(), FormVersion: 1, By: officer, At: s.at}
	}},
	{"inquiry", (*benchStory).inquiryID, func(s *benchStory) event.Event {
		return inquiry.Answered{Inquiry: s.inquiryID(), Request: s.request(), Matched: true, TrackingCode: "R1", AskedBy: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.IdentityAnswered{Inquiry: s.inquiryID(), FormVersion: 1, Matched: true, TrackingCode: "R1", AskedBy: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.FeeSettled{Order: s.code, AmountRial: 5_000_000, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.InformationConfirmed{RecordRevision: 10, RecordHash: strings.Repeat("cd", 32), By: officer, Office: s.office(), At: s.at}
	}},
	{"token", (*benchStory).tokenID, func(s *benchStory) event.Event { return token.Reserved{Request: s.request(), By: officer, At: s.at} }},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.IssuanceRequested{
			Token: s.tokenID(), KeyHash: strings.Repeat("ef", 32), Request: event.About(s.person, enrollment.SigningInfo{CSR: s.der[:700]}),
			By: officer, Office: s.office(), At: s.at,
		}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.IssuanceAttempted{Serial: s.serial, Handler: "handler", At: s.at}
	}},
	{"certificate", (*benchStory).serialID, func(s *benchStory) event.Event {
		return certificate.IssuanceIntended{
			Serial: s.serial, Record: &certificate.Citation{Stream: s.request(), Revision: 12}, Subject: s.person, Profile: "cpmis-signature@1",
			Issuer: strings.Repeat("01", 32), KeyHash: strings.Repeat("ef", 32), Token: s.tokenID(), NotBefore: s.at, NotAfter: s.at.AddDate(1, 0, 0),
			TBS: event.About(s.person, certificate.DER{DER: s.der}), TBSHash: strings.Repeat("23", 32), At: s.at,
		}
	}},
	{"certificate", (*benchStory).serialID, func(s *benchStory) event.Event { return certificate.SigningStarted{Signer: "signer", At: s.at} }},
	{"certificate", (*benchStory).serialID, func(s *benchStory) event.Event {
		return certificate.Issued{
			Serial: s.serial, Request: s.request(), Subject: s.person, Profile: "cpmis-signature@1", Fingerprint: strings.Repeat("45", 32),
			NotBefore: s.at, NotAfter: s.at.AddDate(1, 0, 0), Certificate: event.About(s.person, certificate.DER{DER: s.der}), Signer: "signer", At: s.at,
		}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.Issued{Serial: s.serial, Fingerprint: strings.Repeat("45", 32), At: s.at}
	}},
	{"token", (*benchStory).tokenID, func(s *benchStory) event.Event {
		return token.Personalised{Certificate: s.serial, By: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.TokenPersonalised{Token: s.tokenID(), By: officer, At: s.at}
	}},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event { return enrollment.SheetPrinted{Copy: 1, By: officer, At: s.at} }},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event {
		return enrollment.Delivered{IdentityChecked: enrollment.NationalCard, By: officer, At: s.at}
	}},
	{"token", (*benchStory).tokenID, func(s *benchStory) event.Event { return token.Delivered{To: s.person, By: officer, At: s.at} }},
	{"enrollment", (*benchStory).codeID, func(s *benchStory) event.Event { return enrollment.Accepted{By: s.person, At: s.at} }},
	{"access", (*benchStory).personID, func(s *benchStory) event.Event {
		return access.UserDefined{
			UserName: string(s.person), Level: access.Viewer, Person: s.person, Request: s.request(), Certificate: s.serial,
			Fingerprint: strings.Repeat("45", 32), Unit: "unit", By: officer, At: s.at,
		}
	}},
	mailAsked(3), mailSent(3),
}

func mailAsked(n int) benchStep {
	return benchStep{"notification", func(s *benchStory) string { return s.mailID(n) }, func(s *benchStory) event.Event {
		return notification.Requested{
			ID: s.mailID(n), Template: notification.RequestSubmitted, Request: s.request(),
			Message: event.About(s.person, notification.Message{Email: "somebody@example.ir", Name: "نام"}), At: s.at,
		}
	}}
}

func mailSent(n int) benchStep {
	return benchStep{"notification", func(s *benchStory) string { return s.mailID(n) }, func(s *benchStory) event.Event {
		return notification.Sent{ID: s.mailID(n), At: s.at}
	}}
}

func (s *benchStory) codeID() string        { return s.code }
func (s *benchStory) serialID() string      { return s.serial }
func (s *benchStory) personID() string      { return string(s.person) }
func (s *benchStory) tokenID() string       { return fmt.Sprintf("T%08d", s.n) }
func (s *benchStory) inquiryID() string     { return s.code + "-1" }
func (s *benchStory) mailID(n int) string   { return fmt.Sprintf("%s-%d", s.code, n) }
func (s *benchStory) office() string        { return fmt.Sprint("office-", s.n%40) }
func (s *benchStory) request() event.Stream { return enrollment.Kind.Stream(s.code) }

func tellAll(ctx context.Context, log event.Log, n int) error {
	s := &benchStory{
		n: n, code: fmt.Sprintf("%012d", mathrand.Uint64N(1_000_000_000_000)), serial: rand.Text(), person: event.Subject(rand.Text()),
		der: make([]byte, 1000), heads: map[string]int{}, at: noon.Add(time.Duration(n) * time.Second),
	}
	_, _ = rand.Read(s.der)
	for i, step := range benchSteps {
		s.at = s.at.Add(time.Minute)
		e := step.tell(s)
		var err error
		switch step.kind {
		case "enrollment":
			err = benchAppend(ctx, log, enrollment.Kind, s, step, e, i)
		case "certificate":
			err = benchAppend(ctx, log, certificate.Kind, s, step, e, i)
		case "notification":
			err = benchAppend(ctx, log, notification.Kind, s, step, e, i)
		case "inquiry":
			err = benchAppend(ctx, log, inquiry.Kind, s, step, e, i)
		case "token":
			err = benchAppend(ctx, log, token.Kind, s, step, e, i)
		case "access":
			err = benchAppend(ctx, log, access.Kind, s, step, e, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func benchAppend[S any](ctx context.Context, log event.Log, kind event.Kind[S], s *benchStory, step benchStep, e event.Event, i int) error {
	stream := kind.Stream(step.id(s))
	meta := event.Meta{
		CommandID: fmt.Sprint(s.code, "-", i), Actor: string(s.person), Authority: "applicant", At: s.at,
		Correlation: s.code, Causation: s.code, Status: "at-office",
	}
	proposed, err := kind.Encode(ctx, benchKeeper, stream, meta, []event.Event{e})
	if err != nil {
		return err
	}
	at, known := s.heads[string(stream)]
	if !known {
		at = -1
	}
	s.heads[string(stream)] = at + 1
	_, err = log.Append(ctx, stream, event.Expected(at), proposed...)
	return err
}
