package nats

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
)

// Server is a NATS server with JetStream inside this process. It opens no
// socket: only its own connections reach it.
type Server struct {
	dir string

	mu     sync.Mutex
	inner  *server.Server // replaced when it turned JetStream off
	off    time.Time      // since when that is so, or was last mended in vain
	closed bool
}

// What the embedded server may take of the machine, in bytes; the stream itself
// is bounded by maxBytes.
const (
	maxStore  = 1 << 30
	maxMemory = 64 << 20
)

// StartServer starts the embedded server, with its files under dir. The files
// are a buffer: they may be deleted whenever the server is stopped.
func StartServer(dir string) (*Server, error) {
	inner, err := launch(dir)
	if err != nil {
		return nil, err
	}
	return &Server{dir: dir, inner: inner}, nil
}

func launch(dir string) (*server.Server, error) {
	inner, err := server.NewServer(&server.Options{
		ServerName:         "govahi",
		JetStream:          true,
		StoreDir:           dir,
		JetStreamMaxStore:  maxStore,
		JetStreamMaxMemory: maxMemory,
		DontListen:         true,
		NoSigs:             true,
		NoLog:              true,
	})
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	inner.Start()
	if !inner.ReadyForConnections(10*time.Second) || !inner.JetStreamEnabled() {
		inner.Shutdown()
		return nil, errors.New("nats: JetStream did not start; its directory may be deleted, it is rebuilt")
	}
	return inner, nil
}

// settled is how long a server takes to turn JetStream off, and how often it is
// tried to replace it.
const settled = 500 * time.Millisecond

// revive replaces a server that turned JetStream off, as it does by itself on a
// full disk, for good. (To turn it on again under connections is not safe in
// NATS 2.15: the race detector finds it.)
func (s *Server) revive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed || s.inner.JetStreamEnabled():
		s.off = time.Time{}
	case s.off.IsZero():
		s.off = time.Now()
	case time.Since(s.off) > settled:
		s.inner.Shutdown()
		s.inner.WaitForShutdown()
		if next, err := launch(s.dir); err == nil { // else whoever needs it sees that it is off
			s.inner = next
		}
		s.off = time.Now()
	}
}

// InProcessConn connects to the present server, for natsgo.InProcessServer.
func (s *Server) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inner.InProcessConn()
}

// Connect opens a connection within the process.
func (s *Server) Connect() (*Bus, error) {
	conn, err := natsgo.Connect("", natsgo.InProcessServer(s), natsgo.MaxReconnects(-1), natsgo.ReconnectWait(reconnect))
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return newBus(conn, s.revive)
}

// Close stops the server and waits until its files are closed.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.inner.Shutdown()
	s.inner.WaitForShutdown()
}
