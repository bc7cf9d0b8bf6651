package projections_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/event"
	"govahi/projections"
)

// caught is a log that does something when a view that is built has read what came
// since it was filled, and does not know yet what comes now.
type caught struct {
	event.Log
	up func(ctx context.Context)
}

func (l caught) ReadAll(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for r, err := range l.Log.ReadAll(ctx, after, prefixes...) {
			if !yield(r, err) {
				return
			}
		}
		if len(prefixes) > 0 && after > 0 { // whoever follows reads all there is
			l.up(ctx)
		}
	}
}

// asks is a number out of the views database, -1 if that cannot be asked.
func (h *house) asks(ctx context.Context, sql string, args ...any) (n int64) {
	if h.pool.QueryRow(ctx, sql, args...).Scan(&n) != nil {
		return -1
	}
	return n
}

// TestWhatARebuildHasParkedIsLeftOutOnceItIsSkipped: the operator skips what the
// view in use has parked, which takes up the rest; the rebuild had parked the same
// before, and nobody will ask for that.
func TestWhatARebuildHasParkedIsLeftOutOnceItIsSkipped(t *testing.T) {
	h := newHouse(t, deadFeed)
	const parked = `SELECT count(*) FROM govahi.parked WHERE projection = $1`
	h.runOn(caught{h.log, func(ctx context.Context) {
		for ctx.Err() == nil && h.asks(ctx, parked, "parcels_next") > 0 && h.asks(ctx, parked, "parcels") != 0 {
			rest(ctx, 5*time.Millisecond)
		}
	}}, parcels(1))
	h.shows(h.post("bad", "5", "panic", "7").Position)
	if err := projections.Rebuild(t.Context(), h.pool, "parcels"); err != nil {
		t.Fatal(err)
	}
	h.until("the rebuild has parked it too", func() bool { return h.asks(t.Context(), parked, "parcels_next") > 0 })
	app := &commands.App{Log: h.log, Clock: time.Now}
	if err := app.SkipEvent(t.Context(), "parcels", "parcel-bad", 2, "it was never weighed", "operator"); err != nil {
		t.Fatal(err)
	}
	if _, err := projections.Retry(t.Context(), h.pool, "parcels", ""); err != nil {
		t.Fatal(err)
	}
	h.until("it is built anew", h.inPlace)
	h.until("it was left out", func() bool { return h.asks(t.Context(), parked, "parcels") == 0 })
	if row := h.rows()["parcel-bad"]; row.Grams != 12 {
		t.Errorf("the row is %+v", row)
	}
}

// TestReadersNeverStepBackAtASwap: the view in use may have gone on while the new
// one caught up.
func TestReadersNeverStepBackAtASwap(t *testing.T) {
	h := newHouse(t, deadFeed)
	h.exec(`CREATE TABLE public.stood (n bigserial, position bigint);
		CREATE FUNCTION public.stands() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF NEW.projection = 'parcels' THEN INSERT INTO public.stood (position) VALUES (NEW.position); END IF;
			RETURN NEW;
		END $$`)
	var once sync.Once
	h.runOn(caught{h.log, func(ctx context.Context) {
		if h.asks(ctx, `SELECT count(*) FROM govahi.checkpoints WHERE projection = 'parcels_next' AND position > 0`) != 1 {
			return
		}
		once.Do(func() {
			r, err := h.log.Append(ctx, "parcel-late", event.NoStream, event.Proposed{ID: event.ID{1}, Type: "parcel.weighed.v1", Data: []byte(`{"grams":"1"}`)})
			for err == nil && ctx.Err() == nil && h.asks(ctx, `SELECT position FROM govahi.checkpoints WHERE projection = 'parcels'`) < int64(r.Position) {
				rest(ctx, 5*time.Millisecond)
			}
		})
	}}, parcels(1))
	h.shows(h.postMany(10).Position)
	h.exec(`CREATE TRIGGER stands AFTER UPDATE ON govahi.checkpoints FOR EACH ROW EXECUTE FUNCTION public.stands()`)
	h.rebuilt()
	h.shows(h.postMany(1).Position)
	if one[int](h, `SELECT count(*) FROM public.stood`) < 3 {
		t.Fatal("nothing was seen")
	}
	if one[bool](h, `SELECT EXISTS (SELECT FROM public.stood a JOIN public.stood b ON a.n < b.n AND a.position > b.position)`) {
		t.Error("readers stepped back")
	}
}
