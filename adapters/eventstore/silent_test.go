package eventstore_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// line is the way to a node. It can be cut as a cable is: whoever speaks into it
// hears nothing, not even that it was cut; and it stays cut for the connections
// of that time when others go through again.
type line struct {
	listener net.Listener
	to       string
	age      atomic.Int64 // connections of another age are cut
	all      sync.WaitGroup
}

func (l *line) cut() { l.age.Add(1) }

func (l *line) serve() {
	for {
		in, err := l.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", l.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		born := l.age.Load()
		for from, to := range map[net.Conn]net.Conn{in: out, out: in} {
			l.all.Go(func() { l.carry(from, to, born) })
		}
	}
}

func (l *line) carry(from, to net.Conn, born int64) {
	defer func() { _, _ = from.Close(), to.Close() }()
	words := make([]byte, 32<<10)
	for {
		n, err := from.Read(words)
		if err != nil {
			return
		}
		if l.age.Load() != born {
			continue
		}
		if _, err := to.Write(words[:n]); err != nil {
			return
		}
	}
}

// overALine is a log behind a line, and the line.
func overALine(t *testing.T) (*eventstore.Log, *line) {
	t.Helper()
	node, err := eventnode.Open(t.Context(), t.TempDir(), eventnode.Options{})
	must(t, err)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() { _ = node.Serve(inner) }()
	outer, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l := &line{listener: outer, to: inner.Addr().String()}
	go l.serve()
	log, err := eventstore.Open("esdb://" + outer.Addr().String() + "?tls=false")
	must(t, err)
	t.Cleanup(func() {
		_ = log.Close()
		_ = node.Close()
		_ = outer.Close()
		l.all.Wait()
	})
	return log, l
}

func TestACutLineIsLeftForAnother(t *testing.T) {
	log, line := overALine(t)
	_, err := log.Append(t.Context(), "line-1", event.NoStream, proposed("first"))
	must(t, err)
	line.cut()
	began := time.Now()
	_, err = log.Append(t.Context(), "line-1", 0, proposed("second"))
	if took := time.Since(began); err != nil || took > 5*time.Second {
		t.Errorf("after %v an append over the next line says %v", took, err)
	}
}

func TestALineThatIsCutUnderAReadIsToldAsSuch(t *testing.T) {
	log, line := overALine(t)
	var events []event.Proposed
	for n := range 100 {
		e := proposed(fmt.Sprint(t.Name(), n))
		e.Data = []byte(`"` + strings.Repeat("x", 8000) + `"`)
		events = append(events, e)
	}
	_, err := log.Append(t.Context(), "line-1", event.NoStream, events...)
	must(t, err)
	seen, failed := 0, error(nil)
	for _, err := range log.Read(t.Context(), "line-1", 0) {
		if failed = err; err != nil {
			break
		}
		if seen++; seen == 1 {
			line.cut()
		}
	}
	if !errors.Is(failed, eventstore.ErrUnavailable) || seen == len(events) {
		t.Errorf("after %d of %d events it says %v", seen, len(events), failed)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
