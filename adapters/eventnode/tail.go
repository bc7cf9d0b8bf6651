package eventnode

import "sync"

// tail is the durable end of the log. Readers never look beyond it: what Pebble
// shows before its fsync may be gone after a crash.
type tail struct {
	mu       sync.Mutex
	position uint64
	moved    chan struct{} // closed when the position changes
}

func newTail(position uint64) *tail {
	return &tail{position: position, moved: make(chan struct{})}
}

// now is the end, and what is closed once it is no longer the end.
func (t *tail) now() (uint64, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.position, t.moved
}

func (t *tail) move(position uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.position = position
	close(t.moved)
	t.moved = make(chan struct{})
}
