package eventnode

// generation is how many events recent remembers at least.
const generation = 1 << 15

// recent remembers the last events that were appended at any revision. Nothing
// else tells a repetition of such an append; EventStoreDB, too, promises no more
// (event-log §1.10).
type recent struct{ young, old map[inStream]head }

type inStream struct {
	stream string
	id     eventID
}

func (r *recent) find(e inStream) (head, bool) {
	at, known := r.young[e]
	if !known {
		at, known = r.old[e]
	}
	return at, known
}

// add forgets the oldest events in exchange.
func (r *recent) add(events map[inStream]head) {
	for e, at := range events {
		if len(r.young) >= generation || r.young == nil {
			r.young, r.old = map[inStream]head{}, r.young
		}
		r.young[e] = at
	}
}

// anywhere tells an append that does not name its place.
func (a *appending) anywhere() bool { return a.expected == anyRevision || a.expected == streamExists }

// repeated answers an append at any revision whose events are known already.
// Where only some of them are it is a conflict.
func (g *group) repeated(a *appending, h head) (answer, bool) {
	if !a.anywhere() {
		return answer{}, false
	}
	var last head
	for i, id := range a.ids {
		e := inStream{a.stream, id}
		at, known := g.fresh[e]
		if !known {
			at, known = g.recent.find(e)
		}
		if !known {
			return answer{head: h, wrong: true}, i > 0
		}
		last = at
	}
	return answer{head: last}, len(a.ids) > 0
}

// remember keeps an event that was written into the batch, for repeated.
func (g *group) remember(a *appending, id eventID, h head) {
	if !a.anywhere() {
		return
	}
	if g.fresh == nil {
		g.fresh = map[inStream]head{}
	}
	g.fresh[inStream{a.stream, id}] = h
}
