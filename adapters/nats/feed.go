package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"govahi/domain/event"
)

const (
	fetchWait = time.Second      // how long a quiet feed waits for a message
	ackWait   = 30 * time.Second // after it, what was not acknowledged comes again
	idle      = time.Hour        // after it, the server forgets an unused consumer

	maxUnacknowledged = 10_000
)

// Feed is the stream's messages for one consumer, which is named after the
// projection or policy. It begins with new messages and remembers, while the
// server runs, what was acknowledged. Where stream or consumer were deleted, the
// next Fetch makes them anew. It serves one follower at a time.
func (b *Bus) Feed(name string) event.Feed { return &feed{bus: b, name: name} }

type feed struct {
	bus      *Bus
	name     string
	mu       sync.Mutex
	consumer jetstream.Consumer // nil until opened, and after an error
}

// Fetch returns as soon as one message is there, with what else is there.
func (f *feed) Fetch(ctx context.Context, max int) ([]event.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	messages, err := f.fetch(ctx, max)
	if err != nil {
		f.consumer = nil
		return messages, fmt.Errorf("nats: feed %s: %w", f.name, err)
	}
	return messages, nil
}

func (f *feed) fetch(ctx context.Context, max int) ([]event.Message, error) {
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	first, err := f.first(ctx)
	if err != nil || len(first) == 0 || max == 1 {
		return first, err
	}
	batch, err := f.consumer.FetchNoWait(max - 1)
	if err != nil {
		return first, err
	}
	rest, err := drain(batch)
	return append(first, rest...), err
}

// open makes the consumer. It is kept in memory: what it forgets, the log knows.
func (f *feed) open(ctx context.Context) error {
	if f.consumer != nil {
		return nil
	}
	stream, err := f.bus.stream(ctx)
	if err != nil {
		return err
	}
	f.consumer, err = stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:           f.name,
		DeliverPolicy:     jetstream.DeliverNewPolicy,
		AckPolicy:         jetstream.AckExplicitPolicy,
		AckWait:           ackWait,
		MaxAckPending:     maxUnacknowledged,
		InactiveThreshold: idle,
		MemoryStorage:     true,
	})
	return err
}

// first waits for one message; none after a while is no error.
func (f *feed) first(ctx context.Context) ([]event.Message, error) {
	waiting, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	batch, err := f.consumer.Fetch(1, jetstream.FetchContext(waiting))
	if err != nil {
		return nil, err
	}
	messages, err := drain(batch)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil
	}
	return messages, err
}

// drain reads a pull to its end. A message that is not ours is put away.
func drain(batch jetstream.MessageBatch) ([]event.Message, error) {
	var messages []event.Message
	for raw := range batch.Messages() {
		m, err := decode(raw.Headers(), raw.Data())
		if err != nil {
			_ = raw.Term()
			continue
		}
		m.Ack = func() { _ = raw.Ack() } // a lost one only brings a repetition
		messages = append(messages, m)
	}
	return messages, batch.Error()
}
