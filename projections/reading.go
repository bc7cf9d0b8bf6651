package projections

import (
	"context"
	"iter"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"govahi/domain/event"
)

// portionSize is how many events are read before they are passed on; the first are
// fewer, so that there is soon something to do.
const (
	portionSize  = 2000
	firstPortion = 250
)

// portion is a stretch of the log as the views get it.
type portion struct {
	told    []told
	decoded *sync.WaitGroup
	after   event.Position // nothing of it is missing from here …
	upto    event.Position // … to here
	anchor  string         // of the event there, if it is known
	end     bool           // the log had no more
	err     error          // it broke off
}

// of are the events of some types after a position.
func (p portion) of(prefixes []string, after event.Position) (some []told) {
	p.decoded.Wait()
	for _, e := range p.told {
		if e.Position > after && begins(e.Type, prefixes) {
			some = append(some, e)
		}
	}
	return some
}

func begins(kind string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(kind, p) })
}

// reading reads the log once for all views that are being built, and decodes
// each event once. It goes as fast as the slowest of them, and holds a few
// portions. Who joins while it goes on makes it begin anew where he stands: the
// others wait until he is where they are.
type reading struct {
	log     event.Log
	mu      sync.Mutex
	readers []*reader
	stop    func()         // ends the present walk through the log; nil while nobody reads
	walks   sync.WaitGroup // the goroutine that reads, while there are readers
}

// reader is a view that reads.
type reader struct {
	catalogs []event.Catalog
	at       event.Position // what was passed on to it
	portions chan portion
}

// after yields the log after a position, as far as types of the catalogs are
// concerned, up to its present end.
func (r *reading) after(ctx context.Context, catalogs []event.Catalog, at event.Position) iter.Seq2[portion, error] {
	return func(yield func(portion, error) bool) {
		me := &reader{catalogs: catalogs, at: at, portions: make(chan portion, 1)}
		r.join(ctx, me)
		defer r.leave(me)
		for {
			select {
			case <-ctx.Done():
				yield(portion{}, ctx.Err())
				return
			case p := <-me.portions:
				if !yield(p, p.err) || p.end {
					return
				}
			}
		}
	}
}

func (r *reading) join(ctx context.Context, me *reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readers = append(r.readers, me)
	if r.stop != nil {
		r.stop()
		return
	}
	r.stop = func() {}
	r.walks.Go(func() { r.run(context.WithoutCancel(ctx)) })
}

// leave ends the walk that was for this reader, too: it may wait for him, or be
// where only he has to be.
func (r *reading) leave(me *reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dismiss(me) {
		r.stop()
	}
}

// dismiss takes a reader off the list, if it is on it. The lock is held.
func (r *reading) dismiss(one *reader) bool {
	n := slices.Index(r.readers, one)
	if n >= 0 {
		r.readers = slices.Delete(r.readers, n, n+1)
	}
	return n >= 0
}

// run reads while there are readers.
func (r *reading) run(ctx context.Context) {
	for {
		walking, stop := context.WithCancel(ctx)
		readers := r.begin(stop)
		if len(readers) == 0 {
			stop()
			return
		}
		if err := r.walk(walking, readers); err != nil && walking.Err() == nil {
			r.pass(walking, portion{decoded: &sync.WaitGroup{}, upto: math.MaxUint64, end: true, err: err}, readers)
		}
		stop()
	}
}

// begin says for whom a walk through the log is, and lets it be stopped.
func (r *reading) begin(stop func()) []*reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop = stop
	if len(r.readers) == 0 {
		r.stop = nil
	}
	return slices.Clone(r.readers)
}

// walk goes through the log from where the hindmost reader stands, to its end or
// until it is stopped. The head tells how far the end is from the last event of
// the readers' types.
func (r *reading) walk(ctx context.Context, readers []*reader) error {
	at, catalogs, prefixes := whatFor(readers)
	head, err := r.log.Head(ctx)
	if err != nil {
		return err
	}
	var events []event.Recorded
	size := firstPortion
	for e, err := range r.log.ReadAll(ctx, at, prefixes...) {
		if err != nil {
			return err
		}
		if events = append(events, e); len(events) == size {
			if !r.pass(ctx, portion{after: at, upto: e.Position}.decode(events, catalogs), readers) {
				return nil
			}
			size = min(2*size, portionSize)
			at, events = e.Position, make([]event.Recorded, 0, size)
		}
	}
	last := portion{after: at, upto: max(at, head), end: true}
	if len(events) > 0 {
		last.upto = max(last.upto, events[len(events)-1].Position)
	}
	r.pass(ctx, last.decode(events, catalogs), readers)
	return nil
}

// whatFor is where the hindmost reader stands, and the catalogs of all.
func whatFor(readers []*reader) (at event.Position, catalogs map[string]event.Catalog, prefixes []string) {
	at = readers[0].at
	var all []event.Catalog
	for _, one := range readers {
		at, all = min(at, one.at), append(all, one.catalogs...)
	}
	catalogs, prefixes = together(all)
	return at, catalogs, prefixes
}

// pass hands a portion on to those who do not have it. If the walk is stopped
// meanwhile, some may lack it, and must not be given a later one.
func (r *reading) pass(ctx context.Context, p portion, readers []*reader) bool {
	for _, one := range readers {
		if one.at > p.upto || one.at == p.upto && !p.end {
			continue
		}
		select {
		case one.portions <- p:
			one.at = p.upto
		case <-ctx.Done():
			return false
		}
		if p.end {
			r.mu.Lock()
			r.dismiss(one)
			r.mu.Unlock()
		}
	}
	return true
}

// together are catalogs by their prefixes, and these.
func together(all []event.Catalog) (catalogs map[string]event.Catalog, prefixes []string) {
	catalogs = map[string]event.Catalog{}
	for _, c := range all {
		if _, known := catalogs[c.Prefix()]; !known {
			catalogs[c.Prefix()] = c
			prefixes = append(prefixes, c.Prefix())
		}
	}
	return catalogs, prefixes
}

// decode begins to open the events, on all cores, those that have a catalog.
func (p portion) decode(events []event.Recorded, catalogs map[string]event.Catalog) portion {
	p.told, p.decoded = make([]told, len(events)), &sync.WaitGroup{}
	share := max(len(events)/runtime.GOMAXPROCS(0), 100)
	for from := 0; from < len(events); from += share {
		to := min(from+share, len(events))
		p.decoded.Go(func() {
			for i, r := range events[from:to] {
				p.told[from+i] = open(catalogs, r)
			}
		})
	}
	return p
}
