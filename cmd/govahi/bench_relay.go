package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"govahi/adapters/nats"
	"govahi/domain/event"
)

// relay measures how fast a relay that was away catches up, beside the same
// messages published from memory, each fenced by the one before.
func (r *benchRun) relay(ctx context.Context) error {
	h, err := r.history(ctx)
	if err != nil {
		return err
	}
	server, err := nats.StartServer(filepath.Join(r.dir, "relay"))
	if err != nil {
		return err
	}
	defer server.Close()
	bus, err := server.Connect()
	if err != nil {
		return err
	}
	defer bus.Close()
	conn, err := natsgo.Connect("", natsgo.InProcessServer(server))
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(4096))
	if err != nil {
		return err
	}
	m := relaying{js: js, bus: bus}
	if m.log.end, m.events, err = endOf(ctx, h.log, r.sampled); err != nil {
		return err
	}
	m.log.Log = h.log
	what := "relay catching up"
	r.step(fmt.Sprintf("%s with %d events", what, m.events))
	p, err := r.inTurn(3, r.profiled("relay", func() (float64, error) { return m.catchUp(ctx) }), func() (float64, error) { return m.publish(ctx) })
	if err == nil {
		r.report.add(p.figure("relay", what, "events/s").atLeast(0.6).noted("%d events", m.events))
	}
	return err
}

type relaying struct {
	log      beginning
	events   int
	bus      *nats.Bus
	js       jetstream.JetStream
	config   jetstream.StreamConfig
	messages []*natsgo.Msg
}

// beginning is a log of which the relay has seen nothing, up to an end.
type beginning struct {
	event.Log
	end event.Position
}

// Head is where a relay without a stream begins.
func (b beginning) Head(context.Context) (event.Position, error) { return 0, nil }

// Subscribe brings nothing behind the end.
func (b beginning) Subscribe(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Delivery, error] {
	return func(yield func(event.Delivery, error) bool) {
		for d, err := range b.Log.Subscribe(ctx, after, prefixes...) {
			if !yield(d, err) || err != nil {
				return
			}
			if d.Event != nil && d.Event.Position >= b.end {
				break
			}
		}
		<-ctx.Done()
	}
}

func (m *relaying) catchUp(ctx context.Context) (float64, error) {
	if err := m.bus.Wipe(ctx); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, err
	}
	running, stop := context.WithCancel(ctx)
	relay := nats.NewRelay(m.bus, m.log, slog.New(slog.DiscardHandler))
	began, over := time.Now(), make(chan struct{})
	go func() { defer close(over); _ = relay.Run(running) }()
	for relay.Position() < m.log.end && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	took := time.Since(began)
	stop()
	<-over
	return float64(m.events) / took.Seconds(), ctx.Err()
}

// publish sends the messages that the relay sent, to a stream like the relay's.
func (m *relaying) publish(ctx context.Context) (float64, error) {
	if err := m.take(ctx); err != nil {
		return 0, err
	}
	if err := m.js.DeleteStream(ctx, m.config.Name); err != nil {
		return 0, err
	}
	if _, err := m.js.CreateStream(ctx, m.config); err != nil {
		return 0, err
	}
	began := time.Now()
	fence := jetstream.WithExpectLastSequence(0)
	acks := make([]jetstream.PubAckFuture, 0, len(m.messages))
	for _, message := range m.messages {
		ack, err := m.js.PublishMsgAsync(message, fence, jetstream.WithStallWait(time.Second))
		if err != nil {
			return 0, err
		}
		acks = append(acks, ack)
		fence = jetstream.WithExpectLastSequence(uint64(len(acks)))
	}
	<-m.js.PublishAsyncComplete()
	took := time.Since(began)
	for _, ack := range acks {
		select {
		case err := <-ack.Err():
			return 0, err
		case <-ack.Ok():
		}
	}
	return float64(len(m.messages)) / took.Seconds(), nil
}

// take reads once what the relay published, without its fences.
func (m *relaying) take(ctx context.Context) error {
	if m.messages != nil {
		return nil
	}
	stream, err := m.js.Stream(ctx, nats.StreamName)
	if err != nil {
		return err
	}
	m.config = stream.CachedInfo().Config
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	for all := int(stream.CachedInfo().State.Msgs); len(m.messages) < all; {
		batch, err := consumer.Fetch(min(1000, all-len(m.messages)))
		if err != nil {
			return err
		}
		for raw := range batch.Messages() {
			message := &natsgo.Msg{Subject: raw.Subject(), Data: raw.Data(), Header: natsgo.Header{}}
			for name, values := range raw.Headers() {
				if !strings.HasPrefix(name, "Nats-Expected-") {
					message.Header[name] = values
				}
			}
			m.messages = append(m.messages, message)
		}
	}
	return nil
}
