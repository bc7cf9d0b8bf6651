package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"govahi/domain/event"
)

const (
	fetchWait = time.Second // how long a quiet feed waits for a message
	fetchMost = 500         // messages taken from the server at once
	heldMost  = 4096        // messages held for one feed; who is further behind reads the log
	retry     = 100 * time.Millisecond
	idle      = time.Minute // after it, the server forgets an unused consumer
)

// Feed is a listener to the stream, from now on. All feeds of a connection share
// one consumer: each message comes over the wire, and is decoded, once for the
// process. It is not acknowledged, and not remembered by the server: what a feed
// misses, event.Follow reads from the log. Close ends all feeds.
func (b *Bus) Feed() event.Feed {
	f := &feed{news: make(chan struct{}, 1)}
	b.tap.add(f)
	return f
}

// tap takes the messages from the server and gives them to the feeds.
type tap struct {
	bus      *Bus
	consumer jetstream.Consumer // nil until opened, and after an error

	mu      sync.Mutex
	feeds   []*feed
	offered event.Position     // what the feeds have had before the server had it
	stop    context.CancelFunc // nil until the first feed
	ended   chan struct{}
}

func (t *tap) add(f *feed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.feeds = append(slices.Clip(t.feeds), f)
	if t.stop != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop, t.ended = stop, make(chan struct{})
	go func() { defer close(t.ended); t.run(ctx) }()
}

func (t *tap) close() {
	t.mu.Lock()
	stop, ended := t.stop, t.ended
	t.mu.Unlock()
	if stop != nil {
		stop()
		<-ended
	}
}

// run fetches for ever; an error is told to all feeds, and tried again. The first
// message goes on at once, before the server is asked for what else is there.
func (t *tap) run(ctx context.Context) {
	for ctx.Err() == nil {
		first, err := t.first(ctx)
		t.give(ctx, first, err)
		if len(first) > 0 && err == nil {
			others, err := t.others()
			t.give(ctx, others, err)
		}
	}
}

func (t *tap) give(ctx context.Context, messages []event.Message, err error) {
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		t.consumer = nil
		err = fmt.Errorf("nats: feed: %w", err)
	}
	t.mu.Lock()
	feeds, offered := t.feeds, t.offered
	t.mu.Unlock()
	messages = slices.DeleteFunc(messages, func(m event.Message) bool { return m.Position <= offered })
	for _, f := range feeds {
		f.put(messages, err)
	}
	if err != nil {
		rest(ctx, retry)
	}
}

// offer gives the feeds of this process what its own relay is about to publish:
// the way over the server is for the others. Whatever becomes of the publication,
// the log holds it.
func (t *tap) offer(r event.Recorded, previous event.Position) {
	t.mu.Lock()
	feeds := t.feeds
	t.offered = r.Position
	t.mu.Unlock()
	for _, f := range feeds {
		f.put([]event.Message{{Recorded: r, Previous: previous, Ack: func() {}}}, nil)
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// open makes the consumer. It is kept in memory: what it forgets, the log knows.
func (t *tap) open(ctx context.Context) error {
	if t.consumer != nil {
		return nil
	}
	stream, err := t.bus.stream(ctx)
	if err != nil {
		return err
	}
	t.consumer, err = stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverNewPolicy,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: idle,
		MemoryStorage:     true,
	})
	return err
}

// first waits for one message; none after a while is no error.
func (t *tap) first(ctx context.Context) ([]event.Message, error) {
	if err := t.open(ctx); err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	batch, err := t.consumer.Fetch(1, jetstream.FetchContext(waiting))
	if err != nil {
		return nil, err
	}
	messages, err := drain(batch)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil
	}
	return messages, err
}

// others are the messages that are there already.
func (t *tap) others() ([]event.Message, error) {
	batch, err := t.consumer.FetchNoWait(fetchMost)
	if err != nil {
		return nil, err
	}
	return drain(batch)
}

// drain reads a pull to its end. A message that is not ours is left out.
func drain(batch jetstream.MessageBatch) ([]event.Message, error) {
	var messages []event.Message
	for raw := range batch.Messages() {
		if m, err := decode(raw.Headers(), raw.Data()); err == nil {
			m.Ack = func() {}
			messages = append(messages, m)
		}
	}
	return messages, batch.Error()
}

// feed holds messages until they are asked for.
type feed struct {
	mu   sync.Mutex
	held []event.Message
	err  error
	news chan struct{} // holds one word that there is something
}

// put adds messages; nobody waits for a feed that does not ask. It then loses
// what it held, which its follower finds in the log at one go. An error stays until
// it is told.
func (f *feed) put(messages []event.Message, err error) {
	if len(messages) == 0 && err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.held)+len(messages) > heldMost {
		f.held = nil
	}
	f.held, f.err = append(f.held, messages...), cmp.Or(err, f.err)
	select {
	case f.news <- struct{}{}:
	default:
	}
}

func (f *feed) take(max int) ([]event.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(max, len(f.held))
	messages, err := f.held[:n:n], f.err
	if f.held, f.err = f.held[n:], nil; len(f.held) == 0 {
		f.held = nil
	}
	return messages, err
}

// Fetch returns as soon as one message is there, with what else is there.
func (f *feed) Fetch(ctx context.Context, max int) ([]event.Message, error) {
	waiting, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	for {
		if messages, err := f.take(max); len(messages) > 0 || err != nil {
			return messages, err
		}
		select {
		case <-f.news:
		case <-waiting.Done():
			return nil, ctx.Err()
		}
	}
}
