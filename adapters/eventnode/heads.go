package eventnode

import (
	"maps"
	"sync/atomic"
)

// headsKept is how many streams a generation of heads holds: more than may be
// written while an append waits in the queue.
const headsKept = 4 * batchAppends

// heads are where the streams stand that were written last. With them, what a
// caller's goroutine has seen of a stream before it queued an append is still
// good when the writer comes to it: either nothing was written to that stream
// since, or it is here. So looking up a new stream, which takes Pebble longer
// than everything else that the writer does, is not the one writer's work.
type heads struct {
	young, old         map[string]head
	youngFrom, oldFrom uint64        // what was written after these positions is there
	written            atomic.Uint64 // position of the last event written
}

// sighting is where a stream stood when the log was written up to a position, or
// a little later.
type sighting struct {
	head
	at uint64
}

func newHeads(last uint64) *heads {
	h := &heads{young: map[string]head{}, youngFrom: last, oldFrom: last}
	h.written.Store(last)
	return h
}

// look is for any goroutine.
func (w *writer) look(stream string) (sighting, error) {
	at := w.heads.written.Load() // first: what is seen must not be older
	h, err := w.store.head(stream)
	return sighting{h, at}, err
}

// find is for the writer alone.
func (h *heads) find(a *appending) (head, bool) {
	if known, ok := h.young[a.stream]; ok {
		return known, true
	}
	if known, ok := h.old[a.stream]; ok {
		return known, true
	}
	return a.seen.head, a.seen.at >= h.oldFrom
}

// add takes what was written up to a position, and forgets the oldest in exchange.
func (h *heads) add(after map[string]head, last uint64) {
	if len(h.young) >= headsKept {
		h.old, h.oldFrom = h.young, h.youngFrom
		h.young, h.youngFrom = map[string]head{}, h.written.Load()
	}
	maps.Copy(h.young, after)
	h.written.Store(last)
}
