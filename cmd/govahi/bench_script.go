package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"govahi/commands"
	"govahi/domain/event"
)

// script is what one command asks of the log and tells it: for each round trip
// the number of events read, or appended.
type script []roundTrip

type roundTrip struct {
	appends bool
	events  int
}

func (s script) String() string {
	reads, appends := 0, 0
	for _, t := range s {
		if t.appends {
			appends++
		} else {
			reads++
		}
	}
	return fmt.Sprintf("%d reads and %d appends", reads, appends)
}

// observed is a log that writes down what it is asked.
type observed struct {
	event.Log
	script script
}

// Append is the log's.
func (o *observed) Append(ctx context.Context, s event.Stream, expected event.Expected, events ...event.Proposed) (event.Receipt, error) {
	o.script = append(o.script, roundTrip{true, len(events)})
	return o.Log.Append(ctx, s, expected, events...)
}

// Read is the log's.
func (o *observed) Read(ctx context.Context, s event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		o.script = append(o.script, roundTrip{})
		trip := len(o.script) - 1
		for e, err := range o.Log.Read(ctx, s, from) {
			o.script[trip].events++
			if !yield(e, err) {
				return
			}
		}
	}
}

// observe runs the command itself on the house's log and counts its round trips;
// the door adds none. The second time it is as warm as under load.
func (m *submissions) observe(ctx context.Context) (script, error) {
	person, err := m.app.People.Person(ctx, personalForm().PersonCode)
	if err != nil {
		return nil, err
	}
	watched, o := *m.app, &observed{}
	for range 2 {
		code, _ := m.take()
		o = &observed{Log: m.app.Log}
		watched.Log = o
		c := commands.Caller{Person: person, Key: "bench-" + code, Question: []byte(code)}
		if _, err := watched.SubmitRequest(ctx, c, code, sampleOffice); err != nil {
			return nil, err
		}
	}
	return o.script, nil
}

// stocked fills the bare log with a stream of each length that is read.
func (m *submissions) stocked(ctx context.Context) (map[int]event.Stream, error) {
	streams := map[int]event.Stream{0: "bench-none"}
	for _, t := range m.script {
		if _, ok := streams[t.events]; ok {
			continue
		}
		stream := event.NewStream("bench", "read", fmt.Sprint(t.events))
		if _, err := m.bare.log.Append(ctx, stream, event.NoStream, usualEvents(stream, t.events)...); err != nil {
			return nil, err
		}
		streams[t.events] = stream
	}
	return streams, nil
}

// bareRate is how often a second so many callers get through the script.
func (m *submissions) bareRate(ctx context.Context, streams map[int]event.Stream, callers int, each time.Duration) (float64, error) {
	return rateOf(ctx, callers, each, func(ctx context.Context, _ int) (bool, error) {
		for _, t := range m.script {
			if err := m.bareTrip(ctx, streams[t.events], t); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

func (m *submissions) bareTrip(ctx context.Context, read event.Stream, t roundTrip) error {
	if t.appends {
		stream := newStream()
		_, err := m.bare.log.Append(ctx, stream, event.NoStream, usualEvents(stream, t.events)...)
		return err
	}
	for _, err := range m.bare.log.Read(ctx, read, 0) {
		if err != nil {
			return err
		}
	}
	return nil
}
