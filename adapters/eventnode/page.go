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
// a revision or position (included) on, up to the durable position limit.
type want struct {
	stream    string
	from      uint64
	backwards bool
	filter    *filter // of all
	limit     uint64
}

// page is what was found.
type page struct {
	want
	records       []record
	loaded, bytes int
	full          bool // there may be more
	err           error
}

// page reads what is wanted.
func (s *store) page(w want) *page {
	p := &page{want: w}
	if w.stream == "" {
		p.err = s.scan([]byte{keyEvent}, eventKey(w.from), w.backwards, func(key, value []byte) (bool, error) {
			r, err := s.decode(binary.BigEndian.Uint64(key[1:]), value, w.filter)
			return p.add(r), err
		})
		return p
	}
	p.err = s.scan(streamPrefix(w.stream), streamKey(w.stream, w.from), w.backwards, func(_, value []byte) (bool, error) {
		e, err := decodeEntry(value)
		if err != nil {
			return false, err
		}
		r, err := s.event(e.position)
		return p.add(r), err
	})
	return p
}

// add takes a record unless it is not yet durable, and asks for the next.
func (p *page) add(r record) bool {
	if r.position > p.limit {
		return p.backwards
	}
	p.records = append(p.records, r)
	if !r.left {
		p.loaded++
		p.bytes += len(r.data) + len(r.meta)
	}
	p.full = p.loaded == pageEvents || p.bytes >= pageBytes || len(p.records) == pageLooked
	return !p.full
}

// next is what stands behind a page; nothing stands before the first event.
func (p *page) next() (w want, more bool) {
	w = p.want
	if len(p.records) == 0 {
		return w, true
	}
	last := p.records[len(p.records)-1]
	at := last.position
	if w.stream != "" {
		at = last.revision
	}
	if w.backwards {
		w.from = at - 1
		return w, at > 0
	}
	w.from = at + 1
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
