package nats

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"govahi/commands/memlog"
	"govahi/domain/event"
)

// harms are what may happen to the stream behind our back.
var harms = map[string]func(context.Context, *Bus) error{
	"stream deleted": func(ctx context.Context, b *Bus) error { return b.js.DeleteStream(ctx, StreamName) },
	"stream purged": func(ctx context.Context, b *Bus) error {
		s, err := b.js.Stream(ctx, StreamName)
		if err != nil {
			return err
		}
		return s.Purge(ctx)
	},
	"consumers deleted": func(ctx context.Context, b *Bus) error {
		s, err := b.js.Stream(ctx, StreamName)
		if err != nil {
			return err
		}
		for name := range s.ConsumerNames(ctx).Name() {
			if err := s.DeleteConsumer(ctx, name); err != nil {
				return err
			}
		}
		return nil
	},
	"all of it, twice": func(ctx context.Context, b *Bus) error {
		for range 2 {
			_, _ = b.stream(ctx) // the server may still be removing the old one's files
			if err := b.Wipe(ctx); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
				return err
			}
		}
		return nil
	},
}

// lines counts what is logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), "\n")
}

// counted is a feed that counts how often it is asked.
type counted struct {
	event.Feed
	asked *atomic.Int64
}

func (c counted) Fetch(ctx context.Context, max int) ([]event.Message, error) {
	c.asked.Add(1)
	return c.Feed.Fetch(ctx, max)
}

// appending appends all the time, until stop.
func appending(t *testing.T, log event.Log) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			fill(t, log, 5)
			select {
			case <-ctx.Done():
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// back is when relay and feeds must be well again.
const back = 2 * time.Second

// TestTheStreamMayGoAtAnyMoment, while events are appended: whoever follows
// misses nothing, and the stream soon holds the log's end again.
func TestTheStreamMayGoAtAnyMoment(t *testing.T) {
	for name, harm := range harms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, said := memlog.New(), &lines{}
			_, bus := start(t, t.TempDir())
			asked := &atomic.Int64{}
			f := follow(t, log, counted{bus.Feed(), asked})
			r, stop := relayTo(t, bus, log, slog.New(slog.NewTextHandler(said, nil)))
			defer stop()
			relays(t, r, log)
			for range 6 {
				quiet := appending(t, log)
				time.Sleep(rand.N(150 * time.Millisecond)) // a random moment
				if err := harm(t.Context(), bus); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
					t.Fatal(err)
				}
				began := time.Now()
				time.Sleep(rand.N(50 * time.Millisecond)) // and some more are lost
				head, err := log.Head(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				until(t, "the stream is at the head", func() bool { return r.Position() >= head })
				f.reaches(t, head)
				if took := time.Since(began); took > back {
					t.Errorf("back after %v", took)
				}
				quiet()
			}
			last := fill(t, log, 1)
			f.reaches(t, last.Position)
			f.sawExactly(t, log)
			if n := said.count(); n > 2 {
				t.Errorf("%d lines are logged of one episode:\n%s", n, said.text.String())
			}
			until(t, "the relay says that it is well", func() bool { at, err := r.Status(); return err == nil && at == last.Position })
			if err := bus.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAHarmedStreamIsNoBusyLoop: nothing happens in the log meanwhile.
func TestAHarmedStreamIsNoBusyLoop(t *testing.T) {
	t.Parallel()
	log := memlog.New()
	server, bus := start(t, t.TempDir())
	asked := &atomic.Int64{}
	f := follow(t, log, counted{bus.Feed(), asked})
	r, _ := relay(t, bus, log)
	relays(t, r, log)
	f.reaches(t, fill(t, log, 1).Position)
	if err := server.inner.DisableJetStream(); err != nil {
		t.Fatal(err)
	}
	began, before := time.Now(), asked.Load()
	until(t, "JetStream is found to be away", func() bool { return bus.Check(t.Context()) != nil || asked.Load() > before+3 })
	f.reaches(t, fill(t, log, 5).Position) // the log serves
	if rate := float64(asked.Load()-before) / max(1, time.Since(began).Seconds()); rate > 20 {
		t.Errorf("the feed is asked %.0f times a second", rate)
	}
}

// TestJetStreamComesBack: the server turns it off by itself, as on a full disk.
// What the relay of the same process brings meanwhile does not hide from a busy
// consumer that the server fails.
func TestAnEventOfferedDoesNotHideATrouble(t *testing.T) {
	f, down := &feed{news: make(chan struct{}, 1)}, errors.New("down")
	b := &Bus{}
	b.tap.feeds = []*feed{f}
	f.put(nil, down)
	b.tap.offer(event.Recorded{Position: 2}, 1)
	if messages, err := f.Fetch(t.Context(), 10); len(messages) != 1 || !errors.Is(err, down) {
		t.Errorf("%d messages, %v", len(messages), err)
	}
	b.tap.offer(event.Recorded{Position: 3}, 2)
	if messages, err := f.Fetch(t.Context(), 10); len(messages) != 1 || err != nil {
		t.Errorf("told twice: %d messages, %v", len(messages), err)
	}
}

func TestJetStreamComesBack(t *testing.T) {
	t.Parallel()
	log := memlog.New()
	server, bus := start(t, t.TempDir())
	f := follow(t, log, bus.Feed())
	r, _ := relay(t, bus, log)
	relays(t, r, log)
	for range 3 {
		f.reaches(t, fill(t, log, 20).Position)
		if err := server.inner.DisableJetStream(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		last := fill(t, log, 20)
		f.reaches(t, last.Position)
		until(t, "the relay is at the head", func() bool { at, err := r.Status(); return err == nil && at >= last.Position })
		until(t, "the bus is well", func() bool { return bus.Check(t.Context()) == nil })
		if took := time.Since(began); took > 2*back {
			t.Errorf("back after %v", took)
		}
	}
	f.reaches(t, fill(t, log, 1).Position)
	f.sawExactly(t, log)
}

// TestAFullDiskIsSurvived: followers read the log meanwhile, and the stream is
// there again once there is room.
func TestAFullDiskIsSurvived(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Fatal("this test mounts a small file system: run it as root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Fatalf("a small file system is mounted for this test: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	log := memlog.New()
	_, bus := start(t, filepath.Join(dir, "nats"))
	f := follow(t, log, bus.Feed())
	r, stop := relay(t, bus, log)
	defer stop()
	relays(t, r, log)
	for range 2 {
		filler := filepath.Join(dir, "filler")
		file, err := os.Create(filler)
		if err != nil {
			t.Fatal(err)
		}
		for block := make([]byte, 64<<10); err == nil; {
			_, err = file.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) || file.Close() != nil {
			t.Fatal(err)
		}
		until(t, "the relay is in trouble", func() bool {
			f.reaches(t, put(t, log, bytes.Repeat([]byte("1"), 50_000)).Position)
			_, err := r.Status()
			return err != nil
		})
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		last := fill(t, log, 1)
		until(t, "the relay is at the head", func() bool { at, err := r.Status(); return err == nil && at >= last.Position })
		if took := time.Since(began); took > 2*back {
			t.Errorf("back after %v", took)
		}
		f.reaches(t, fill(t, log, 1).Position)
	}
	f.sawExactly(t, log)
}
