package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// wire is the link between one process and one part of the cluster. It carries
// bytes both ways, until a test silences or cuts it.
type wire struct {
	at, to   string
	listener net.Listener
	over     chan struct{} // the test's end
	running  sync.WaitGroup

	mu      sync.Mutex
	carries chan struct{} // closed while the wire carries
	refuses bool
	ends    map[net.Conn]struct{}
}

// lay lays a wire to an address, where nobody need listen yet.
func lay(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w := &wire{at: l.Addr().String(), to: to, listener: l, over: make(chan struct{}), carries: make(chan struct{}), ends: map[net.Conn]struct{}{}}
	close(w.carries)
	w.running.Go(w.accept)
	t.Cleanup(w.remove)
	return w
}

func (w *wire) remove() {
	close(w.over)
	_ = w.listener.Close()
	w.reset()
	w.running.Wait()
}

// silence makes a black hole of the wire: connections are accepted, and nothing
// is heard on them or on those that were there before.
func (w *wire) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open() {
		w.carries = make(chan struct{})
	}
}

// cut resets every connection and each new one.
func (w *wire) cut() {
	w.mu.Lock()
	w.refuses = true
	w.mu.Unlock()
	w.reset()
}

// mend undoes both. What was said into the silence arrives now, as it does when
// a network heals: TCP has kept it.
func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuses = false
	if !w.open() {
		close(w.carries)
	}
}

func (w *wire) open() bool {
	select {
	case <-w.carries:
		return true
	default:
		return false
	}
}

func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.ends {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}

var errNoWire = errors.New("the wire is cut")

// carrying waits out the silence.
func (w *wire) carrying() error {
	for {
		w.mu.Lock()
		now := w.carries
		w.mu.Unlock()
		select {
		case <-w.over:
			return errNoWire
		case <-now:
			return nil
		}
	}
}

func (w *wire) accept() {
	for {
		c, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.running.Go(func() { w.carry(c) })
	}
}

// carry is one connection from its beginning to its end.
func (w *wire) carry(near net.Conn) {
	defer w.drop(near)
	if w.hold(near) != nil || w.carrying() != nil {
		return
	}
	far, err := net.DialTimeout("tcp", w.to, 5*time.Second)
	if err != nil {
		_ = near.(*net.TCPConn).SetLinger(0)
		return
	}
	defer w.drop(far)
	if w.hold(far) != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { w.pump(far, near) })
	both.Go(func() { w.pump(near, far) })
	both.Wait()
}

// hold notes a connection's end, to be reset with the wire.
func (w *wire) hold(c net.Conn) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuses {
		_ = c.(*net.TCPConn).SetLinger(0)
		return errNoWire
	}
	w.ends[c] = struct{}{}
	return nil
}

func (w *wire) drop(c net.Conn) {
	_ = c.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.ends, c)
}

// pump carries one way. An end is news like any other: nobody hears of it in
// the silence. A connection that broke is broken for both.
func (w *wire) pump(to, from net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if w.carrying() != nil {
			return
		}
		if _, failed := to.Write(buffer[:n]); failed != nil {
			_ = from.Close()
			return
		}
		switch {
		case errors.Is(err, io.EOF):
			_ = to.(*net.TCPConn).CloseWrite()
			return
		case err != nil:
			_ = to.(*net.TCPConn).SetLinger(0)
			_ = to.Close()
			return
		}
	}
}

// TestClusterWire: the harm that it does is the harm that it says.
func TestClusterWire(t *testing.T) {
	t.Parallel()
	w := lay(t, parrot(t))
	old := w.call(t)
	old.says(t, "one", within)
	w.silence()
	later := w.call(t)
	for _, c := range []caller{old, later} {
		if c.hears("two", 50*time.Millisecond) {
			t.Error("the silent wire carries")
		}
	}
	w.mend()
	for _, c := range []caller{old, later} {
		c.says(t, "two", within) // once it was said into the silence
	}
	w.cut()
	if old.hears("three", within) {
		t.Error("a connection outlives the cut")
	}
	if c, err := net.Dial("tcp", w.at); err == nil && (caller{c}).hears("four", within) {
		t.Error("the cut wire carries")
	}
	w.mend()
	w.call(t).says(t, "five", within)
}

// parrot listens, and answers with what it hears.
func parrot(t *testing.T) (at string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

type caller struct{ net.Conn }

func (w *wire) call(t *testing.T) caller {
	t.Helper()
	c, err := net.Dial("tcp", w.at)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return caller{c}
}

// hears tells whether a word comes back in time.
func (c caller) hears(word string, in time.Duration) bool {
	_, _ = c.Write([]byte(word)) // what fails here is not heard either
	_ = c.SetReadDeadline(time.Now().Add(in))
	got := make([]byte, len(word))
	_, err := io.ReadFull(c, got)
	return err == nil && string(got) == word
}

func (c caller) says(t *testing.T, word string, in time.Duration) {
	t.Helper()
	if !c.hears(word, in) {
		t.Errorf("%q does not come back", word)
	}
}
