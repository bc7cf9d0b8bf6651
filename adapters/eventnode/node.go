// Package eventnode is the embedded event log: one node that speaks the part of
// EventStoreDB's gRPC contract (version 24.10) that Govahi needs, on Pebble.
//
// It serves appending, reading, subscriptions, gossip and server features, and
// answers Unimplemented to everything else. The house calls it on a Unix socket
// (ListenUnix, Serve), foreign clients over TCP (ServeTCP).
package eventnode

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

const (
	maxMessage = 17 << 20 // the largest request taken, in bytes
	maxCalls   = 1024     // under way on one connection; its client waits with more
)

// Options are what a node may be given; the zero value is good.
type Options struct {
	FS       vfs.FS       // where the data directory is; nil is the real disk
	Logger   *slog.Logger // nil logs nothing
	Users    []User       // who may call over TCP; nobody named is anybody
	ReadOnly bool         // changes nothing in the directory, and refuses appends
}

// Node is an embedded event log.
type Node struct {
	log      *slog.Logger
	instance uuid.UUID
	store    *store
	writer   *writer
	guard    *guard
	server   *grpc.Server
	stopping chan struct{} // closed first, so that subscriptions end
	stopOnce sync.Once
	stopped  error

	checkpointing sync.Mutex // one checkpoint at a time
}

// Open opens the log in a directory, and creates it if there is none. It fails
// with ErrInUse while another node has the directory open, and with
// ErrNewerFormat if a newer program wrote it. On a full disk it waits for space,
// and fails with ErrDiskFull if the context ends before.
func Open(ctx context.Context, dir string, opts Options) (*Node, error) {
	if opts.FS == nil {
		opts.FS = vfs.Default
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	d := newDisk(opts.FS, dir, opts.Logger)
	d.readOnly = opts.ReadOnly
	s, err := openStore(ctx, d)
	if err != nil {
		return nil, err
	}
	n := &Node{
		log: opts.Logger, instance: uuid.New(),
		store: s, writer: newWriter(s), guard: newGuard(opts.Users), stopping: make(chan struct{}),
	}
	n.server = newServer(n.guard)
	streams.RegisterStreamsServer(n.server, &streamsServer{node: n})
	gossip.RegisterGossipServer(n.server, gossipServer{node: n})
	serverfeatures.RegisterServerFeaturesServer(n.server, featuresServer{})
	n.server.RegisterService(&maintenance, n)
	return n, nil
}

// newServer bears the official client: it pings every 10 s, even without calls.
// A client that vanished without a word is missed after a minute.
func newServer(g *guard) *grpc.Server {
	return grpc.NewServer(
		grpc.ForceServerCodecV2(newCodec()),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 40 * time.Second, Timeout: 20 * time.Second}),
		grpc.ConnectionTimeout(3*time.Second), // a stop waits for who has only begun to speak
		grpc.MaxConcurrentStreams(maxCalls),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxHeaderListSize(64<<10),
		grpc.StreamInterceptor(g.stream),
		grpc.UnaryInterceptor(g.unary),
		grpc.UnknownServiceHandler(notServed),
		grpc.WaitForHandlers(true), // the store closes only after the last of them
		grpc.NumStreamWorkers(64),  // a tenth more appends than with fresh goroutines, whose stacks must grow
	)
}

// Serve answers on a listener until the node stops; then it returns nil.
func (n *Node) Serve(l net.Listener) error {
	if err := n.server.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("eventnode: serve: %w", err)
	}
	return nil
}

// ServeTCP answers foreign clients until the node stops: gRPC, and on the same
// port HTTP/1 with /health/live and /gossip. Without TLS passwords and events
// travel in the open.
func (n *Node) ServeTCP(l net.Listener, secure *tls.Config) error {
	d := newDoor(l, secure)
	web := n.newWeb()
	var parts sync.WaitGroup
	parts.Go(d.run)
	parts.Go(func() { _ = web.Serve(d.web) })
	err := n.Serve(d.grpc)
	_ = d.Close() // gRPC has closed it, unless it never began
	_ = web.Close()
	parts.Wait()
	return err
}

// Last is the position of the log's last event; 0 if there is none.
func (n *Node) Last() uint64 {
	last, _ := n.store.tail.now()
	return last
}

// Full returns ErrDiskFull while appends are refused for want of space.
func (n *Node) Full() error {
	if n.store.disk.full() {
		return ErrDiskFull
	}
	return nil
}

// Corrupt returns ErrCorrupt once a file of the log was found to be corrupt.
func (n *Node) Corrupt() error { return n.store.trouble() }

// patience is how long calls under way may take when the node stops. Who does not
// read what he asked for would hold it up for ever: his handler hangs in a send.
const patience = 2 * time.Second

// Stop ends subscriptions, lets calls finish for two seconds, or until the context
// ends, and closes the log. It does not wait for space on a full disk: what was on its way there
// is not acknowledged. Stopping twice is stopping once.
func (n *Node) Stop(ctx context.Context) error {
	n.stopOnce.Do(func() {
		close(n.stopping)
		n.store.disk.leave()
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		impatient := context.AfterFunc(ctx, n.server.Stop)
		n.server.GracefulStop()
		impatient()
		n.writer.close()
		n.stopped = n.store.close()
	})
	return n.stopped
}

// Close stops the node without patience for calls under way.
func (n *Node) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return n.Stop(ctx)
}
