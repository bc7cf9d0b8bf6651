package projections

import (
	"context"
	"sync"

	"govahi/domain/event"
)

// State is what a projection is doing.
type State string

// The states of a projection.
const (
	Starting   State = "starting"   // nothing is known yet
	Building   State = "building"   // from the log, beside the older version
	Following  State = "following"  // its tables are current but for its lag
	Waiting    State = "waiting"    // for a part that is down; see Trouble
	Superseded State = "superseded" // a newer version is in place
)

// Status says how a projection fares, for health.
type Status struct {
	Name     string
	Version  int
	State    State
	Position event.Position // everything up to here is in the tables
	Head     event.Position // of the log
	Goal     event.Position // while it is being built: the head when that began
	Events   int            // its own, that it has taken since it was started
	Parked   int            // streams that were left out because of an event that fails
	Trouble  string         // why it waits: a code, never personal data
}

// Lag is how far the tables are behind the log, in positions.
func (s Status) Lag() uint64 {
	if s.Position >= s.Head {
		return 0
	}
	return uint64(s.Head - s.Position)
}

// Status returns each projection's, even when the log cannot be asked.
func (r *Runner) Status(ctx context.Context) ([]Status, error) {
	head, err := r.log.Head(ctx)
	all := make([]Status, len(r.views))
	for i, v := range r.views {
		all[i] = v.status.get()
		all[i].Head = head
	}
	return all, err
}

type status struct {
	mu  sync.Mutex
	now Status
}

func (s *status) get() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *status) set(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.now)
}
