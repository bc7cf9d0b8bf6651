package eventstore_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// BenchmarkAppend appends one event of about 500 bytes to a new stream each
// time, durably, by so many callers at once. The ceiling is what Pebble's group
// commit alone does with one key of that size.
func BenchmarkAppend(b *testing.B) {
	data := append(append([]byte{'"'}, bytes.Repeat([]byte{'x'}, 300)...), '"')
	meta := append(append([]byte{'"'}, bytes.Repeat([]byte{'y'}, 180)...), '"')
	for _, callers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("client/%d", callers), func(b *testing.B) {
			log := open(b, startNode(b, b.TempDir(), socket(b)).path)
			measure(b, callers, func(n uint64) error { return appendEvent(b.Context(), log, n, data, meta) })
		})
		b.Run(fmt.Sprintf("ceiling/%d", callers), func(b *testing.B) {
			db, err := pebble.Open(b.TempDir(), &pebble.Options{MemTableSize: 32 << 20, Logger: quiet{}})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			value := append(data, meta...)
			measure(b, callers, func(n uint64) error {
				return db.Set(binary.BigEndian.AppendUint64(nil, n), value, pebble.Sync)
			})
		})
	}
}

func appendEvent(ctx context.Context, log *eventstore.Log, n uint64, data, meta []byte) error {
	name := fmt.Sprint(n)
	_, err := log.Append(ctx, event.NewStream("bench", name), event.NoStream,
		event.Proposed{ID: event.DeriveID(name), Type: "bench.happened.v1", Data: data, Meta: meta})
	return err
}

// measure shares the benchmark's iterations among callers.
func measure(b *testing.B, callers int, call func(n uint64) error) {
	var next atomic.Uint64
	var group sync.WaitGroup
	b.ResetTimer()
	for range callers {
		group.Go(func() {
			for n := next.Add(1); n <= uint64(b.N); n = next.Add(1) {
				if err := call(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
}

type quiet struct{}

func (quiet) Infof(string, ...any)              {}
func (quiet) Errorf(string, ...any)             {}
func (quiet) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// BenchmarkRead reads all events of a log, one after the other.
func BenchmarkRead(b *testing.B) {
	log := open(b, startNode(b, b.TempDir(), socket(b)).path)
	const each = 500
	for i := range (b.N + each - 1) / each {
		events := make([]event.Proposed, each)
		for j := range events {
			events[j] = proposed(fmt.Sprint(i, "-", j))
			events[j].Data = append(append([]byte{'"'}, bytes.Repeat([]byte{'x'}, 300)...), '"')
		}
		if _, err := log.Append(b.Context(), event.NewStream("bench", fmt.Sprint(i)), event.NoStream, events...); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for _, err := range log.ReadAll(b.Context(), 0) {
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((b.N+each-1)/each*each)/b.Elapsed().Seconds(), "events/s")
}
