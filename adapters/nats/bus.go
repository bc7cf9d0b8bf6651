// Package nats carries events from the log to whoever waits for them, through
// one JetStream stream: a relay fills it, feeds read it.
//
// The stream is a buffer that may be wiped at any time. The relay resumes from
// what the stream holds, and event.Follow heals from the log what it lost.
package nats

import (
	"context"
	"fmt"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// StreamName is the one JetStream stream; each event's subject is subjectRoot
// and its stored name.
const (
	StreamName  = "GOVAHI"
	subjectRoot = "govahi."
)

const (
	maxBytes = 256 << 20 // of the stream; the oldest go first

	// Within this window a repeated publication is acknowledged and not stored.
	// It only spares repetitions; order is kept by the fence (event-log §3.1).
	duplicates = 10 * time.Second

	maxPending = 4096        // publications on their way
	stallWait  = time.Second // how long a full pipeline may stand still
	ackTimeout = time.Second // how long one publication may go unanswered
	askTimeout = time.Second // how long a question about the stream may
)

// Bus is a connection to a NATS server with JetStream.
type Bus struct {
	conn       *natsgo.Conn
	js         jetstream.JetStream
	duplicates time.Duration
	tap        tap

	revive func() // replaces a server that turned JetStream off; nothing, if that is not ours
}

// How soon a server that fell silent is given up for another of its cluster.
const (
	pingEvery   = 2 * time.Second
	pingsMissed = 2
	reconnect   = 100 * time.Millisecond
)

// Connect joins the servers of nats:// or tls:// URLs, several by commas.
func Connect(urls string) (*Bus, error) {
	conn, err := natsgo.Connect(urls, natsgo.Name("govahi"), natsgo.MaxReconnects(-1), natsgo.ReconnectWait(reconnect),
		natsgo.PingInterval(pingEvery), natsgo.MaxPingsOutstanding(pingsMissed),
		natsgo.RetryOnFailedConnect(true)) // a house waits for its bus, and serves on meanwhile
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return newBus(conn, func() {})
}

func newBus(conn *natsgo.Conn, revive func()) (*Bus, error) {
	js, err := jetstream.New(conn,
		jetstream.WithPublishAsyncMaxPending(maxPending),
		jetstream.WithPublishAsyncTimeout(ackTimeout),
		jetstream.WithDefaultTimeout(askTimeout))
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("nats: %w", err)
	}
	b := &Bus{conn: conn, js: js, duplicates: duplicates, revive: revive}
	b.tap.bus = b
	return b, nil
}

// Close ends the feeds and the connection.
func (b *Bus) Close() {
	b.tap.close()
	b.conn.Close()
}

// Wipe deletes the stream with its consumers. They are made anew when they are
// needed, so it costs time and nothing else.
func (b *Bus) Wipe(ctx context.Context) error { return b.js.DeleteStream(ctx, StreamName) }

// Check says whether JetStream answers and holds the stream.
func (b *Bus) Check(ctx context.Context) error {
	_, err := b.js.Stream(ctx, StreamName)
	return err
}

// stream finds the stream, or makes it anew where it was deleted.
func (b *Bus) stream(ctx context.Context) (jetstream.Stream, error) {
	b.revive()
	return b.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:        StreamName,
		Description: "Govahi's events in the log's order; a buffer, not the truth",
		Subjects:    []string{subjectRoot + ">"},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		MaxBytes:    maxBytes,
		Replicas:    b.replicas(),
		Duplicates:  b.duplicates,
	})
}

// replicas are three where there are so many servers: the stream goes on when
// one of them dies.
func (b *Bus) replicas() int {
	if b.conn.ConnectedClusterName() != "" && len(b.conn.Servers()) >= 3 {
		return 3
	}
	return 1
}
