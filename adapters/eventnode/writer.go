package eventnode

import (
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// At most so much goes into one Pebble batch, and so into one fsync.
const (
	batchAppends = 1024
	batchBytes   = 8 << 20
)

// anyRevision and streamExists are expectations beside a concrete revision;
// EventStoreDB's own numbers.
const (
	noStream     = -1
	anyRevision  = -2
	streamExists = -4
)

// appending is an append on its way through the writer.
type appending struct {
	stream   string
	expected int64
	ids      []eventID
	records  [][]byte // encoded, to be stamped
	answer   chan answer
}

// answer tells where the stream stands, or stood after the first try of a
// repeated append; wrong says that the expectation was not met.
type answer struct {
	head  head
	wrong bool
	err   error // a gRPC status
}

// writer is the one goroutine that appends: it takes what is queued, checks
// each expectation in turn, commits all with one fsync, and answers. So checks
// need no lock, and many callers share the cost of the disk.
type writer struct {
	store  *store
	queue  chan *appending
	recent recent
	done   chan struct{}
}

func newWriter(s *store) *writer {
	w := &writer{store: s, queue: make(chan *appending, batchAppends), done: make(chan struct{})}
	go w.run()
	return w
}

// close waits until everything queued is answered; nobody may queue any more.
func (w *writer) close() {
	close(w.queue)
	<-w.done
}

func (w *writer) run() {
	defer close(w.done)
	for first := range w.queue {
		group := newGroup(w.store, &w.recent)
		group.place(first)
		w.gather(group)
		group.commit()
	}
}

// gather adds what is queued already; it waits for nobody.
func (w *writer) gather(g *group) {
	for len(g.placed)+len(g.late) < batchAppends && g.batch.Len() < batchBytes {
		select {
		case a, open := <-w.queue:
			if !open {
				return
			}
			g.place(a)
		default:
			return
		}
	}
}

// group is the appends that share one commit.
type group struct {
	store  *store
	recent *recent
	fresh  map[inStream]head // what recent must know after the commit
	batch  *pebble.Batch
	heads  map[string]head // as they will be after the commit
	last   uint64          // position of the last event written
	now    time.Time
	placed []placed
	late   []*appending // judged after the commit: perhaps a repetition of what it holds
	broken error        // the batch cannot be built: nothing of it may be stored
}

type placed struct {
	*appending
	answer
}

func newGroup(s *store, r *recent) *group {
	last, _ := s.tail.now()
	return &group{store: s, recent: r, batch: s.db.NewBatch(), heads: map[string]head{}, last: last, now: time.Now()}
}

// place writes an append into the batch if its expectation is met. An append
// behind the head can never be met any more, it can only be a repetition.
func (g *group) place(a *appending) {
	h, err := g.head(a.stream)
	again, known := g.repeated(a, h)
	switch {
	case err != nil:
		g.settle(a, answer{err: internal(err)})
	case known:
		g.settle(a, again)
	case a.meets(h):
		g.settle(a, answer{head: g.write(a, h)})
	case h.exists && a.expected >= noStream && a.expected < int64(h.revision):
		g.late = append(g.late, a)
	default:
		g.settle(a, answer{head: h, wrong: true})
	}
}

func (g *group) settle(a *appending, result answer) {
	g.placed = append(g.placed, placed{a, result})
}

func (a *appending) meets(h head) bool {
	switch a.expected {
	case anyRevision:
		return true
	case streamExists:
		return h.exists
	case noStream:
		return !h.exists
	}
	return h.exists && int64(h.revision) == a.expected
}

func (g *group) head(stream string) (head, error) {
	if h, ok := g.heads[stream]; ok {
		return h, nil
	}
	return g.store.head(stream)
}

// write gives each event its revision and position. A position is the offset of
// the event's end in an endless file of events: growing, with gaps.
func (g *group) write(a *appending, h head) head {
	for i, value := range a.records {
		if h.exists {
			h.revision++
		}
		g.last += uint64(len(value))
		h.position, h.exists = g.last, true
		stamp(value, h.revision, g.now)
		g.set(eventKey(h.position), value)
		g.set(streamKey(a.stream, h.revision), entry{h.position, a.ids[i]}.encode())
		g.remember(a, a.ids[i], h)
	}
	if len(a.records) > 0 {
		g.heads[a.stream] = h
		g.set(headKey(a.stream), h.encode())
	}
	return h
}

func (g *group) set(key, value []byte) {
	g.broken = errors.Join(g.broken, g.batch.Set(key, value, nil))
}

// commit makes the batch durable, lets readers see it, and answers.
func (g *group) commit() {
	defer g.batch.Close() // frees memory only
	if err := g.persist(); err != nil {
		g.fail(err)
		return
	}
	// Not by whether the batch is empty: Pebble takes a large one away.
	if last, _ := g.store.tail.now(); g.last > last {
		g.store.tail.move(g.last)
		g.recent.add(g.fresh)
	}
	for _, p := range g.placed {
		p.appending.answer <- p.answer
	}
	for _, a := range g.late {
		a.answer <- g.judge(a)
	}
}

// persist writes the batch, unless the disk is full. What it took to a frozen
// disk is nowhere, and neither is what seems a repetition of that.
func (g *group) persist() error {
	switch {
	case g.broken != nil:
		return internal(g.broken)
	case g.store.disk.full():
		return errFull
	case !g.batch.Empty():
		if err := g.batch.Commit(pebble.Sync); err != nil {
			return internal(err)
		}
	}
	if g.store.disk.frozen.Load() {
		return errFull
	}
	return nil
}

func (g *group) fail(err error) {
	for _, p := range g.placed {
		p.appending.answer <- answer{err: err}
	}
	for _, a := range g.late {
		a.answer <- answer{err: err}
	}
}

// judge compares an append with what stands behind its expectation: all the
// same events are the first try's success, anything else is a conflict.
func (g *group) judge(a *appending) answer {
	h, err := g.store.head(a.stream)
	if err != nil {
		return answer{err: internal(err)}
	}
	if len(a.ids) == 0 {
		return answer{head: h}
	}
	stored, err := g.store.entries(a.stream, uint64(a.expected+1), len(a.ids))
	if err != nil {
		return answer{err: internal(err)}
	}
	for i, id := range a.ids {
		if i == len(stored) || stored[i].id != id {
			return answer{head: h, wrong: true}
		}
	}
	last := len(stored) - 1
	return answer{head: head{uint64(a.expected) + uint64(len(stored)), stored[last].position, true}}
}
