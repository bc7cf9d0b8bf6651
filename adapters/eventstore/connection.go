package eventstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"govahi/domain/fault"
)

// ErrUnavailable reports that the log cannot be reached now, or that the
// connection broke on the way: the outcome of an append is then unknown, and
// asking again with the same event IDs is safe.
var ErrUnavailable = fault.New(fault.Unavailable, "event-log-unavailable",
	"دفتر رویدادها در دسترس نیست؛ کمی بعد دوباره تلاش کنید.",
	"The event log cannot be reached; please try again in a moment.")

var errClosed = errors.New("eventstore: the log was closed")

// connection is one official client in use. The client dies for good when it
// cannot find its node, and whoever calls it then waits for ever; so it is
// connected before anybody may call it, replaced at the first sign of trouble,
// and closed when its last user has left. (A caller that took it just before the
// trouble makes it search anew, and then it forgets to close its old gRPC
// connection: a few kilobytes, at most once for each trouble.)
type connection struct {
	client  *esdb.Client
	users   int
	retired bool
	close   func()
}

// pool holds the connection in use, and makes the next one.
type pool struct {
	config *esdb.Configuration

	mu     sync.Mutex
	live   *connection
	dial   *dialing
	closed bool
}

// dialing is an attempt to connect that all callers of the moment share.
type dialing struct {
	done chan struct{}
	err  error
}

// take gives a connection to a caller, who must release it.
func (p *pool) take(ctx context.Context) (*connection, error) {
	for {
		c, d, err := p.tryTake()
		if c != nil || err != nil {
			return c, err
		}
		select {
		case <-d.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if d.err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, d.err)
		}
	}
}

func (p *pool) tryTake() (*connection, *dialing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, nil, errClosed
	case p.live != nil:
		p.live.users++
		return p.live, nil, nil
	case p.dial == nil:
		p.dial = &dialing{done: make(chan struct{})}
		go p.connect(p.dial)
	}
	return nil, p.dial, nil
}

func (p *pool) connect(d *dialing) {
	defer close(d.done)
	c, err := connect(p.config)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dial = nil
	switch {
	case err != nil:
		d.err = err
	case p.closed:
		c.close()
	default:
		p.live = c
	}
}

func connect(config *esdb.Configuration) (*connection, error) {
	client, err := esdb.NewClient(config)
	if err != nil {
		return nil, err
	}
	c := &connection{client: client, close: sync.OnceFunc(func() { _ = client.Close() })}
	if _, err := client.GetServerVersion(); err != nil { // the only call that connects and does nothing else
		c.close()
		return nil, err
	}
	return c, nil
}

// release gives a connection back, with the error that its use ended in.
func (p *pool) release(c *connection, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.users--
	if lost(err) {
		p.retire(c)
	}
	if dead(err) || c.retired && c.users == 0 {
		c.close() // frees those who wait for a dead client: they panic, guard catches it
	}
}

func (p *pool) retire(c *connection) {
	c.retired = true
	if p.live == c {
		p.live = nil
	}
}

// shut closes the connection once its last user has left it. An attempt to
// connect that is under way ends by itself and is closed then.
func (p *pool) shut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if c := p.live; c != nil {
		p.retire(c)
		if c.users == 0 {
			c.close()
		}
	}
}

// errPanic is what the official client's panics become.
var errPanic = errors.New("eventstore: the client gave up")

// guard turns a panic of the official client into an error: it panics on
// messages that it does not expect, and when it is closed under a caller.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v", errPanic, r)
	}
}

// dead tells that the client will never work again: it was closed, or ended its
// search for the node. The latter has no code of its own, only this text.
func dead(err error) bool {
	var e *esdb.Error
	return errors.As(err, &e) &&
		(e.Code() == esdb.ErrorCodeConnectionClosed || strings.Contains(e.Error(), "maximum discovery attempt"))
}

// lost tells that the connection broke, so that another one may do better.
func lost(err error) bool {
	if err == nil {
		return false
	}
	var e *esdb.Error
	if errors.As(err, &e) && e.Code() == esdb.ErrorCodeNotLeader {
		return true
	}
	return dead(err) || errors.Is(err, errSilent) || errors.Is(err, errPanic) || errors.Is(err, io.EOF) || status.Code(err) == codes.Unavailable
}
