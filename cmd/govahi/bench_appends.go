package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// appends measures durable appends of one event to a new stream each, by the
// official client over a Unix socket, beside the same calls to a server that
// makes one key durable and does nothing else.
func (r *benchRun) appends(ctx context.Context) error {
	node, err := r.node(ctx, "appends")
	if err != nil {
		return err
	}
	defer node.close()
	bare, err := r.bare("bare")
	if err != nil {
		return err
	}
	defer bare.close()
	for _, callers := range []int{1, 16, 64, 256} {
		what := fmt.Sprintf("durable appends, %d callers", callers)
		r.step(what)
		p, err := r.inTurn(
			12,
			r.profiled(fmt.Sprintf("appends-%d", callers), func() (float64, error) { return appendRate(ctx, node.log, callers, r.each) }),
			func() (float64, error) { return appendRate(ctx, bare.log, callers, r.each) },
		)
		if err != nil {
			return err
		}
		r.report.add(p.figure("appends", what, "appends/s").atLeast(0.7))
	}
	return nil
}

// served is a server on a Unix socket, and the log's adapter before it.
type served struct {
	log   *eventstore.Log
	close func()
}

func (r *benchRun) node(ctx context.Context, name string) (*served, error) {
	node, err := eventnode.Open(ctx, filepath.Join(r.dir, name), eventnode.Options{})
	if err != nil {
		return nil, err
	}
	return r.serve(name, node)
}

func (r *benchRun) bare(name string) (*served, error) {
	bare, err := eventnode.OpenBare(filepath.Join(r.dir, name))
	if err != nil {
		return nil, err
	}
	return r.serve(name, bare)
}

// server is a node, bare or whole.
type server interface {
	Serve(l net.Listener) error
	Close() error
}

func (r *benchRun) serve(name string, s server) (*served, error) {
	socket := filepath.Join(r.dir, name+".sock")
	l, err := eventnode.ListenUnix(socket)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	over := make(chan struct{})
	go func() { defer close(over); _ = s.Serve(l) }()
	log, err := eventstore.Open(socket)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &served{log, func() { _, _ = log.Close(), s.Close(); <-over }}, nil
}

// benchStreams numbers the streams of all measurements: each is new.
var benchStreams atomic.Int64

// A usual event and its metadata, in bytes.
var (
	usualData = []byte(`"` + strings.Repeat("x", 300) + `"`)
	usualMeta = []byte(`"` + strings.Repeat("y", 300) + `"`)
)

func newStream() event.Stream { return event.NewStream("bench", fmt.Sprint(benchStreams.Add(1))) }

func usualEvents(stream event.Stream, n int) []event.Proposed {
	events := make([]event.Proposed, n)
	for k := range events {
		id := event.DeriveID(string(stream), fmt.Sprint(k))
		events[k] = event.Proposed{ID: id, Type: "bench.appended.v1", Data: usualData, Meta: usualMeta}
	}
	return events
}

func usualAppend(ctx context.Context, log event.Log) error {
	stream := newStream()
	_, err := log.Append(ctx, stream, event.NoStream, usualEvents(stream, 1)...)
	return err
}

// appendRate is how many appends so many callers get through in a second.
func appendRate(ctx context.Context, log event.Log, callers int, within time.Duration) (float64, error) {
	return rateOf(ctx, callers, within, func(ctx context.Context, _ int) (bool, error) { return true, usualAppend(ctx, log) })
}

// rateOf lets callers do the same again and again for a while; each knows his
// number, and says whether there is more to do.
func rateOf(ctx context.Context, callers int, within time.Duration, do func(context.Context, int) (more bool, err error)) (float64, error) {
	var done atomic.Int64
	all, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for caller := range callers {
		all.Go(func() error {
			for time.Since(began) < within {
				more, err := do(ctx, caller)
				if err != nil || !more {
					return err
				}
				done.Add(1)
			}
			return nil
		})
	}
	err := all.Wait()
	return float64(done.Load()) / time.Since(began).Seconds(), err
}
