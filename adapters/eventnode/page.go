package eventnode

import "encoding/binary"

// A page is what a reader takes from the store at once: it is small, because a
// slow reader must not hold Pebble's files open.
const (
	pageEvents = 512
	pageBytes  = 1 << 20
	pageLooked = 8 * pageEvents // with those that a filter leaves out
)

// want is what a reader asks for: of one stream, or of all if that is empty, from
// a revision or position (included) on, up to the durable position limit, at most
// so many events.
type want struct {
	stream    string
	from      uint64
	count     uint64
	backwards bool
	textIDs   bool
	filter    *filter // of all
	limit     uint64
}

// page is what was found.
type page struct {
	want
	found  []found
	looked []uint64 // positions, also of what a filter left out
	last   uint64   // position or revision, also if it was left out
	bytes  int
	full   bool // there may be more
	err    error
}

// found is an event as it is sent.
type found struct {
	position uint64
	written  written
}

// page reads what is wanted.
func (s *store) page(w want) *page {
	p := &page{want: w}
	if w.stream == "" {
		p.err = s.scan([]byte{keyEvent}, eventKey(w.from), w.backwards, func(key, value []byte) (bool, error) {
			r, err := s.decode(binary.BigEndian.Uint64(key[1:]), value, w.filter)
			return err == nil && p.add(r, r.position), err
		})
		return p
	}
	p.err = s.scan(streamPrefix(w.stream), streamKey(w.stream, w.from), w.backwards, func(_, value []byte) (more bool, err error) {
		e, err := decodeEntry(value)
		if err == nil {
			err = s.event(e.position, func(r record) { more = p.add(r, r.revision) })
		}
		return more, err
	})
	return p
}

// add takes a record unless it is not yet durable, and asks for the next.
func (p *page) add(r record, at uint64) bool {
	if r.position > p.limit {
		return p.backwards
	}
	p.last, p.looked = at, append(p.looked, r.position)
	if !r.left {
		f := found{r.position, r.written(p.textIDs)}
		p.found = append(p.found, f)
		p.bytes += len(f.written)
	}
	p.full = uint64(len(p.found)) == min(p.count, pageEvents) || p.bytes >= pageBytes || len(p.looked) == pageLooked
	return !p.full
}

// next is what stands behind a page, as far as it is wanted; nothing stands before
// the first event.
func (p *page) next() (w want, more bool) {
	w = p.want
	w.count -= uint64(len(p.found))
	switch {
	case w.count == 0:
		return w, false
	case len(p.looked) == 0:
		return w, true
	case w.backwards:
		w.from = p.last - 1
		return w, p.last > 0
	}
	w.from = p.last + 1
	return w, true
}

// ahead reads pages, each while the one before is sent.
type ahead struct {
	store *store
	page  chan *page // one that is being read; nil if none is
}

// take is the page that is wanted. The next one is begun, if it will be; few
// readers want more than one.
func (a *ahead) take(w want) *page {
	p := a.await()
	if p == nil {
		p = a.store.page(w)
	}
	if next, more := p.next(); p.err == nil && p.full && more {
		coming := make(chan *page, 1)
		a.page = coming
		go func() { coming <- a.store.page(next) }()
	}
	return p
}

// await ends what was begun: the store may be closed after that.
func (a *ahead) await() (p *page) {
	if a.page != nil {
		p, a.page = <-a.page, nil
	}
	return p
}
