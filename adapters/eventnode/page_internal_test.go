package eventnode

import (
	"log/slog"
	"math"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestNoMoreIsReadThanIsWanted: who asks for the last event alone costs the store
// one event, and not a page of them and the page before it.
func TestNoMoreIsReadThanIsWanted(t *testing.T) {
	s, err := openStore(t.Context(), newDisk(vfs.NewMem(), "data", slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	const all = 2*pageEvents + 10
	for at := range uint64(all) {
		e := record{stream: []byte("sample-1"), kind: []byte("sample"), data: []byte("{}")}.encode()
		if err := s.db.Set(eventKey(at+1), e, pebble.NoSync); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		want
		pages []int // events in each
	}{
		"the last one":   {want{backwards: true, from: all, count: 1}, []int{1}},
		"a few":          {want{from: 1, count: 7}, []int{7}},
		"a page exactly": {want{from: 1, count: pageEvents}, []int{pageEvents}},
		"one more":       {want{from: 1, count: pageEvents + 1}, []int{pageEvents, 1}},
		"whatever comes": {want{from: 1, count: math.MaxUint64}, []int{pageEvents, pageEvents, 10}},
		"more than is":   {want{backwards: true, from: all, count: 2 * all}, []int{pageEvents, pageEvents, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.limit = all
			var pages []int
			reading := ahead{store: s}
			for w, more := c.want, true; more; {
				p := reading.take(w)
				if p.err != nil {
					t.Fatal(p.err)
				}
				pages = append(pages, len(p.found))
				w, more = p.next()
				more = more && p.full
			}
			if reading.page != nil {
				t.Error("another page is being read")
			}
			if !slices.Equal(pages, c.pages) {
				t.Errorf("pages of %v events, not %v", pages, c.pages)
			}
		})
	}
}
