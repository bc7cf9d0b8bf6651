package eventnode

import (
	"cmp"
	"errors"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// At most so much goes into one Pebble batch, and so into one fsync.
const (
	batchAppends = 1024
	batchBytes   = 8 << 20
)

// groupsUnsynced is how far writing may be ahead of a slow disk.
const groupsUnsynced = 64

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
	seen     sighting // where the stream stood before the append was queued
	answer   chan answer
}

// answer tells where the stream stands, or stood after the first try of a
// repeated append; wrong says that the expectation was not met.
type answer struct {
	head  head
	wrong bool
	err   error // a gRPC status
}

// writer appends with two goroutines. The first takes what is queued, checks each
// expectation in turn, and writes: so checks need no lock. The second makes
// durable what the first has written meanwhile, with one fsync, and answers: so
// many callers share the cost of the disk, and nobody waits for it who has
// something to write. It answers in the order of writing, refusals too, which may
// rest on what is not yet durable.
type writer struct {
	store   *store
	queue   chan *appending
	written chan *group
	recent  recent
	heads   *heads
	last    uint64 // position of the last event written
	done    sync.WaitGroup
}

func newWriter(s *store) *writer {
	last, _ := s.tail.now()
	w := &writer{
		store: s, last: last, heads: newHeads(last),
		queue: make(chan *appending, batchAppends), written: make(chan *group, groupsUnsynced),
	}
	w.done.Go(w.write)
	w.done.Go(w.sync)
	return w
}

// close waits until everything queued is answered; nobody may queue any more.
func (w *writer) close() {
	close(w.queue)
	w.done.Wait()
}

func (w *writer) write() {
	defer close(w.written)
	for first := range w.queue {
		group := newGroup(w)
		group.place(first)
		w.gather(group)
		group.apply()
		w.written <- group
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

// sync answers group by group. What it took to a frozen disk is nowhere, and
// neither is what seems a repetition of that.
func (w *writer) sync() {
	for first := range w.written {
		groups := append([]*group{first}, waiting(w.written)...)
		err := w.store.sync(groups)
		for _, g := range groups {
			g.settle(err)
		}
	}
}

// waiting is what can be had from a channel at once.
func waiting[T any](from <-chan T) (all []T) {
	for range len(from) {
		all = append(all, <-from)
	}
	return all
}

// sync makes durable what was written until now, and shows it to readers.
func (s *store) sync(groups []*group) error {
	var last uint64
	for _, g := range groups {
		if g.err == nil && g.wrote {
			last = g.last
		}
	}
	if last > 0 {
		if err := s.db.LogData(nil, pebble.Sync); err != nil {
			return internal(err)
		}
	}
	if s.disk.frozen.Load() {
		return errFull
	}
	if last > 0 {
		s.tail.move(last)
	}
	return nil
}

// group is the appends that are written at once.
type group struct {
	*writer
	fresh  map[inStream]head // what recent must know once this is written
	batch  *pebble.Batch
	after  map[string]head // where its streams will stand
	last   uint64          // position of its last event
	wrote  bool
	now    time.Time
	placed []placed
	late   []*appending // judged when all is written: perhaps a repetition of what the group holds
	err    error        // nothing of it is stored
}

type placed struct {
	*appending
	answer
}

func newGroup(w *writer) *group {
	return &group{writer: w, batch: w.store.db.NewBatch(), after: map[string]head{}, last: w.last, now: time.Now()}
}

// place writes an append into the batch if its expectation is met. An append
// behind the head can never be met any more, it can only be a repetition.
func (g *group) place(a *appending) {
	h, err := g.head(a)
	again, known := g.repeated(a, h)
	switch {
	case err != nil:
		g.answer(a, answer{err: internal(err)})
	case known:
		g.answer(a, again)
	case a.meets(h):
		g.answer(a, answer{head: g.write(a, h)})
	case h.exists && a.expected >= noStream && a.expected < int64(h.revision):
		g.late = append(g.late, a)
	default:
		g.answer(a, answer{head: h, wrong: true})
	}
}

func (g *group) answer(a *appending, result answer) {
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

func (g *group) head(a *appending) (head, error) {
	if h, ok := g.after[a.stream]; ok {
		return h, nil
	}
	if h, ok := g.heads.find(a); ok {
		return h, nil
	}
	return g.store.head(a.stream)
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
		g.after[a.stream], g.wrote = h, true
		g.set(headKey(a.stream), h.encode())
	}
	return h
}

func (g *group) set(key, value []byte) {
	g.err = errors.Join(g.err, g.batch.Set(key, value, nil))
}

// apply writes the batch, unless the disk is full. Readers do not see it yet, but
// whoever appends after it finds it written.
func (g *group) apply() {
	defer g.batch.Close() // frees memory only
	switch {
	case g.err != nil:
		g.err = internal(g.err)
	case g.store.disk.full():
		g.err = errFull
	case g.wrote:
		if err := g.store.db.Apply(g.batch, pebble.NoSync); err != nil {
			g.err = internal(err)
		}
	}
	if g.err != nil {
		return
	}
	g.writer.last = g.last
	g.heads.add(g.after, g.last)
	g.recent.add(g.fresh)
	for _, a := range g.late {
		g.answer(a, g.judge(a))
	}
	g.late = nil
}

// settle answers, when the group is durable or lost.
func (g *group) settle(err error) {
	if err = cmp.Or(g.err, err); err != nil {
		g.fail(err)
		return
	}
	for _, p := range g.placed {
		p.appending.answer <- p.answer
	}
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
