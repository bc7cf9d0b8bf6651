package projections

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/postgres/pgtest"
	"govahi/commands/memlog"
	"govahi/domain/event"
)

// Beads are strung, counted, cut off, and bleached by colour.
type (
	strung struct {
		Colour string `json:"colour"`
		Over   bool   `json:"over"` // whatever is there
		Note   []byte `json:"note"`
	}
	counted struct {
		More int64  `json:"more"`
		Tag  string `json:"tag"`
	}
	knotted struct {
		Place  string `json:"place"`
		Untied bool   `json:"untied"`
	}
	cut      struct{}
	bleached struct {
		Colour string `json:"colour"`
	}
	broken struct {
		How string `json:"how"`
	}
)

var bead = event.Kind[struct{}]{Category: "bead", Catalog: event.NewCatalog(
	event.Of[strung]("bead.strung.v1"), event.Of[counted]("bead.counted.v1"), event.Of[knotted]("bead.knotted.v1"),
	event.Of[cut]("bead.cut.v1"), event.Of[bleached]("bead.bleached.v1"), event.Of[broken]("bead.broken.v1"),
)}

type beadRow struct {
	ID     string `row:"key"`
	Colour string
	Sum    *int64
	Tags   []string
	Note   []byte `row:"kept"`
}

type knotRow struct {
	Place string `row:"key"`
	Bead  string `row:"key"`
	Times int64
}

var (
	beadRows = NewTable[beadRow]("beads", bead.Category)
	knotRows = NewTable[knotRow]("knots", "")
)

// beads has them in tables; hold is called before an event breaks.
func beads(hold func()) Projection {
	return Projection{
		Name: "beads", Version: 1, Catalogs: []event.Catalog{bead.Catalog},
		Tables: `
			CREATE TABLE beads (id text PRIMARY KEY, colour text NOT NULL, sum bigint, tags text[], note bytea);
			CREATE TABLE knots (place text, bead text, times bigint NOT NULL CHECK (times < 1000), PRIMARY KEY (place, bead));`,
		Apply: func(w *Writer, e Event) { applyBead(w, e, hold) },
	}
}

func applyBead(w *Writer, e Event, hold func()) {
	id := e.Stream.ID()
	switch is := e.Is.(type) {
	case strung:
		row := beadRow{ID: id, Colour: is.Colour, Tags: []string{}, Note: is.Note}
		if is.Over {
			beadRows.Put(w, row)
		} else {
			beadRows.Insert(w, row)
		}
	case counted:
		r := beadRows.Change(w, id)
		if r.Sum == nil {
			r.Sum = new(int64)
		}
		*r.Sum += is.More
		r.Tags = append(slices.DeleteFunc(r.Tags, func(tag string) bool { return tag == is.Tag }), is.Tag)
	case knotted:
		if is.Untied {
			knotRows.Delete(w, is.Place, id)
		} else if r := knotRows.Find(w, is.Place, id); r != nil {
			r.Times++
		} else {
			knotRows.Insert(w, knotRow{is.Place, id, 1})
		}
	case cut:
		beadRows.Delete(w, id)
	case bleached:
		w.Exec(`UPDATE beads SET colour = colour || '-', note = NULL WHERE colour LIKE $1 || '%'`, is.Colour)
	case broken:
		hold()
		breakBead(w, id, is.How)
	}
}

func breakBead(w *Writer, id, how string) {
	switch how {
	case "panic":
		panic(how)
	case "statement":
		w.Exec(`SELECT 1 / 0`)
	default:
		knotRows.Put(w, knotRow{how, id, 1000})
	}
}

// abacus is a view of beads, and the log that it is of.
type abacus struct {
	*testing.T
	*overlap
	log  event.Log
	all  []event.Recorded
	next map[string]uint64 // revision
}

func newAbacus(t *testing.T, hold func()) *abacus {
	t.Helper()
	pool, log := pgtest.Pool(t), memlog.New()
	parts := Parts{
		Pool: pool, Log: log, Feed: func(string) event.Feed { return nil }, Report: slog.New(slog.DiscardHandler),
	}
	v := newView(parts, beads(hold), &reading{log: log}, newPassing(pool))
	if err := v.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &abacus{T: t, overlap: &overlap{view: v}, log: log, next: map[string]uint64{}}
}

// tell appends events of a bead.
func (a *abacus) tell(id string, events ...event.Event) {
	a.Helper()
	stream := bead.Stream(id)
	proposed, err := bead.Encode(a.Context(), nil, stream, event.Meta{CommandID: fmt.Sprint(len(a.all)), At: time.Now()}, events)
	if err != nil {
		a.Fatal(err)
	}
	at := event.NoStream
	if n := a.next[id]; n > 0 {
		at = event.Expected(n - 1)
	}
	if _, err := a.log.Append(a.Context(), stream, at, proposed...); err != nil {
		a.Fatal(err)
	}
	a.next[id] += uint64(len(events))
	a.all = nil
	for r, err := range a.log.ReadAll(a.Context(), 0) {
		if err != nil {
			a.Fatal(err)
		}
		a.all = append(a.all, r)
	}
}

// bring takes the log's events from one on up to another as a portion.
func (a *abacus) bring(from, to int) {
	a.Helper()
	p := portion{upto: a.all[to-1].Position}
	if from > 0 {
		p.after = a.all[from-1].Position
	}
	if err := a.take(a.Context(), p.decode(a.all[from:to], a.catalogs)); err != nil {
		a.Fatal(err)
	}
}

func (a *abacus) end() {
	a.Helper()
	if _, err := a.finish(a.Context()); err != nil {
		a.Fatal(err)
	}
}

// tables are the beads, the knots and what is parked, line by line.
func (a *abacus) tables() []string {
	a.Helper()
	rows, _ := a.Pool.Query(a.Context(), `
		SELECT format('%s %s %s %s %s', id, colour, sum, tags, note) FROM beads.beads UNION ALL
		SELECT format('%s %s %s', place, bead, times) FROM beads.knots UNION ALL
		SELECT format('parked %s', position) FROM govahi.parked UNION ALL
		SELECT format('at %s, %s events', position, events) FROM govahi.checkpoints ORDER BY 1`)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		a.Fatal(err)
	}
	return lines
}

// TestPortionsAreAsOneAfterTheOther: however the log is cut, what portions change
// and break is what single events do.
func TestPortionsAreAsOneAfterTheOther(t *testing.T) {
	for range 6 {
		seed := uint64(time.Now().UnixNano())
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 0))
			alone, abreast := newAbacus(t, func() {}), newAbacus(t, func() {})
			threadBeads(alone, dice)
			abreast.all = alone.all
			for n := range alone.all {
				alone.bring(n, n+1)
				alone.end()
			}
			for from, to := 0, 0; to < len(abreast.all); from = to {
				to = min(from+1+dice.IntN(12), len(abreast.all))
				abreast.bring(max(0, from-dice.IntN(3)), to)
			}
			abreast.end()
			if diff := cmp.Diff(alone.tables(), abreast.tables()); diff != "" {
				t.Errorf("portions are not as single events (-single +portions):\n%s", diff)
			}
		})
	}
}

// threadBeads tells of beads that come, go and break.
func threadBeads(a *abacus, dice *rand.Rand) {
	there := map[string]bool{}
	colours := []string{"red", "blue"}
	for n := range 120 {
		id := fmt.Sprint(n/30*4 + dice.IntN(6)) // older ones are done with
		colour := colours[dice.IntN(2)]
		switch k := dice.IntN(20); {
		case k == 0:
			a.tell(id, bleached{colour})
		case k == 1 && dice.IntN(2) == 0:
			a.tell(id, broken{[]string{"panic", "statement", "row"}[dice.IntN(3)]})
		case k < 6:
			a.tell(id, knotted{Place: fmt.Sprint(dice.IntN(2)), Untied: k == 2})
		case k == 6 && there[id]:
			a.tell(id, cut{})
			there[id] = false
		case !there[id]:
			a.tell(id, strung{Colour: colour, Over: dice.IntN(2) == 0, Note: []byte(fmt.Sprint("note ", n))})
			there[id] = true
		case k == 7:
			a.tell(id, strung{Colour: colour, Over: true, Note: []byte(fmt.Sprint("over ", n))})
		default:
			a.tell(id, counted{More: dice.Int64N(9), Tag: fmt.Sprint(dice.IntN(3))})
		}
	}
}

// TestAStatementIsSeenByRowsOfThePortionBefore, which are in memory as they were:
// what was erased must not come back.
func TestAStatementIsSeenByRowsOfThePortionBefore(t *testing.T) {
	a := newAbacus(t, func() {})
	a.tell("1", strung{Colour: "red", Note: []byte("secret")})
	a.tell("2", bleached{Colour: "red"})
	a.tell("1", counted{More: 1, Tag: "x"})
	a.bring(0, 1)
	a.bring(1, 3)
	a.end()
	if got, want := a.tables(), "1 red- 1 {x} "; !slices.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestARowOnItsWayIsNotChanged: the portion after it may come to nothing, and be
// applied again.
func TestARowOnItsWayIsNotChanged(t *testing.T) {
	var letGo func()
	a := newAbacus(t, func() { letGo() })
	a.tell("1", strung{Colour: "red"}, counted{More: 1, Tag: "x"}, counted{More: 2, Tag: "y"})
	a.tell("1", counted{More: 10, Tag: "x"})
	a.tell("2", broken{"panic"})
	letGo = sync.OnceFunc(holdAll(t, a.Pool)) // so that nothing is written
	a.bring(0, 3)
	a.bring(3, 5)
	a.end()
	if got, want := a.tables(), "1 red 13 {y,x} "; !slices.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// holdAll takes all connections.
func holdAll(t *testing.T, pool *pgxpool.Pool) (release func()) {
	t.Helper()
	var held []*pgxpool.Conn
	for range pool.Config().MaxConns {
		conn, err := pool.Acquire(context.WithoutCancel(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	return func() {
		for _, conn := range held {
			conn.Release()
		}
	}
}
