package nats

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"govahi/commands/memlog"
	"govahi/domain/event"
)

// TestMain finds goroutines that we leave behind. The server leaves a file store
// open when a stream is asked for while it shuts down.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*fileStore).flushStreamStateLoop"),
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server/ats.Register.func1"))
}

// start starts a server on dir; the test's end stops it.
func start(t *testing.T, dir string) (*Server, *Bus) {
	t.Helper()
	server, err := StartServer(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server, connect(t, server)
}

func connect(t *testing.T, server *Server) *Bus {
	t.Helper()
	bus, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.Close)
	return bus
}

// relay runs a relay until stop is called or the test ends.
func relay(t *testing.T, bus *Bus, log event.Log) (r *Relay, stop func()) {
	t.Helper()
	return relayTo(t, bus, log, slog.New(slog.DiscardHandler))
}

func relayTo(t *testing.T, bus *Bus, log event.Log, report *slog.Logger) (r *Relay, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, done := NewRelay(bus, log, report), make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return r, stop
}

// relays waits until the relay has put an event into the stream.
func relays(t *testing.T, r *Relay, log event.Log) {
	t.Helper()
	until(t, "relay started", func() bool { fill(t, log, 1); return r.Position() > 0 })
	last := fill(t, log, 1)
	until(t, "relay at the head", func() bool { return r.Position() == last.Position })
}

// fill appends n events, each to a stream of its own, and returns the last.
func fill(t *testing.T, log event.Log, n int) event.Receipt {
	t.Helper()
	var receipt event.Receipt
	for range n {
		receipt = put(t, log, []byte(`{"b":1,  "a":"گواهی <&>"}`))
	}
	return receipt
}

func put(t *testing.T, log event.Log, data []byte) event.Receipt {
	t.Helper()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name := event.NewStream("thing", head.String())
	receipt, err := log.Append(t.Context(), name, event.NoStream, event.Proposed{
		ID: event.DeriveID(string(name)), Type: "thing.happened.v1",
		Data: data, Meta: []byte(`{"actor":"somebody", "note":"ی"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func all(t *testing.T, log event.Log) []event.Recorded {
	t.Helper()
	var events []event.Recorded
	for r, err := range log.ReadAll(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, r)
	}
	return events
}

// until waits for a condition that nothing signals.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// follower follows a feed in the background, from a position on.
type follower struct {
	batches chan []event.Recorded
	seen    []event.Recorded
}

func follow(t *testing.T, log event.Log, feed event.Feed) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f, done := &follower{batches: make(chan []event.Recorded)}, make(chan struct{})
	go func() {
		defer close(done)
		for batch, err := range event.Follow(ctx, log, feed, 0, 100) {
			if err != nil {
				return
			}
			select {
			case f.batches <- batch.Events:
				batch.Ack()
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

// reaches reads batches until the position was seen.
func (f *follower) reaches(t *testing.T, p event.Position) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for len(f.seen) == 0 || f.seen[len(f.seen)-1].Position < p {
		select {
		case events := <-f.batches:
			f.seen = append(f.seen, events...)
		case <-deadline:
			t.Fatalf("did not reach %d", p)
		}
	}
}

func last(f *follower) event.Recorded { return f.seen[len(f.seen)-1] }

func (f *follower) sawExactly(t *testing.T, log event.Log) {
	t.Helper()
	want := all(t, log)
	if len(want) != len(f.seen) {
		t.Fatalf("followed %d of %d events", len(f.seen), len(want))
	}
	for i := range want {
		same(t, want[i], f.seen[i])
	}
}

// same compares byte for byte; a difference is shown only where there is one,
// because finding it in a megabyte is slow.
func same(t *testing.T, want, got event.Recorded) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("another event (-log +seen):\n%s", cmp.Diff(want, got))
	}
}

// stored reads the stream's messages as they stand.
func stored(t *testing.T, bus *Bus) []event.Message {
	t.Helper()
	stream, err := bus.js.Stream(t.Context(), StreamName)
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var messages []event.Message
	for n := info.State.FirstSeq; n <= info.State.LastSeq && info.State.Msgs > 0; n++ {
		raw, err := stream.GetMsg(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		m, err := decode(raw.Header, raw.Data)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	return messages
}

// isStretchOf checks that the messages are a stretch of the log up to its end:
// no event twice, none left out, chained by their previous positions.
func isStretchOf(t *testing.T, log []event.Recorded, messages []event.Message) {
	t.Helper()
	skipped := len(log) - len(messages)
	if skipped < 0 {
		t.Fatalf("%d messages of %d events", len(messages), len(log))
	}
	for i, m := range messages {
		same(t, log[skipped+i], m.Recorded)
		if n := skipped + i; n > 0 && m.Previous != log[n-1].Position || n == 0 && m.Previous != 0 {
			t.Fatalf("message %d follows %d", i, m.Previous)
		}
	}
}

func TestRelayBringsTheLogInOrder(t *testing.T) {
	log := memlog.New()
	_, bus := start(t, t.TempDir())
	fill(t, log, 10) // before anybody listens
	f := follow(t, log, bus.Feed())
	r, _ := relay(t, bus, log)
	until(t, "relay at the head", func() bool { return r.Position() == all(t, log)[9].Position })
	f.reaches(t, fill(t, log, 3000).Position)
	f.sawExactly(t, log)
	until(t, "relay at the head", func() bool { return r.Position() == last(f).Position })
	if n := len(stored(t, bus)); n != 3000 {
		t.Errorf("%d messages", n)
	}
	isStretchOf(t, all(t, log), stored(t, bus))
}

func TestTwoRelaysAreOne(t *testing.T) {
	log := memlog.New()
	server, bus := start(t, t.TempDir())
	f := follow(t, log, bus.Feed())
	first, stopFirst := relay(t, bus, log)
	relays(t, first, log)
	fill(t, log, 500)
	second, _ := relay(t, connect(t, server), log)
	fill(t, log, 1000)
	stopFirst()
	fill(t, log, 500)
	third, _ := relay(t, connect(t, server), log)
	last := fill(t, log, 1000)
	for _, r := range []*Relay{second, third} {
		until(t, "relay at the head", func() bool { return r.Position() == last.Position })
	}
	isStretchOf(t, all(t, log), stored(t, bus))
	f.reaches(t, last.Position)
	f.sawExactly(t, log)
}

// stalled is a log whose subscriptions stand still between two events.
type stalled struct {
	event.Log
	passes  int // so many events first
	release chan struct{}
}

func (l stalled) Subscribe(ctx context.Context, after event.Position, prefixes ...string) iter.Seq2[event.Delivery, error] {
	return func(yield func(event.Delivery, error) bool) {
		seen := 0
		for d, err := range l.Log.Subscribe(ctx, after, prefixes...) {
			if d.Event != nil {
				seen++
			}
			if seen > l.passes {
				select {
				case <-l.release:
				case <-ctx.Done():
				}
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// TestDisplacedRelayIsRefused lets a relay sleep beyond the window in which its
// repetitions would be taken for duplicates: only the fence is left.
func TestDisplacedRelayIsRefused(t *testing.T) {
	log := memlog.New()
	server, bus := start(t, t.TempDir())
	other := connect(t, server)
	bus.duplicates, other.duplicates = 100*time.Millisecond, 100*time.Millisecond
	first := fill(t, log, 1)
	release := make(chan struct{})
	slow, _ := relay(t, bus, stalled{log, 3, release})
	until(t, "the slow relay started", func() bool { return slow.Position() == first.Position })
	third := fill(t, log, 3)
	until(t, "the slow relay stalled", func() bool { return slow.Position() == third.Position })
	fill(t, log, 5)
	quick, _ := relay(t, other, log)
	relays(t, quick, log)
	messages := stored(t, bus)
	known := messages[len(messages)-1].Recorded
	until(t, "the window closed", func() bool {
		// Refused, once it is no longer taken for a duplicate.
		_, err := bus.js.PublishMsg(t.Context(), encode(known, 0, 1<<20), jetstream.WithExpectLastMsgID("nobody's"))
		return err != nil
	})
	close(release)
	last := fill(t, log, 5)
	for _, r := range []*Relay{slow, quick} {
		until(t, "relay at the head", func() bool { return r.Position() == last.Position })
	}
	isStretchOf(t, all(t, log), stored(t, bus))
}

func TestNothingIsLostWhenTheStreamIs(t *testing.T) {
	wipes := map[string]func(*testing.T, *Bus) error{
		"stream deleted": func(t *testing.T, b *Bus) error { return b.js.DeleteStream(t.Context(), StreamName) },
		"stream purged": func(t *testing.T, b *Bus) error {
			s, err := b.stream(t.Context())
			if err != nil {
				return err
			}
			return s.Purge(t.Context())
		},
		"consumer deleted": func(t *testing.T, b *Bus) error {
			return harms["consumers deleted"](t.Context(), b)
		},
		"last message deleted": func(t *testing.T, b *Bus) error {
			s, err := b.stream(t.Context())
			if err != nil {
				return err
			}
			info, err := s.Info(t.Context())
			if err != nil {
				return err
			}
			return s.DeleteMsg(t.Context(), info.State.LastSeq)
		},
	}
	for name, wipe := range wipes {
		t.Run(name, func(t *testing.T) {
			log := memlog.New()
			_, bus := start(t, t.TempDir())
			f := follow(t, log, bus.Feed())
			r, stop := relay(t, bus, log)
			relays(t, r, log)
			f.reaches(t, fill(t, log, 200).Position)
			until(t, "stream filled", func() bool { return r.Position() == last(f).Position })
			consuming(t, bus)
			if err := wipe(t, bus); err != nil {
				t.Fatal(err)
			}
			f.reaches(t, fill(t, log, 200).Position)
			until(t, "relay goes on", func() bool { return r.Position() == last(f).Position })
			stop()
			consuming(t, bus)
			if err := wipe(t, bus); err != nil {
				t.Fatal(err)
			}
			r, _ = relay(t, bus, log)
			relays(t, r, log)
			f.reaches(t, fill(t, log, 1).Position)
			f.sawExactly(t, log)
		})
	}
}

// consuming waits until the feed's consumer is there.
func consuming(t *testing.T, bus *Bus) {
	t.Helper()
	until(t, "consumer made", func() bool {
		info, err := bus.js.Stream(t.Context(), StreamName)
		return err == nil && info.CachedInfo().State.Consumers > 0
	})
}

func TestServerMayLoseItsDirectory(t *testing.T) {
	log, dir := memlog.New(), t.TempDir()
	for range 2 {
		server, err := StartServer(dir)
		if err != nil {
			t.Fatal(err)
		}
		bus, err := server.Connect()
		if err != nil {
			t.Fatal(err)
		}
		r, stop := relay(t, bus, log)
		relays(t, r, log)
		last := fill(t, log, 10)
		until(t, "relay at the head", func() bool { return r.Position() == last.Position })
		stop()
		bus.Close()
		server.Close()
		fill(t, log, 10) // while it is down
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	_, bus := start(t, dir)
	relay(t, bus, log)
	f := follow(t, log, bus.Feed())
	f.reaches(t, fill(t, log, 10).Position)
	f.sawExactly(t, log)
}

func TestRelayResumesFromItsStreamAfterARestart(t *testing.T) {
	log, dir := memlog.New(), t.TempDir()
	server, err := StartServer(dir)
	if err != nil {
		t.Fatal(err)
	}
	bus, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	r, stop := relay(t, bus, log)
	relays(t, r, log)
	stop()
	bus.Close()
	server.Close()
	last := fill(t, log, 300)
	_, bus = start(t, dir)
	r, _ = relay(t, bus, log)
	until(t, "relay at the head", func() bool { return r.Position() == last.Position })
	isStretchOf(t, all(t, log), stored(t, bus))
}

func TestStreamOfAnotherLogIsReplaced(t *testing.T) {
	old, log := memlog.New(), memlog.New()
	_, bus := start(t, t.TempDir())
	r, stop := relay(t, bus, old)
	relays(t, r, old)
	stop()
	for _, e := range all(t, old) { // the same streams and positions, other events
		_, err := log.Append(t.Context(), e.Stream, event.NoStream, event.Proposed{
			ID: event.DeriveID("another", e.ID.String()), Type: e.Type, Data: e.Data, Meta: e.Meta,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r, _ = relay(t, bus, log)
	f := follow(t, log, bus.Feed())
	last := fill(t, log, 3)
	until(t, "relay at the head", func() bool { return r.Position() == last.Position })
	f.reaches(t, last.Position)
	f.sawExactly(t, log)
	isStretchOf(t, all(t, log), stored(t, bus))
}

func TestMessageCarriesTheEventExactlyOrRefersToIt(t *testing.T) {
	log := memlog.New()
	_, bus := start(t, t.TempDir())
	f := follow(t, log, bus.Feed())
	r, _ := relay(t, bus, log)
	relays(t, r, log)
	put(t, log, append(bytes.Repeat([]byte(" "), 1<<20-4<<10), "{}"...))
	_, err := log.Append(t.Context(), "thing-lines", event.NoStream, event.Proposed{
		ID: event.DeriveID("lines"), Type: "thing.happened.v1", Data: []byte("{}"), Meta: []byte("{\n}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	last := fill(t, log, 5)
	until(t, "relay at the head", func() bool { return r.Position() == last.Position })
	f.reaches(t, last.Position)
	f.sawExactly(t, log)
	bare := slices.DeleteFunc(stored(t, bus), func(m event.Message) bool { return len(m.Data) > 0 })
	if len(bare) != 1 || bare[0].Stream != "thing-lines" {
		t.Errorf("%d references", len(bare))
	}
	tooLarge := encode(event.Recorded{Type: "a.b.v1", Data: make([]byte, 1000), Created: time.Now()}, 0, 1500)
	if len(tooLarge.Data) != 0 {
		t.Error("a message above the limit carries its event")
	}
}

func TestSubjectIsLegalWhateverTheName(t *testing.T) {
	for name, want := range map[string]string{
		"certificate.issued.v2": "govahi.certificate.issued.v2",
		".a..b *.>":             "govahi.a.b__._",
	} {
		if got := subject(name); got != want {
			t.Errorf("%q: %q, not %q", name, got, want)
		}
	}
}

func TestFeedIsQuickAndFetchEndsWithItsContext(t *testing.T) {
	log := memlog.New()
	_, bus := start(t, t.TempDir())
	f := follow(t, log, bus.Feed())
	r, _ := relay(t, bus, log)
	relays(t, r, log)
	f.reaches(t, fill(t, log, 1).Position)
	until(t, "live", func() bool {
		begun := time.Now()
		f.reaches(t, fill(t, log, 1).Position)
		return time.Since(begun) < 50*time.Millisecond
	})
	took := make([]time.Duration, 200)
	for i := range took {
		begun := time.Now()
		f.reaches(t, fill(t, log, 1).Position)
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	t.Log("append to followed:", fmt.Sprint("p50 ", took[100], " p99 ", took[198]))
	if took[100] > 20*time.Millisecond {
		t.Errorf("half of the events took longer than %s", took[100])
	}
	ctx, cancel := context.WithCancel(t.Context())
	feed := bus.Feed()
	if _, err := feed.Fetch(ctx, 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := feed.Fetch(ctx, 1); err == nil {
		t.Error("a fetch outlived its context")
	}
}

func TestStreamIsBounded(t *testing.T) {
	_, bus := start(t, t.TempDir())
	stream, err := bus.stream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := stream.CachedInfo().Config
	if c.MaxBytes != maxBytes || c.Discard != jetstream.DiscardOld || c.MaxAge != 0 {
		t.Errorf("%+v", c)
	}
}
