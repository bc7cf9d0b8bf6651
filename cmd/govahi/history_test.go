package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"govahi/adapters/postgres"
	"govahi/adapters/postgres/pgtest"
	"govahi/commands/memlog"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/iran"
	"govahi/projections"
)

// TestAnyHistoryIsShownAsItWas: whatever people did, and whatever happens to the
// runners that follow it, every row of every view is what a fold of the log, which
// knows nothing of them, makes of it. Rapid draws both; when it fails it prints
// the seed, and as small a history as it finds.
func TestAnyHistoryIsShownAsItWas(t *testing.T) {
	must(t, flag.Set("rapid.checks", "100000")) // as many as there is time for
	must(t, flag.Set("rapid.shrinktime", "20s"))
	var all tally
	t.Run("", func(t *testing.T) {
		for _, acts := range []int{600, 600, 600, often(3000, 12000)} { // side by side: each waits more than it works
			t.Run("", func(t *testing.T) { t.Parallel(); histories(t, acts, &all) })
		}
	})
	t.Log(&all)
}

// histories tells some, of so many acts at most, until there were enough.
func histories(t *testing.T, acts int, all *tally) {
	enough := time.Now().Add(time.Duration(often(15, 1200)) * time.Second)
	told, failed := false, false
	rapid.Check(t, func(rt *rapid.T) {
		if told && !failed && time.Now().After(enough) {
			return
		}
		told, failed = true, true // until it is over: a failure leaves from wherever it is
		m := newMess(t, rt, taleOf(t, rt, 20+evenly(rt, acts, "acts")))
		m.happens()
		all.add(m)
		failed = false
	})
}

// tally says what the histories were, so that it shows if they are poor.
type tally struct {
	mu                                      sync.Mutex
	histories, events, longest, comparisons int
	kinds, mishaps                          map[string]int
}

func (n *tally) add(m *mess) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kinds == nil {
		n.kinds, n.mishaps = map[string]int{}, map[string]int{}
	}
	n.histories, n.events, n.comparisons = n.histories+1, n.events+len(m.facts), n.comparisons+m.comparisons
	n.longest = max(n.longest, len(m.facts))
	for _, f := range m.facts {
		n.kinds[f.Type]++
	}
	for what, times := range m.mishaps {
		n.mishaps[what] += times
	}
}

func (n *tally) String() string {
	return fmt.Sprintf("%d histories, %d events of %d kinds, at most %d in one, compared %d times; %v", n.histories, n.events, len(n.kinds), n.longest, n.comparisons, n.mishaps)
}

// mess is a house of projections and nothing else, in which everything goes wrong
// that can: two processes follow the log, and both end, and begin, at any moment.
type mess struct {
	*rapid.T
	t       *testing.T
	facts   []event.Recorded
	log     *memlog.Log
	keeper  *spec.Keeper
	dsn     string
	views   *pgxpool.Pool
	told    int // events
	running [2]*followerProcess
	unwound sync.WaitGroup
	seeds   uint64

	comparisons int
	mishaps     map[string]int
}

// followerProcess follows the log until it is told to end, or killed.
type followerProcess struct {
	end   func()
	ended chan struct{}
}

func newMess(t *testing.T, rt *rapid.T, facts []event.Recorded) *mess {
	m := &mess{
		T: rt, t: t, facts: facts, log: memlog.New(), keeper: spec.NewKeeper(), dsn: pgtest.DSN(t),
		seeds: rapid.Uint64().Draw(rt, "seed of the feeds"), mishaps: map[string]int{},
	}
	m.views = m.pool("test")
	return m
}

func (m *mess) pool(of string) *pgxpool.Pool {
	pool, err := postgres.Pool(m.t.Context(), m.dsn+"&pool_max_conns=6&application_name="+of)
	must(m.t, err)
	return pool
}

// happens tells the whole log, in pieces, among mishaps.
func (m *mess) happens() {
	defer m.end()
	for m.told < len(m.facts) {
		m.mishap()
		for range 1 + evenly(m.T, 4, "pieces") {
			m.goesOn(1 + evenly(m.T, 40+len(m.facts)/50, "events"))
			pauseFor(m.t.Context(), time.Duration(evenly(m.T, 15, "ms"))*time.Millisecond)
		}
	}
	m.mishap()
	m.compare()
}

// goesOn appends the next events.
func (m *mess) goesOn(n int) {
	for _, r := range m.facts[m.told:min(m.told+n, len(m.facts))] {
		if r.Type == "person.erased.v1" {
			var gone told
			must(m.t, json.Unmarshal(r.Data, &gone))
			m.keeper.Forget(event.Subject(gone.text("subject"))) // before it is noted
		}
		_, err := m.log.Append(m.t.Context(), r.Stream, event.Expected(r.Revision)-1, event.Proposed{ID: r.ID, Type: r.Type, Data: r.Data, Meta: r.Meta})
		must(m.t, err)
		m.told++
	}
}

func (m *mess) mishap() {
	n := evenly(m.T, len(m.running), "runner")
	what := pick(m.T, "what", "begins", "begins", "begins", "comes along", "comes along", "comes along", "ends", "is killed", "is killed", "is cut off", "is cut off",
		"must rebuild", "must rebuild all", "loses a view", "loses all", "is compared")
	m.mishaps[what]++
	switch what {
	case "begins":
		m.begins(n)
	case "comes along": // so that what follows is heard from the feed
		m.begins(n)
		m.comesAlong()
	case "ends":
		if ended := m.ends(n); ended != nil {
			<-ended
		}
	case "is killed": // and the next one does not wait for its end
		m.ends(n)
		m.begins(n)
	case "is cut off": // from PostgreSQL, in the middle of whatever it does
		m.do(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'runner%'`)
	case "must rebuild":
		m.rebuild(evenly(m.T, len(projections.All()), "view"))
	case "must rebuild all":
		for i := range projections.All() {
			m.rebuild(i)
		}
	case "loses a view":
		m.do("DROP SCHEMA IF EXISTS " + pick(m.T, "view", projections.All()...).Name + " CASCADE")
	case "loses all":
		m.do("DROP SCHEMA IF EXISTS govahi CASCADE")
	case "is compared":
		m.compare()
	}
}

// do is an operator's statement. It may meet the runners' own, and then it is
// done later or not at all.
func (m *mess) do(sql string) {
	_, err := m.views.Exec(m.t.Context(), sql)
	_ = err
}

func (m *mess) rebuild(view int) {
	_ = projections.Rebuild(m.t.Context(), m.views, projections.All()[view].Name) // where there is none yet, it is built anyway
}

func (m *mess) begins(n int) {
	if m.running[n] != nil {
		return
	}
	m.seeds++
	pool, seed := m.pool(fmt.Sprint("runner", n)), m.seeds
	ctx, end := context.WithCancel(m.t.Context())
	runner := projections.NewRunner(projections.Parts{
		Pool: pool, Log: m.log, Keeper: m.keeper, Terms: openSecrets{}, Report: slog.New(slog.DiscardHandler),
		Feed: func(name string) event.Feed { return newRumour(m.log, seed, name) },
	}, projections.All()...)
	ended := make(chan struct{})
	m.unwound.Go(func() { _ = runner.Run(ctx); pool.Close(); close(ended) })
	m.running[n] = &followerProcess{end, ended}
}

// ends tells a process to; it does so in the middle of whatever it does.
func (m *mess) ends(n int) (ended <-chan struct{}) {
	p := m.running[n]
	if p == nil {
		return nil
	}
	p.end()
	m.running[n] = nil
	return p.ended
}

func (m *mess) end() {
	for n := range m.running {
		m.ends(n)
	}
	m.unwound.Wait()
	m.views.Close()
}

// compare waits for the views to be at the log's end, and reads them whole.
func (m *mess) compare() {
	m.Helper()
	n := evenly(m.T, len(m.running), "who goes on")
	if chance(m.T, 50, "alone") {
		m.ends(1 - n) // what he has not done, nobody else does
	}
	m.begins(n)
	m.comesAlong()
	m.comparisons++
	if parked := m.parked(); parked != "" {
		m.Fatalf("parked: %s", parked)
	}
	want := folded(exported(m.t, m.facts[:m.told])).plain()
	if diff := cmp.Diff(want, shown(m.t, m.views)); diff != "" {
		m.Fatalf("after %d events the views show something else than the log (-log +views):\n%s", m.told, diff)
	}
	m.terms(want)
}

// comesAlong waits for the views to be at the log's end.
func (m *mess) comesAlong() {
	m.Helper()
	head, err := m.log.Head(m.t.Context())
	must(m.t, err)
	for late := time.Now().Add(within); !m.current(head); pauseFor(m.t.Context(), 3*time.Millisecond) {
		if time.Now().After(late) {
			m.Fatalf("the views do not come to the log's end, %d: %s", head, m.standing())
		}
	}
}

func (m *mess) current(head event.Position) bool {
	var at int
	err := m.views.QueryRow(m.t.Context(), `SELECT count(*) FROM govahi.checkpoints
		WHERE position = $1 AND version > 0 AND projection !~ '_(next|prev)$' AND to_regnamespace(projection) IS NOT NULL`, int64(head)).Scan(&at)
	return err == nil && at == len(projections.All())
}

func (m *mess) standing() string {
	var all string
	_ = m.views.QueryRow(m.t.Context(), `SELECT string_agg(projection || ' v' || version || '@' || position, ' ') FROM govahi.checkpoints`).Scan(&all)
	return all
}

func (m *mess) parked() string {
	r, err := m.views.Query(m.t.Context(), `SELECT projection || ' ' || type || ' ' || reason FROM govahi.parked WHERE projection !~ '_(next|prev)$'`)
	must(m.t, err)
	all, err := pgx.CollectRows(r, pgx.RowTo[string])
	must(m.t, err)
	return strings.Join(all, ", ")
}

// exported is the log as `govahi log export` prints it.
func exported(t *testing.T, recorded []event.Recorded) (facts []fact) {
	t.Helper()
	for _, r := range recorded {
		f := fact{Position: r.Position, Stream: string(r.Stream), Revision: int(r.Revision), ID: r.ID.String(), Type: r.Type}
		must(t, json.Unmarshal(r.Data, &f.Data))
		must(t, json.Unmarshal(r.Meta, &f.Meta))
		facts = append(facts, f)
	}
	return facts
}

// terms compares the search terms, of which the fold knows only that they are
// there, with what the form says.
func (m *mess) terms(want tables) {
	m.Helper()
	for code, r := range want["requests.requests"] {
		sealed, err := json.Marshal(r["form"])
		must(m.t, err)
		var got [4][]byte
		row := m.views.QueryRow(m.t.Context(), `SELECT person_term, mobile_term, surname_term, last4_term FROM requests.requests WHERE code = $1`, code)
		must(m.t, row.Scan(&got[0], &got[1], &got[2], &got[3]))
		if r["form"] == nil {
			continue
		}
		var form event.Personal[enrollment.Form]
		must(m.t, json.Unmarshal(sealed, &form))
		f, err := form.Open(m.t.Context(), m.keeper)
		must(m.t, err)
		var of openSecrets
		for i, term := range [][]byte{
			of.Term("person", f.PersonCode), of.Term("mobile", f.Mobile), of.Term("surname", iran.NameKey(f.Surname)), of.Term("last4", code+f.Mobile[7:]),
		} {
			if !bytes.Equal(term, got[i]) {
				m.Fatalf("%s cannot be found by its search term %d", code, i)
			}
		}
	}
}

// rumour is a feed that repeats, reorders and forgets, cuts where it likes, keeps
// back what events say, and fails.
type rumour struct {
	log  event.Log
	dice *dice
	past []event.Position // where it once stood
}

func newRumour(log event.Log, seed uint64, name string) *rumour {
	var words uint64
	for _, c := range name {
		words = words*31 + uint64(c)
	}
	return &rumour{log: log, dice: &dice{rand: rand.New(rand.NewPCG(seed, words))}}
}

// Fetch goes on from where it was, at first the log's end, or from somewhere
// before that.
func (r *rumour) Fetch(ctx context.Context, most int) ([]event.Message, error) {
	at, fresh, err := r.hear(ctx)
	if err != nil {
		return nil, err
	}
	lie := r.dice.of(5) // one kind at a time, or nothing of it would be believed
	var messages []event.Message
	for _, e := range fresh {
		m := event.Message{Recorded: e, Previous: at, Ack: func() {}}
		at = e.Position
		if lie == 1 && r.dice.of(10) == 0 {
			m.Data = nil // too large for the feed
		}
		for range r.times(lie) {
			messages = append(messages, m)
		}
	}
	r.past = append(r.past, at)[max(0, len(r.past)-8):]
	if lie == 4 {
		r.shuffle(messages)
	}
	messages = messages[:min(most, len(messages))]
	if r.dice.of(10) == 0 {
		return messages, errLiar
	}
	return messages, nil
}

// hear waits a moment for something to tell.
func (r *rumour) hear(ctx context.Context) (at event.Position, fresh []event.Recorded, err error) {
	if r.past == nil {
		head, err := r.log.Head(ctx)
		if err != nil {
			return 0, nil, err
		}
		r.past = []event.Position{head}
	}
	at = r.past[len(r.past)-1]
	if r.dice.of(4) == 0 {
		at = r.past[r.dice.of(len(r.past))]
	}
	for range 50 {
		fresh, err = event.ReadBatch(ctx, r.log, at, 1+r.dice.of(60))
		if err != nil || len(fresh) > 0 {
			break
		}
		pauseFor(ctx, 2*time.Millisecond)
	}
	return at, fresh, err
}

// times is how often an event is told.
func (r *rumour) times(lie int) int {
	switch {
	case lie == 2 && r.dice.of(10) == 0:
		return 0
	case lie == 3:
		return 1 + r.dice.of(3)
	}
	return 1
}

func (r *rumour) shuffle(messages []event.Message) {
	for i := range messages {
		j := r.dice.of(i + 1)
		messages[i], messages[j] = messages[j], messages[i]
	}
}
