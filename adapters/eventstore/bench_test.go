package eventstore_test

import (
	"bytes"
	"fmt"
	"testing"

	"govahi/domain/event"
)

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
