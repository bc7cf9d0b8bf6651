package projections_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"govahi/domain/event"
	"govahi/projections"
)

// Crates are packed, marked, thrown away and packed again; they stand on
// shelves, and belong to owners who may be forgotten.
type (
	packed struct {
		Owner  string                  `json:"owner"`
		Label  string                  `json:"label"`
		Secret *event.Personal[string] `json:"secret,omitempty"`
		At     time.Time               `json:"at"`
	}
	marked struct {
		Label string    `json:"label"`
		Tag   string    `json:"tag"`
		Count int       `json:"count"`
		Raw   []byte    `json:"raw,omitempty"`
		At    time.Time `json:"at"`
	}
	thrown  struct{}
	shelved struct {
		Shelf string `json:"shelf"`
		Taken bool   `json:"taken"` // away from it
		Place int64  `json:"place"`
	}
	forgotten struct {
		Owner string `json:"owner"`
		Times uint64 `json:"times"`
	}
)

func (p packed) Personal() []event.Sealable {
	if p.Secret == nil {
		return nil
	}
	return []event.Sealable{p.Secret}
}

var crate = event.Kind[struct{}]{Category: "crate", Catalog: event.NewCatalog(
	event.Of[packed]("crate.packed.v1"), event.Of[marked]("crate.marked.v1"), event.Of[thrown]("crate.thrown.v1"),
	event.Of[shelved]("crate.shelved.v1"), event.Of[forgotten]("crate.forgotten.v1"),
)}

type crateRow struct {
	ID     string `row:"key"`
	Owner  *string
	Label  string
	Tags   []string
	Count  int
	Total  *int64
	At     time.Time
	Seen   *time.Time
	Raw    []byte          `row:"kept"`
	Secret json.RawMessage `row:"kept"`
}

type shelfRow struct {
	Shelf string `row:"key"`
	Crate string `row:"key"`
	Place int64
}

var (
	crateRows = projections.NewTable[crateRow]("crates", crate.Category)
	shelfRows = projections.NewTable[shelfRow]("shelves", "")
)

func crates(version int) projections.Projection {
	return projections.Projection{
		Name: "parcels", Version: version, // the name for which a house waits
		Tables: `
			CREATE TABLE crates (id text PRIMARY KEY, owner text, label text NOT NULL, tags text[], count integer NOT NULL CHECK (count >= 0),
				total bigint, at timestamptz NOT NULL, seen timestamptz, raw bytea, secret jsonb);
			CREATE TABLE shelves (shelf text, crate text, place bigint NOT NULL, PRIMARY KEY (shelf, crate));
			CREATE INDEX ON crates (owner);`,
		Catalogs: []event.Catalog{crate.Catalog},
		Apply:    applyCrate,
	}
}

func applyCrate(w *projections.Writer, e projections.Event) {
	id := e.Stream.ID()
	switch is := e.Is.(type) {
	case packed:
		crateRows.Insert(w, crateRow{ID: id, Owner: &is.Owner, Label: is.Label, At: is.At, Secret: projections.Column(is.Secret)})
	case marked:
		r := crateRows.Change(w, id)
		r.Label, r.Count, r.Seen = is.Label, is.Count, &is.At
		if r.Tags = append(r.Tags, is.Tag); is.Raw != nil {
			r.Raw = is.Raw
		}
		if r.Total == nil {
			r.Total = new(int64)
		}
		*r.Total += int64(is.Count)
	case thrown:
		crateRows.Delete(w, id)
	case shelved:
		if is.Taken {
			shelfRows.Delete(w, is.Shelf, id)
			return
		}
		if r := shelfRows.Find(w, is.Shelf, id); r != nil {
			r.Place += is.Place
			return
		}
		shelfRows.Put(w, shelfRow{Shelf: is.Shelf, Crate: id, Place: is.Place})
	case forgotten:
		w.Exec(`UPDATE crates SET label = '', secret = NULL WHERE owner = $1 AND $2::bigint >= 0`, is.Owner, is.Times)
	}
}

// foldedCrates is what the tables must show, by a plain walk over the log.
func (h *house) foldedCrates() (crates map[string]crateRow, shelves map[[2]string]int64) {
	h.Helper()
	crates, shelves = map[string]crateRow{}, map[[2]string]int64{}
	for r, err := range h.log.ReadAll(h.Context(), 0) {
		if err != nil {
			h.Fatal(err)
		}
		e, err := crate.Catalog.Open(r)
		if err != nil {
			h.Fatal(err)
		}
		id := r.Stream.ID()
		row, known := crates[id]
		switch is := e.(type) {
		case packed:
			crates[id] = crateRow{ID: id, Owner: &is.Owner, Label: is.Label, At: is.At, Secret: plain(h, projections.Column(is.Secret))}
		case marked:
			if !known {
				continue
			}
			total := int64(is.Count)
			if row.Total != nil {
				total += *row.Total
			}
			row.Label, row.Count, row.Seen, row.Total = is.Label, is.Count, &is.At, &total
			if row.Tags = append(slices.Clone(row.Tags), is.Tag); is.Raw != nil {
				row.Raw = is.Raw
			}
			crates[id] = row
		case thrown:
			delete(crates, id)
		case shelved:
			if at := [2]string{is.Shelf, id}; is.Taken {
				delete(shelves, at)
			} else {
				shelves[at] += is.Place
			}
		case forgotten:
			for id, row := range crates {
				if *row.Owner == is.Owner {
					row.Label, row.Secret = "", nil
					crates[id] = row
				}
			}
		}
	}
	return crates, shelves
}

func (h *house) tellsOfCrates() {
	h.Helper()
	wantCrates, wantShelves := h.foldedCrates()
	found, _ := h.pool.Query(h.Context(), `SELECT id, owner, label, tags, count, total, at, seen, raw, secret FROM parcels.crates`)
	rows, err := pgx.CollectRows(found, pgx.RowToStructByPos[crateRow])
	if err != nil {
		h.Fatal(err)
	}
	crates := map[string]crateRow{}
	for _, r := range rows {
		r.Secret = plain(h, r.Secret)
		crates[r.ID] = r
	}
	found, _ = h.pool.Query(h.Context(), `SELECT shelf, crate, place FROM parcels.shelves`)
	places, err := pgx.CollectRows(found, pgx.RowToStructByPos[shelfRow])
	if err != nil {
		h.Fatal(err)
	}
	shelves := map[[2]string]int64{}
	for _, r := range places {
		shelves[[2]string{r.Shelf, r.Crate}] = r.Place
	}
	if diff := cmp.Diff(wantCrates, crates); diff != "" {
		h.Fatalf("the crates are not what the log tells (-log +table):\n%s", diff)
	}
	if diff := cmp.Diff(wantShelves, shelves); diff != "" {
		h.Fatalf("the shelves are not what the log tells (-log +table):\n%s", diff)
	}
}

// plain is JSON in one order of names, as jsonb keeps none.
func plain(h *house, text json.RawMessage) []byte {
	h.Helper()
	if text == nil {
		return nil
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		h.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		h.Fatal(err)
	}
	return out
}

// pack appends events to a crate's stream.
func (h *house) pack(id string, events ...event.Event) event.Receipt {
	h.Helper()
	at := event.NoStream
	for _, err := range h.log.Read(h.Context(), crate.Stream(id), 0) {
		if err != nil {
			h.Fatal(err)
		}
		at++
	}
	meta := event.Meta{CommandID: fmt.Sprint(id, at), Actor: "clerk"}
	proposed, err := crate.Encode(h.Context(), h.keeper, crate.Stream(id), meta, events)
	if err != nil {
		h.Fatal(err)
	}
	receipt, err := h.log.Append(h.Context(), crate.Stream(id), at, proposed...)
	if err != nil {
		h.Fatal(err)
	}
	return receipt
}

var labels = []string{"", "plain", `a "quoted" one`, `back\slash`, "{braces},commas", "NULL", "جعبه", " spaces "}

// anything is an event of a crate that is there, or of one that is not.
func anything(dice *rand.Rand, id string, there bool) event.Event {
	label, at := labels[dice.IntN(len(labels))], noon.Add(time.Duration(dice.IntN(1e6))*time.Microsecond)
	switch n := dice.IntN(12); {
	case n == 0:
		return forgotten{Owner: fmt.Sprint("owner-", dice.IntN(3))}
	case n < 4:
		return shelved{Shelf: fmt.Sprint(dice.IntN(3)), Taken: n == 1, Place: dice.Int64N(9)}
	case there && n == 4:
		return thrown{}
	case there || n == 5:
		return marked{Label: label, Tag: label, Count: dice.IntN(9), Raw: [][]byte{nil, {}, {0, 1, 2}}[dice.IntN(3)], At: at}
	}
	p := packed{Owner: fmt.Sprint("owner-", dice.IntN(3)), Label: label, At: at}
	if dice.IntN(2) == 0 {
		p.Secret = event.About(event.Subject("s-"+id), "a secret of "+id)
	}
	return p
}

// TestRowsTellTheLog appends random histories while the view follows, restarts
// and is rebuilt, through a feed that repeats, reorders and loses.
func TestRowsTellTheLog(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			h, dice := newHouse(t, wildFeed), rand.New(rand.NewPCG(seed, 1))
			there, version, last := map[string]bool{}, 1, event.Receipt{}
			_, stop := h.run(crates(version))
			for range 300 {
				id := fmt.Sprint(dice.IntN(12))
				e := anything(dice, id, there[id])
				switch e.(type) {
				case packed:
					there[id] = true
				case thrown:
					there[id] = false
				}
				last = h.pack(id, e)
				switch dice.IntN(40) {
				case 0:
					stop()
					if dice.IntN(2) == 0 {
						version++
					}
					_, stop = h.run(crates(version))
				case 1:
					h.shows(last.Position)
				}
			}
			h.until("all of it", func() bool {
				var at int64
				err := h.pool.QueryRow(h.Context(), `SELECT position FROM govahi.checkpoints WHERE projection = 'parcels' AND version = $1`, version).Scan(&at)
				return err == nil && at == int64(last.Position)
			})
			h.tellsOfCrates()
			if n := one[int64](h, `SELECT count(*) FROM govahi.parked`); n != 0 {
				t.Errorf("%d events were parked", n)
			}
		})
	}
}

// TestARowThatPostgresRefusesIsItsEventsFaultAlone: all of it comes in one batch.
func TestARowThatPostgresRefusesIsItsEventsFaultAlone(t *testing.T) {
	for name, c := range map[string]struct {
		poison event.Event
		reason string
	}{
		"a twin":                        {packed{}, "sqlstate 23505 crates crates_pkey"},
		"a constraint":                  {marked{Count: -1}, "sqlstate 23514 crates crates_count_check"},
		"NUL":                           {marked{Label: "a\x00b"}, "sqlstate 22021"},
		"NUL in a key":                  {shelved{Shelf: "a\x00b"}, "sqlstate 22021"},
		"NUL in an array":               {marked{Tag: "a\x00b"}, "sqlstate 22021"},
		"a number too big":              {marked{Count: 1 << 40}, "sqlstate 22003"},
		"an argument that does not fit": {forgotten{Owner: "nobody", Times: math.MaxUint64}, "*"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, deadFeed)
			for i := range 40 {
				h.pack(fmt.Sprint(i), packed{Label: "good"}, marked{Label: "marked", Count: 1})
			}
			h.pack("20", c.poison)
			h.pack("20", shelved{Shelf: "behind"})
			h.pack("21", marked{Label: "later", Count: 1})
			last := h.pack("new", packed{Label: "good"})
			h.run(crates(1))
			h.shows(last.Position)
			h.same("labels", `SELECT string_agg(label, ' ' ORDER BY id) FROM parcels.crates WHERE id IN ('19', '20', '21', 'new')`, "marked marked later good")
			reasons := one[[]string](h, `SELECT array_agg(reason ORDER BY position) FROM govahi.parked`)
			if want := []string{c.reason, "behind-a-parked-event"}; !strings.HasPrefix(reasons[0], want[0]) || !slices.Equal(reasons[1:], want[1:]) {
				t.Errorf("parked %v, want %v", reasons, want)
			}
		})
	}
}

func (h *house) same(what, sql, want string) {
	h.Helper()
	if got := one[string](h, sql); got != want {
		h.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestTwoTablesAreWrittenAllOrNothing, although the batch needs no transaction
// of its own.
func TestTwoTablesAreWrittenAllOrNothing(t *testing.T) {
	h := newHouse(t, deadFeed)
	_, stop := h.run(crates(1))
	h.shows(h.pack("a", packed{Label: "good"}).Position)
	stop()
	h.exec(`ALTER TABLE parcels.shelves ADD CHECK (place < 5)`)
	last := h.pack("b", packed{Label: "good"}, shelved{Shelf: "1", Place: 9}, marked{Label: "never"})
	h.run(crates(1))
	h.shows(last.Position)
	h.same("crates", `SELECT string_agg(id || ':' || label, ' ' ORDER BY id) FROM parcels.crates`, "a:good b:good")
	h.same("parked", `SELECT string_agg(type, ' ' ORDER BY position) FROM govahi.parked`, "crate.shelved.v1 crate.marked.v1")
}
