// Package limits counts tries by key for a while, in this process's memory: what
// must not be guessed, and addresses that must not be flooded. n processes allow
// n times as much; what must hold across restarts is a stream (domain/limit).
package limits

import (
	"sync"
	"time"
)

// Tries allows so many of each key within a time. The zero Max allows all.
type Tries struct {
	Max    int
	Within time.Duration
	Clock  func() time.Time

	mu sync.Mutex
	of map[string]*window
}

// window begins with the first try and ends Within later.
type window struct {
	began time.Time
	n     int
}

// most bounds the memory.
const most = 100_000

// Begin counts a try, or says how long to wait. It is counted before its outcome
// is known, so that many at once are no way around.
func (t *Tries) Begin(key string) (wait time.Duration, ok bool) {
	if t.Max == 0 {
		return 0, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.Clock()
	w := t.of[key]
	if w == nil || t.over(w, now) {
		t.makeRoom(now)
		w = &window{began: now}
		t.of[key] = w
	}
	if w.n >= t.Max {
		return w.began.Add(t.Within).Sub(now), false
	}
	w.n++
	return 0, true
}

// Forgive takes back a try that turned out well.
func (t *Tries) Forgive(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := t.of[key]; w != nil && w.n > 0 {
		w.n--
	}
}

// over also ends a window that a clock set back has put into the future.
func (t *Tries) over(w *window, now time.Time) bool {
	age := now.Sub(w.began)
	return age >= t.Within || age < 0
}

// makeRoom forgets what is over, and, under a flood of keys, any other.
func (t *Tries) makeRoom(now time.Time) {
	if t.of == nil {
		t.of = map[string]*window{}
	}
	if len(t.of) < most {
		return
	}
	for key, w := range t.of {
		if t.over(w, now) {
			delete(t.of, key)
		}
	}
	for key := range t.of {
		if len(t.of) < most*9/10 {
			return
		}
		delete(t.of, key)
	}
}
