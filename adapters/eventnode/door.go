package eventnode

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	maxConnections = 1024             // that a door holds open at once; more wait outside
	greetWithin    = 10 * time.Second // in which a connection must say what it speaks
)

// places is how many connections a door may hold: at most half of the process's
// descriptors, because the log must always be able to open its files.
func places() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return maxConnections / 4
	}
	return int(min(maxConnections, limit.Cur/2))
}

// door takes connections over TCP and shows each the way: HTTP/2 to gRPC's own
// transport, which is faster than that of net/http, anything else to HTTP/1.
// Clients speak first in both, so their first bytes tell.
type door struct {
	listener  net.Listener
	secure    *tls.Config // nil is plain
	places    chan struct{}
	grpc, web *hall
	ctx       context.Context // until the door is closed
	shut      func()
	greeting  sync.WaitGroup
}

func newDoor(l net.Listener, secure *tls.Config) *door {
	d := &door{listener: l, secure: secure, places: make(chan struct{}, places())}
	d.ctx, d.shut = context.WithCancel(context.Background())
	d.grpc, d.web = newHall(d), newHall(d)
	return d
}

// Close lets nobody in any more. Who is in a hall already stays there.
func (d *door) Close() error {
	d.shut()
	return d.listener.Close()
}

// run takes connections until the door is closed. Whatever else fails, too many
// open files say, may pass.
func (d *door) run() {
	defer d.greeting.Wait()
	for {
		select {
		case d.places <- struct{}{}:
		case <-d.ctx.Done():
			return
		}
		conn, err := d.listener.Accept()
		switch {
		case err == nil:
			d.greeting.Go(func() { d.greet(newVisitor(conn, d.places)) })
			continue
		case errors.Is(err, net.ErrClosed) || d.ctx.Err() != nil:
			return
		}
		<-d.places
		select {
		case <-time.After(50 * time.Millisecond):
		case <-d.ctx.Done():
		}
	}
}

// greet waits for a visitor's first words, but not long.
func (d *door) greet(v *visitor) {
	ctx, cancel := context.WithTimeout(d.ctx, greetWithin)
	defer cancel()
	stays := context.AfterFunc(ctx, func() { _ = v.Close() })
	var conn net.Conn = v
	if d.secure != nil {
		conn = tls.Server(v, d.secure)
	}
	words := make([]byte, 4)
	if _, err := io.ReadFull(conn, words); err != nil || !stays() {
		_ = v.Close()
		return
	}
	to := d.web
	if string(words) == "PRI " { // RFC 9113 §3.4
		to = d.grpc
	}
	select {
	case to.conns <- &heard{Conn: conn, words: words}:
	case <-d.ctx.Done():
		_ = v.Close()
	}
}

// visitor is a connection that takes one of the door's places.
type visitor struct {
	net.Conn
	proven atomic.Bool
	leave  func()
}

func newVisitor(conn net.Conn, places chan struct{}) *visitor {
	return &visitor{Conn: conn, leave: sync.OnceFunc(func() { <-places })}
}

func (v *visitor) Close() error {
	defer v.leave()
	return v.Conn.Close()
}

// RemoteAddr leads back to the visitor, by whatever it was passed on.
func (v *visitor) RemoteAddr() net.Addr { return address{v.Conn.RemoteAddr(), v} }

type address struct {
	net.Addr
	visitor *visitor
}

// whose is the host at an address, and whether the connection from there has
// shown a right password before.
func whose(a net.Addr) (host string, proven bool) {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		host = a.String()
	}
	from, ok := a.(address)
	return host, ok && from.visitor.proven.Load()
}

func prove(a net.Addr) {
	if from, ok := a.(address); ok {
		from.visitor.proven.Store(true)
	}
}

// heard is a connection whose first words were read already.
type heard struct {
	net.Conn
	words []byte
}

func (h *heard) Read(b []byte) (int, error) {
	if len(h.words) == 0 {
		return h.Conn.Read(b)
	}
	n := copy(b, h.words)
	h.words = h.words[n:]
	return n, nil
}

// hall is where the connections of one protocol are served.
type hall struct {
	*door
	conns chan net.Conn
}

func newHall(d *door) *hall { return &hall{d, make(chan net.Conn)} }

// Accept takes the next connection that the door shows here.
func (h *hall) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Addr is the door's address.
func (h *hall) Addr() net.Addr { return h.listener.Addr() }
