package main

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/commands/policies"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
)

// replayed are the calls of the log that an issuance made, to be made again, with
// events of the same sizes, on streams beside its own.
type replayed struct {
	request, beside, certificate event.Stream
	attempt, noted               event.Recorded
	intent, started, issued      event.Recorded
}

// logAlone is how often a second the log alone takes the calls of an issuance, when
// nothing is decided, checked, sealed or signed: what the handler could reach at
// most, were all else for nothing. The least of them are those without which no
// handler of any design could do.
func (m *confirming) logAlone(ctx context.Context, requests []event.Stream, least bool) (float64, error) {
	all := make([]replayed, len(requests))
	for k, stream := range requests {
		var err error
		if all[k], err = m.replayed(ctx, stream, least); err != nil {
			return 0, err
		}
	}
	var next atomic.Int64
	workers, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for range policies.Parallel {
		workers.Go(func() error {
			for k := int(next.Add(1)) - 1; k < len(all); k = int(next.Add(1)) - 1 {
				if err := all[k].again(ctx, m.app.Log, least); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := workers.Wait()
	return float64(len(all)) / time.Since(began).Seconds(), err
}

func (m *confirming) replayed(ctx context.Context, stream event.Stream, least bool) (r replayed, err error) {
	request, err := eventsOf(ctx, m.app.Log, stream)
	if err != nil {
		return r, err
	}
	state, err := enrollment.Kind.FoldOn(enrollment.Enrollment{}, request...)
	if err != nil {
		return r, err
	}
	issued, err := eventsOf(ctx, m.app.Log, certificate.Kind.Stream(state.Serial))
	n, under := len(request), event.Stream("replayed-")
	if least {
		under = "least-"
	}
	return replayed{
		stream, under + event.Stream(stream.ID()), under + event.Stream(state.Serial),
		request[n-2], request[n-1], issued[0], issued[1], issued[2],
	}, err
}

// again reads and appends in the order of the handler and the signer. The least are
// what pki §5.3 itself asks for: the intent, the signer's own look at it and at the
// confirmed request, its start, and the record.
func (r replayed) again(ctx context.Context, log event.Log, least bool) error {
	for _, step := range []struct {
		ours bool // and not asked for there
		call func() error
	}{
		{ours: true, call: looking(ctx, log, r.request, 0)},
		{ours: true, call: putting(ctx, log, r.beside, event.NoStream, r.attempt)},
		{call: putting(ctx, log, r.certificate, event.NoStream, r.intent)},
		{call: looking(ctx, log, r.certificate, 0)},
		{call: looking(ctx, log, r.request, 0)},
		{call: putting(ctx, log, r.certificate, 0, r.started)},
		{call: putting(ctx, log, r.certificate, 1, r.issued)},
		{ours: true, call: putting(ctx, log, r.beside, 0, r.noted)},
		{ours: true, call: looking(ctx, log, r.certificate, 3)},
	} {
		if step.ours && least {
			continue
		}
		if err := step.call(); err != nil {
			return err
		}
	}
	return nil
}

func looking(ctx context.Context, log event.Log, stream event.Stream, from uint64) func() error {
	return func() error {
		for _, err := range log.Read(ctx, stream, from) {
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func putting(ctx context.Context, log event.Log, stream event.Stream, at event.Expected, e event.Recorded) func() error {
	return func() error {
		e.ID[0] ^= 0xff
		_, err := log.Append(ctx, stream, at, event.Proposed{ID: e.ID, Type: "replayed." + e.Type, Data: e.Data, Meta: e.Meta})
		return err
	}
}

// eventsOf is a stream as it stands.
func eventsOf(ctx context.Context, log event.Log, stream event.Stream) (all []event.Recorded, err error) {
	for r, err := range log.Read(ctx, stream, 0) {
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}
