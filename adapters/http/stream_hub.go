package http

import (
	"context"
	"sync"
	"time"

	"govahi/domain/fault"
)

// The limits of streams.
const (
	beatEvery      = 10 * time.Second       // a comment goes out, and rights are looked at, though nothing changed
	changeEvery    = time.Second            // at most so often an answer is sent
	takenWithin    = 20 * time.Second       // each event, by who reads slowly
	farewellWithin = 500 * time.Millisecond // the same when the house stops
	streamsEach    = 8                      // of one person
	mostStreams    = 2048                   // in all; fewer where connections are few
	unsent         = 64 << 10               // bytes that the system keeps for one who does not read
	askedAtOnce    = 4                      // questions: the views serve others, too
	askedWithin    = 10 * time.Second
	comeBackAfter  = 2 * time.Second // as the client is told
)

// The refusals.
var (
	errStreamsEach = fault.New(fault.TooMany, "too-many-streams",
		"صفحه\u200cهای زندهٔ باز شما بیش از اندازه است؛ یکی را ببندید و پس از مدتی که سرآیند Retry-After می\u200cگوید دوباره باز کنید.",
		"You follow too many answers at once; close one, and come back after the time that the header Retry-After gives.")
	errStreamsFull = fault.New(fault.Unavailable, "streams-full",
		"صفحه\u200cهای زندهٔ همگان بیش از اندازه است؛ لحظه\u200cای دیگر دوباره باز کنید یا پاسخ را بدون آن بخوانید.",
		"Too many answers are followed now; come back in a moment, or read the answer without following it.")
	errStreamsEnd = fault.New(fault.Unavailable, "stream-interrupted",
		"سامانه این صفحهٔ زنده را می\u200cبندد؛ لحظه\u200cای دیگر دوباره وصل شوید، چیزی از دست نمی\u200cرود.",
		"The house ends this stream; connect again in a moment, nothing is lost.")
)

// hub knows everybody who follows an answer, and wakes them when a view may have
// changed: all at once, so that one answer serves all who ask the same.
type hub struct {
	waiter Waiter
	beat   time.Duration // beatEvery, and so on; less in tests
	taken  time.Duration
	each   int
	most   int
	turns  chan struct{} // to ask a question

	closing context.Context // ends with the door
	close   context.CancelFunc

	mu        sync.Mutex
	moved     chan struct{} // closed when views may have changed
	followers map[*follower]bool
	topics    map[string]*topic
}

func newHub(waiter Waiter) *hub {
	h := &hub{
		waiter: waiter, beat: beatEvery, taken: takenWithin, each: streamsEach, most: min(mostStreams, connections()/2), turns: make(chan struct{}, askedAtOnce),
		moved: make(chan struct{}), followers: map[*follower]bool{}, topics: map[string]*topic{},
	}
	h.closing, h.close = context.WithCancel(context.Background())
	return h
}

// run wakes the followers, at most once in changeEvery, until the hub ends. A door
// without views, of a process that is no api, has none.
func (h *hub) run() {
	if h.waiter == nil {
		return
	}
	for h.closing.Err() == nil {
		next := h.waiter.Next() // before they look, so that what comes meanwhile wakes them again
		h.wake()
		h.pause(changeEvery)
		select {
		case <-next:
		case <-h.closing.Done():
		}
	}
}

func (h *hub) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-h.closing.Done():
	}
}

func (h *hub) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.moved)
	h.moved = make(chan struct{})
}

func (h *hub) next() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.moved
}

// end tells all followers to go. Who does not read is not waited for.
func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.close()
	for f := range h.followers {
		f.due(farewellWithin)
	}
}

// enter takes a follower in, if there is room for him. He must Close.
func (h *hub) enter(id Identity, m matter) (*follower, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closing.Err() != nil:
		return nil, errStreamsEnd
	case h.full(func(f *follower) bool { return f.id == id }, h.each):
		return nil, errStreamsEach.After(h.beat)
	case h.full(func(*follower) bool { return true }, h.most):
		return nil, errStreamsFull
	}
	t := h.topics[m.key]
	if t == nil {
		t = &topic{}
		h.topics[m.key] = t
	}
	t.followers++
	f := &follower{hub: h, id: id, about: m, topic: t, began: time.Now()}
	f.gone, f.leave = context.WithCancel(h.closing)
	h.followers[f] = true
	return f, nil
}

// full tells whether so many follow already, not counting those whose
// connection has ended: they are sent away.
func (h *hub) full(one func(*follower) bool, most int) bool {
	n := 0
	for f := range h.followers {
		if one(f) {
			n++
		}
	}
	if n < most {
		return false
	}
	for f := range h.followers {
		if one(f) && f.hungUp() {
			h.release(f)
			n--
		}
	}
	return n >= most
}

// release is called with mu held.
func (h *hub) release(f *follower) {
	if !h.followers[f] {
		return
	}
	delete(h.followers, f)
	f.leave()
	if f.topic.followers--; f.topic.followers == 0 {
		delete(h.topics, f.about.key)
	}
}
