package auditor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// fact is an event as it is stored: a name without its version, and JSON.
type fact struct {
	event.Recorded
	name string // such as issued
	data told
}

// told is a JSON object.
type told map[string]any

func factOf(r event.Recorded) fact {
	_, name, _ := strings.Cut(r.Type, ".")
	if cut := strings.LastIndex(name, ".v"); cut >= 0 {
		name = name[:cut]
	}
	f := fact{Recorded: r, name: name}
	if json.Unmarshal(r.Data, &f.data) != nil {
		f.data = told{} // what must stand there will be missed
	}
	return f
}

func (d told) text(name string) string {
	s, _ := d[name].(string)
	return s
}

func (d told) yes(name string) bool { return d[name] == true }

func (d told) number(name string) int64 {
	n, _ := d[name].(float64)
	return int64(n)
}

func (d told) time(name string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, d.text(name))
	return t
}

func (d told) inner(name string) told {
	o, _ := d[name].(map[string]any)
	return o
}

func (d told) bytes(name string) []byte {
	data, _ := base64.StdEncoding.DecodeString(d.text(name))
	return data
}

// facts is a stream, or its beginning.
type facts []fact

// before are those that the log had before another.
func (s facts) before(p event.Position) facts {
	for i, f := range s {
		if f.Position >= p {
			return s[:i]
		}
	}
	return s
}

// all are those of a name.
func (s facts) all(names ...string) (found facts) {
	for _, f := range s {
		for _, name := range names {
			if f.name == name {
				found = append(found, f)
			}
		}
	}
	return found
}

// last is the last of a name; ok if there is one.
func (s facts) last(names ...string) (f fact, ok bool) {
	found := s.all(names...)
	if len(found) == 0 {
		return fact{data: told{}}, false
	}
	return found[len(found)-1], true
}

// read reads a stream as it was when the audit began.
func (r *run) read(ctx context.Context, stream event.Stream) (facts, error) {
	s, err := r.readPresent(ctx, stream)
	return s.before(r.summary.Position + 1), err
}

// readPresent reads a stream as it is now. One that nobody names has no events.
func (r *run) readPresent(ctx context.Context, stream event.Stream) (s facts, err error) {
	if stream.ID() == "" {
		return nil, nil
	}
	for recorded, err := range r.Log.Read(ctx, stream, 0) {
		if err != nil {
			return nil, err
		}
		s = append(s, factOf(recorded))
	}
	return s, nil
}

// cache holds what many certificates cite: appointments, offices, tariffs,
// contracts and officers' certificates. It is emptied when it is full.
type cache struct {
	mu      sync.Mutex
	streams map[event.Stream]facts
}

const cached = 4096

// readOften is read for such streams.
func (r *run) readOften(ctx context.Context, stream event.Stream) (facts, error) {
	r.cache.mu.Lock()
	s, ok := r.cache.streams[stream]
	r.cache.mu.Unlock()
	if ok {
		return s, nil
	}
	s, err := r.read(ctx, stream)
	if err != nil {
		return nil, err
	}
	r.cache.mu.Lock()
	defer r.cache.mu.Unlock()
	if r.cache.streams == nil || len(r.cache.streams) >= cached {
		r.cache.streams = map[event.Stream]facts{}
	}
	r.cache.streams[stream] = s
	return s, nil
}

// errNotSealed says that personal data is not where, or not as, it must be.
var errNotSealed = errors.New("auditor: not sealed for its place")

// der opens the sealed DER in a field of a fact: event.ErrErased if the person
// was, errNotSealed if it does not open as what it says it is. Any other error
// is the vault's.
func (r *run) der(ctx context.Context, f fact, field string) ([]byte, error) {
	p := f.data.inner(field)
	place := event.PlaceOf(f.Stream, f.Type)
	if p.text("place") != place || p.text("subject") == "" {
		return nil, errNotSealed
	}
	plain, err := r.Keeper.Open(ctx, event.Subject(p.text("subject")), place, p.bytes("sealed"))
	switch {
	case errors.Is(err, event.ErrErased):
		return nil, event.ErrErased
	case err != nil && away(err):
		return nil, err
	case err != nil:
		return nil, errNotSealed
	}
	var held told
	if json.Unmarshal(plain, &held) != nil {
		return nil, errNotSealed
	}
	return held.bytes("der"), nil
}

// away tells a vault that does not answer from a text that does not open.
func away(err error) bool {
	f, ok := fault.Of(err)
	return ok && f.Kind == fault.Unavailable || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
