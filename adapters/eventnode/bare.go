package eventnode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/grpc"
)

// Bare is no log: of an append it makes one key durable, with what was proposed
// as its value, and answers. It is what a Node is measured against: the same
// server and the same store, without revisions, positions and indexes.
type Bare struct {
	streams.UnimplementedStreamsServer
	db     *pebble.DB
	server *grpc.Server
	next   atomic.Uint64
}

// OpenBare opens its store in a directory of its own.
func OpenBare(dir string) (*Bare, error) {
	like := store{disk: newDisk(vfs.Default, dir, slog.New(slog.DiscardHandler))}
	options := like.options()
	options.FS, options.Lock, options.EventListener = vfs.Default, nil, nil
	db, err := pebble.Open(dir, options)
	if err != nil {
		return nil, fmt.Errorf("eventnode: open %s: %w", dir, err)
	}
	b := &Bare{db: db, server: newServer(newGuard(nil))}
	streams.RegisterStreamsServer(b.server, b)
	serverfeatures.RegisterServerFeaturesServer(b.server, featuresServer{})
	return b, nil
}

// Serve answers on a listener until it is closed.
func (b *Bare) Serve(l net.Listener) error { return b.server.Serve(l) }

// Close ends the calls under way, and closes the store.
func (b *Bare) Close() error {
	b.server.Stop()
	return b.db.Close()
}

// Append reads the call to its end.
func (b *Bare) Append(call streams.Streams_AppendServer) error {
	var value []byte
	for {
		request, err := call.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		m := request.GetProposedMessage()
		value = append(append(value, m.GetData()...), m.GetCustomMetadata()...)
	}
	n := b.next.Add(1)
	if err := b.db.Set(binary.BigEndian.AppendUint64(nil, n), value, pebble.Sync); err != nil {
		return internal(err)
	}
	return call.SendAndClose(success(&appending{ids: make([]eventID, 1)}, head{0, n, true}))
}
