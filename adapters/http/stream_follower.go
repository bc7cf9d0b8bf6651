package http

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"syscall"
	"time"
)

// follower is one who follows an answer. To the server he is the body of a
// response, which it reads, one event after the other, until that ends or nobody
// takes it.
type follower struct {
	hub   *hub
	about matter
	topic *topic
	id    Identity
	began time.Time
	gone  context.Context // ends when he is sent away, or the door closes
	leave context.CancelFunc
	conn  net.Conn // under the hub's mu

	// How he asked.
	server        *Server
	shape         shape
	route         string
	authorization string
	english       bool

	ticker *time.Ticker
	moved  <-chan struct{} // taken before he last looked
	seen   seen            // the latest answer
	rest   []byte          // of the event that is being sent
	ended  string          // why nothing follows it
}

// take begins with the connection, on which the system keeps little for one who
// does not read.
func (f *follower) take(conn net.Conn) {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	now := make(chan struct{})
	close(now)
	f.conn, f.moved, f.ticker = conn, now, time.NewTicker(f.hub.beat)
	f.rest = comeBack
	if c, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = c.SetWriteBuffer(unsent) // a dead connection tells by the next write
	}
}

// The parts of the stream that are no answers (HTML Standard §9.2.5).
var (
	comeBack  = fmt.Appendf(nil, "retry: %d\n\n", comeBackAfter.Milliseconds())
	heartbeat = []byte(":\n\n")
)

// Read hands out the next event once there is one. When it is called, the one
// before has been taken, and this one has its own time to be.
func (f *follower) Read(p []byte) (int, error) {
	switch {
	case len(f.rest) > 0:
	case f.ended != "":
		return 0, io.EOF
	default:
		if f.rest = f.next(); f.rest == nil {
			f.ended = "left"
			return 0, syscall.EPIPE
		}
		f.hurry()
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// next waits for an event; nil if there is nobody to send it to.
func (f *follower) next() []byte {
	for {
		var event []byte
		select {
		case <-f.gone.Done():
			return f.farewell()
		case <-f.moved:
			f.moved = f.hub.next() // before he looks: what comes meanwhile is looked at next
			event = f.changed()
		case <-f.ticker.C:
			if f.hungUp() {
				return nil
			}
			event = f.beat()
		}
		if event != nil {
			return event
		}
	}
}

// changed is the answer, if it is not as it was sent.
func (f *follower) changed() []byte {
	t := f.topic.now(f.hub, f.about, time.Time{})
	if t.err == nil && t.digest == f.seen.digest {
		return nil
	}
	err := f.known(t)
	if temporary(err) {
		return nil // a moment's trouble: the next look tells
	}
	return f.event(t, err)
}

// beat shows that the stream lives, or ends it: the token may have expired, the
// post been lost, the views be down.
func (f *follower) beat() []byte {
	t := f.topic.now(f.hub, f.about, time.Time{})
	if event := f.event(t, f.known(t)); event != nil {
		return event
	}
	return heartbeat
}

func (f *follower) event(t reply, err error) []byte {
	switch {
	case f.gone.Err() != nil:
		return f.farewell()
	case err != nil:
		return f.end(err)
	case t.digest == f.seen.digest:
		return nil
	}
	f.seen = t.seen
	return t.event
}

// known asks anew who he is, and whether he may know the answer. After an erasure
// the same token is another person's. A view that lost its latest rows in a crash,
// or is built anew, is not shown going back.
func (f *follower) known(t reply) (err error) {
	defer caught(&err)
	ctx, cancel := context.WithTimeout(f.gone, askedWithin)
	defer cancel()
	person, err := f.server.person(ctx, f.authorization)
	switch {
	case err != nil:
		return err
	case person != f.id.Person:
		return errStreamsEnd
	}
	if err = f.about.shown(ctx, f.id, func() reply { return t }); err == nil && t.at < f.seen.at {
		err = errViewBehind
	}
	return err
}

// farewell is said to all when the door closes, and to nobody who was sent away.
func (f *follower) farewell() []byte {
	if f.hub.closing.Err() == nil {
		return nil
	}
	return f.end(errStreamsEnd)
}

// end says why, as the question itself would be refused.
func (f *follower) end(err error) []byte {
	p := f.server.problem(context.WithValue(f.gone, shapeKey{}, f.shape), err)
	f.ended = p.Code
	said, _ := p.in(f.english)
	text, err := encoded(said)
	if err != nil {
		panic(err) // texts and numbers
	}
	return fmt.Appendf(nil, "%sevent: end\ndata: %s\n\n", comeBack[:len(comeBack)-1], text)
}

// hurry gives an event its time to be taken: little, once the house stops.
func (f *follower) hurry() {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	f.due(f.hub.taken)
}

// due is called with the hub's mu held.
func (f *follower) due(within time.Duration) {
	if f.hub.closing.Err() != nil {
		within = farewellWithin
	}
	if f.conn != nil {
		_ = f.conn.SetWriteDeadline(time.Now().Add(within)) // as take
	}
}

// hungUp looks whether the connection was ended from the other side, without
// reading from it: what may stand there is the next request.
func (f *follower) hungUp() (ended bool) {
	c, ok := f.conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	err = raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		ended = err == nil && n == 0 || err != nil && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return ended || err != nil
}

// Close is how the server lets go of a response's body, in whatever way it ended.
func (f *follower) Close() error {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	if f.hub.release(f); f.ticker != nil {
		f.ticker.Stop()
	}
	if f.server != nil {
		f.server.Log.LogAttrs(context.Background(), slog.LevelInfo, "stream ended", slog.String("route", f.route),
			slog.String("code", f.ended), slog.Int64("ms", time.Since(f.began).Milliseconds()))
		f.server = nil
	}
	return nil
}
