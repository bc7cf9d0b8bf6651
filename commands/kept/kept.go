// Package kept holds in memory what streams say that much is decided by and
// little is written to: who holds a post, whose licence runs, how an issuer ended.
// Nothing is taken on trust: before it is used, one look at the log, which all
// who ask at the moment share, tells what was written since.
package kept

import (
	"context"
	"sync"
	"time"

	"govahi/domain/event"
)

const (
	apart  = 5 * time.Millisecond // looks begin no sooner after each other: so many share one
	within = 10 * time.Second     // a look that takes longer has failed
	while  = time.Minute          // what was not looked at for longer is not caught up with
	most   = 4096                 // states that are held
)

// Streams are the states that are held. They are safe for concurrent use.
type Streams struct {
	log   event.Log
	names []string

	turn sync.Mutex // of who looks
	last time.Time  // when the last look ended

	mu      sync.Mutex
	next    *look // that has not begun
	begun   bool  // there was a look
	at      event.Position
	changes int // that were seen
	states  map[event.Stream]any
}

// look is one question to the log, for all who came before it began.
type look struct {
	done chan struct{}
	err  error
}

// New holds states that change by events whose stored names begin so, and by no
// others.
func New(log event.Log, names ...string) *Streams {
	return &Streams{log: log, names: names, states: map[event.Stream]any{}}
}

// Fresh lets go of every state that was written to before it was called. It fails
// as the log does.
func (s *Streams) Fresh(ctx context.Context) error {
	s.mu.Lock()
	l := s.next
	if l == nil {
		l = &look{done: make(chan struct{})}
		s.next = l
		go s.take(l)
	}
	s.mu.Unlock()
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take looks when the one before is done. Who comes once it has begun waits for
// the one after it.
func (s *Streams) take(l *look) {
	defer close(l.done)
	s.turn.Lock()
	defer s.turn.Unlock()
	time.Sleep(apart - time.Since(s.last))
	defer func() { s.last = time.Now() }()
	s.mu.Lock()
	s.next = nil
	s.mu.Unlock()
	if time.Since(s.last) > while {
		s.forget()
	}
	ctx, stop := context.WithTimeout(context.Background(), within)
	defer stop()
	if l.err = s.look(ctx); l.err != nil {
		s.forget()
	}
}

// forget begins anew at the end of the log: to read a few streams again takes less
// than all that may have been written meanwhile.
func (s *Streams) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = false
	s.changes++
	clear(s.states)
}

// look reads what was written since the last one. Nothing was held before the
// first: it only finds where the log stands.
func (s *Streams) look(ctx context.Context) error {
	head, err := s.log.Head(ctx)
	if err != nil {
		return err
	}
	if s.begun {
		for r, err := range s.log.ReadAll(ctx, s.at, s.names...) {
			if err != nil {
				return err
			}
			s.changed(r)
			head = max(head, r.Position)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun { // who reads meanwhile may have missed what this look passes over
		s.changes++
	}
	s.begun, s.at = true, max(s.at, head)
	return nil
}

func (s *Streams) changed(r event.Recorded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	delete(s.states, r.Stream)
}

// Of is a stream's state, as the log held it when Fresh was called last or later.
// It is shared: nobody may change it.
func Of[S any](ctx context.Context, s *Streams, kind event.Kind[S], stream event.Stream) (S, error) {
	held, known, changes := s.held(stream)
	if known {
		return held.(S), nil
	}
	state, err := kind.Fold(ctx, s.log, stream)
	if err == nil {
		s.hold(stream, state, changes)
	}
	return state, err
}

func (s *Streams) held(stream event.Stream) (state any, known bool, changes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, known = s.states[stream]
	return state, known, s.changes
}

// hold keeps what was read, unless a change was seen meanwhile: it may be the one
// that was not read yet.
func (s *Streams) hold(stream event.Stream, state any, changes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun || s.changes != changes {
		return
	}
	if len(s.states) >= most {
		clear(s.states)
	}
	s.states[stream] = state
}
