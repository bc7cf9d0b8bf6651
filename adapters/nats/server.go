package nats

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
)

// Server is a NATS server with JetStream inside this process. It opens no
// socket: only its own connections reach it.
type Server struct{ inner *server.Server }

// What the embedded server may take of the machine, in bytes; the stream itself
// is bounded by maxBytes.
const (
	maxStore  = 1 << 30
	maxMemory = 64 << 20
)

// StartServer starts the embedded server, with its files under dir. The files
// are a buffer: they may be deleted whenever the server is stopped.
func StartServer(dir string) (*Server, error) {
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
	return &Server{inner}, nil
}

// Connect opens a connection within the process.
func (s *Server) Connect() (*Bus, error) {
	conn, err := natsgo.Connect("", natsgo.InProcessServer(s.inner), natsgo.MaxReconnects(-1))
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return newBus(conn)
}

// Close stops the server and waits until its files are closed.
func (s *Server) Close() {
	s.inner.Shutdown()
	s.inner.WaitForShutdown()
}
