// Package logtest is the conformance suite of event.Log: what every log promises,
// be it in memory, the embedded node, or EventStoreDB.
//
// The suite uses fresh stream names and event types and starts at the head, so
// that it may run on a log that is in use.
package logtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"govahi/domain/event"
)

// patience bounds what must happen; nothing waits for it to pass.
const patience = 30 * time.Second

// Run checks a log's promises; open gives the log that a test shall use.
func Run(t *testing.T, open func(t *testing.T) event.Log) {
	for _, test := range []struct {
		name string
		run  func(*check)
	}{
		{"an append tells where it ended", receipts},
		{"a stream is read as it was written", roundTrip},
		{"a stream is read from a revision on", readFrom},
		{"a stream is read from its end", readBack},
		{"a missing stream is empty", missingStream},
		{"an unexpected revision is refused", wrongRevision},
		{"a repeated append returns the first receipt", repetition},
		{"a repeated append succeeds after the stream moved on", lateRepetition},
		{"the same append by many at once is stored once", repetitionAtOnce},
		{"an append that only begins like the stored one is refused", prefixConflict},
		{"nothing, no ID and no type are refused", malformed},
		{"an append above 1 MiB is refused", tooLarge},
		{"positions grow and all events are read in order", order},
		{"reading all starts after the position", exclusive},
		{"reading all chooses by type", byType},
		{"the head is the last event's position", headIsLast},
		{"a long stream is read whole", longStream},
		{"writers racing for one stream lose and double nothing", race},
		{"a subscription catches up and lives", liveSubscription},
		{"a subscription from the head brings only what is new", fromHead},
		{"a subscription's checkpoints allow to resume", resume},
		{"a quiet subscription still tells how far it is", quietCheckpoints},
		{"a slow subscriber under load loses nothing", slowSubscriber},
		{"a cancelled subscription ends at once, with the reason", cancelledSubscription},
		{"a broken read is not an end", brokenRead},
		{"a read may be left early", leftEarly},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(newCheck(t, open(t))) })
	}
}

// check is one test: a log, and names that no other test has.
type check struct {
	*testing.T
	log    event.Log
	ctx    context.Context
	unique string
	start  event.Position // the head when the test began
}

func newCheck(t *testing.T, log event.Log) *check {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	c := &check{T: t, log: log, ctx: ctx, unique: hex.EncodeToString(random[:])}
	c.start = c.head()
	return c
}

func (c *check) stream(name string) event.Stream {
	return event.NewStream("logtest", c.unique, name)
}

// kind is an event type of this test alone.
func (c *check) kind(name string) string { return "logtest." + c.unique + "." + name }

// events makes n events that differ from all others.
func (c *check) events(cause string, n int) []event.Proposed {
	events := make([]event.Proposed, n)
	for i := range events {
		events[i] = event.Proposed{
			ID:   event.DeriveID(c.unique, cause, fmt.Sprint(i)),
			Type: c.kind("happened.v1"),
			Data: fmt.Appendf(nil, `{"cause":%q,"number":%d}`, cause, i),
			Meta: fmt.Appendf(nil, `{"actor":"logtest","note":"%s %d"}`, "گواهی", i),
		}
	}
	return events
}

func (c *check) must(receipt event.Receipt, err error) event.Receipt {
	c.Helper()
	if err != nil {
		c.Fatalf("append: %v", err)
	}
	return receipt
}

func (c *check) head() event.Position {
	c.Helper()
	p, err := c.log.Head(c.ctx)
	if err != nil {
		c.Fatalf("head: %v", err)
	}
	return p
}

func (c *check) read(stream event.Stream, from uint64) []event.Recorded {
	c.Helper()
	var events []event.Recorded
	for r, err := range c.log.Read(c.ctx, stream, from) {
		if err != nil {
			c.Fatalf("read: %v", err)
		}
		events = append(events, r)
	}
	return events
}

// all reads the events of this test.
func (c *check) all(after event.Position, kinds ...string) []event.Recorded {
	c.Helper()
	var events []event.Recorded
	for r, err := range c.log.ReadAll(c.ctx, after, kinds...) {
		if err != nil {
			c.Fatalf("read all: %v", err)
		}
		events = append(events, r)
	}
	return events
}

func ids(events []event.Recorded) []event.ID {
	var ids []event.ID
	for _, r := range events {
		ids = append(ids, r.ID)
	}
	return ids
}

func proposedIDs(events []event.Proposed) []event.ID {
	var ids []event.ID
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

func (c *check) same(what string, got, want []event.ID) {
	c.Helper()
	if !slices.Equal(got, want) {
		c.Fatalf("%s: got %d events, want %d, or in another order", what, len(got), len(want))
	}
}

func (c *check) refused(err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Fatalf("got error %v, want %v", err, want)
	}
}

func receipts(c *check) {
	first := c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("first", 2)...))
	if first.Stream != c.stream("a") || first.Revision != 1 || first.Position <= c.start {
		c.Fatalf("receipt %+v, head was %d", first, c.start)
	}
	second := c.must(c.log.Append(c.ctx, c.stream("a"), 1, c.events("second", 1)...))
	if second.Revision != 2 || second.Position <= first.Position {
		c.Fatalf("receipt %+v after %+v", second, first)
	}
	if last := c.read(c.stream("a"), 2)[0]; last.Position != second.Position {
		c.Fatalf("position %d, receipt says %d", last.Position, second.Position)
	}
}

func roundTrip(c *check) {
	want := c.events("written", 3)
	before := time.Now().Add(-time.Hour) // the log has its own clock
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, want...))
	got := c.read(c.stream("a"), 0)
	c.same("stream", ids(got), proposedIDs(want))
	for i, r := range got {
		if r.Stream != c.stream("a") || r.Revision != uint64(i) || r.Type != want[i].Type {
			c.Fatalf("event %d is %+v", i, r)
		}
		if !bytes.Equal(r.Data, want[i].Data) || !bytes.Equal(r.Meta, want[i].Meta) {
			c.Fatalf("event %d holds %s and %s", i, r.Data, r.Meta)
		}
		if r.Created.Before(before) {
			c.Fatalf("event %d was created at %v", i, r.Created)
		}
	}
}

func readFrom(c *check) {
	want := c.events("written", 5)
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, want...))
	c.same("from 3", ids(c.read(c.stream("a"), 3)), proposedIDs(want[3:]))
	c.same("from behind the end", ids(c.read(c.stream("a"), 5)), nil)
}

func readBack(c *check) {
	want := c.events("written", 150) // more than a page
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, want...))
	var all []event.Recorded
	for r, err := range c.log.ReadBack(c.ctx, c.stream("a")) {
		if err != nil {
			c.Fatal(err)
		}
		all = append(all, r)
	}
	slices.Reverse(all)
	c.same("from the end", ids(all), proposedIDs(want))
	for r, err := range c.log.ReadBack(c.ctx, c.stream("a")) {
		if err != nil || r.Revision != 149 {
			c.Fatalf("the last is %d, %v", r.Revision, err)
		}
		break
	}
	for r, err := range c.log.ReadBack(c.ctx, c.stream("none")) {
		c.Fatalf("a missing stream has %v, %v", r, err)
	}
	ended, cancel := context.WithCancel(c.ctx)
	cancel()
	for _, err := range c.log.ReadBack(ended, c.stream("a")) {
		if err == nil {
			c.Fatal("a read that was cancelled goes on")
		}
	}
}

func missingStream(c *check) {
	c.same("missing stream", ids(c.read(c.stream("none"), 0)), nil)
	c.must(c.log.Append(c.ctx, c.stream("none-of-these"), event.NoStream, c.events("neighbour", 1)...))
	c.same("stream with a longer neighbour", ids(c.read(c.stream("none"), 0)), nil)
}

func wrongRevision(c *check) {
	_, err := c.log.Append(c.ctx, c.stream("a"), 0, c.events("too early", 1)...)
	c.refused(err, event.ErrWrongExpectedRevision)
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("first", 2)...))
	for _, expected := range []event.Expected{event.NoStream, 0, 2, 100} {
		_, err := c.log.Append(c.ctx, c.stream("a"), expected, c.events("other", 1)...)
		c.refused(err, event.ErrWrongExpectedRevision)
	}
	c.must(c.log.Append(c.ctx, c.stream("a"), 1, c.events("other", 1)...))
	if n := len(c.read(c.stream("a"), 0)); n != 3 {
		c.Fatalf("%d events, want 3", n)
	}
}

func repetition(c *check) {
	first := c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("first", 3)...))
	again := c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("first", 3)...))
	if again != first {
		c.Fatalf("receipt %+v, first was %+v", again, first)
	}
	if n := len(c.read(c.stream("a"), 0)); n != 3 {
		c.Fatalf("%d events, want 3", n)
	}
}

func lateRepetition(c *check) {
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("first", 1)...))
	second := c.must(c.log.Append(c.ctx, c.stream("a"), 0, c.events("second", 2)...))
	c.must(c.log.Append(c.ctx, c.stream("a"), 2, c.events("third", 2)...))
	again := c.must(c.log.Append(c.ctx, c.stream("a"), 0, c.events("second", 2)...))
	if again != second {
		c.Fatalf("receipt %+v, first was %+v", again, second)
	}
	// At another revision the same events are not a repetition.
	_, err := c.log.Append(c.ctx, c.stream("a"), 1, c.events("second", 2)...)
	c.refused(err, event.ErrWrongExpectedRevision)
	if n := len(c.read(c.stream("a"), 0)); n != 5 {
		c.Fatalf("%d events, want 5", n)
	}
}

func repetitionAtOnce(c *check) {
	const callers = 32
	var group sync.WaitGroup
	var receipts [callers]event.Receipt
	var errs [callers]error
	for i := range callers {
		group.Go(func() {
			receipts[i], errs[i] = c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("same", 3)...)
		})
	}
	group.Wait()
	for i := range callers {
		if errs[i] != nil || receipts[i] != receipts[0] {
			c.Fatalf("caller %d got %+v, %v; the first got %+v", i, receipts[i], errs[i], receipts[0])
		}
	}
	if n := len(c.read(c.stream("a"), 0)); n != 3 {
		c.Fatalf("%d events, want 3", n)
	}
}

func prefixConflict(c *check) {
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("first", 2)...))
	_, err := c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("first", 3)...)
	c.refused(err, event.ErrWrongExpectedRevision)
	mixed := append(c.events("first", 1), c.events("other", 1)...)
	_, err = c.log.Append(c.ctx, c.stream("a"), event.NoStream, mixed...)
	c.refused(err, event.ErrWrongExpectedRevision)
	if n := len(c.read(c.stream("a"), 0)); n != 2 {
		c.Fatalf("%d events, want 2", n)
	}
}

func malformed(c *check) {
	noID, noType := c.events("first", 1), c.events("first", 1)
	noID[0].ID, noType[0].Type = event.ID{}, ""
	for _, events := range [][]event.Proposed{nil, noID, noType} {
		if _, err := c.log.Append(c.ctx, c.stream("a"), event.NoStream, events...); err == nil {
			c.Fatalf("%d events were accepted", len(events))
		}
	}
	c.same("stream", ids(c.read(c.stream("a"), 0)), nil)
}

func tooLarge(c *check) {
	sized := func(cause string, size int) []event.Proposed {
		e := c.events(cause, 1)
		rest := size - len(e[0].Meta) - 2*len(e[0].Type)
		e[0].Data = append(append([]byte{'"'}, bytes.Repeat([]byte{'x'}, rest-2)...), '"')
		return e
	}
	_, err := c.log.Append(c.ctx, c.stream("a"), event.NoStream, sized("large", 1<<20+1)...)
	c.refused(err, event.ErrTooLarge)
	_, err = c.log.Append(c.ctx, c.stream("a"), event.NoStream, append(sized("half", 1<<19), sized("other half", 1<<19+1)...)...)
	c.refused(err, event.ErrTooLarge)
	largest := sized("largest", 1<<20)
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, largest...))
	if got := c.read(c.stream("a"), 0); len(got) != 1 || !bytes.Equal(got[0].Data, largest[0].Data) {
		c.Fatal("the largest append was not read back")
	}
}

func order(c *check) {
	var want []event.ID
	for i := range 20 {
		events := c.events(fmt.Sprint(i), 3)
		c.must(c.log.Append(c.ctx, c.stream(fmt.Sprint(i)), event.NoStream, events...))
		want = append(want, proposedIDs(events)...)
	}
	got := c.all(c.start, c.kind(""))
	c.same("all", ids(got), want)
	last := c.start
	for _, r := range got {
		if r.Position <= last {
			c.Fatalf("position %d after %d", r.Position, last)
		}
		last = r.Position
	}
}

func exclusive(c *check) {
	events := c.events("written", 3)
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, events...))
	got := c.all(c.start, c.kind(""))
	c.same("all", ids(got), proposedIDs(events))
	c.same("after the first", ids(c.all(got[0].Position, c.kind(""))), proposedIDs(events[1:]))
	c.same("after the last", ids(c.all(got[2].Position, c.kind(""))), nil)
}

func byType(c *check) {
	events := c.events("written", 4)
	for i, name := range []string{"red.v1", "green.v1", "red.v2", "blue.v1"} {
		events[i].Type = c.kind(name)
	}
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, events...))
	want := proposedIDs(events)
	c.same("red", ids(c.all(c.start, c.kind("red."))), []event.ID{want[0], want[2]})
	c.same("green and blue", ids(c.all(c.start, c.kind("green."), c.kind("blue."))), []event.ID{want[1], want[3]})
	var unfiltered []event.ID
	for _, r := range c.all(c.start) {
		if r.Stream == c.stream("a") { // a log in use has others
			unfiltered = append(unfiltered, r.ID)
		}
	}
	c.same("no prefix", unfiltered, want)
}

func headIsLast(c *check) {
	receipt := c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("first", 2)...))
	if head := c.head(); head < receipt.Position {
		c.Fatalf("head %d, last event at %d", head, receipt.Position)
	}
	c.same("after the head", ids(c.all(c.head(), c.kind(""))), nil)
}

func longStream(c *check) {
	const total, each = 5000, 500
	var want []event.ID
	expected := event.NoStream
	for i := range total / each {
		events := c.events(fmt.Sprint(i), each)
		receipt := c.must(c.log.Append(c.ctx, c.stream("a"), expected, events...))
		expected = event.Expected(receipt.Revision)
		want = append(want, proposedIDs(events)...)
	}
	c.same("stream", ids(c.read(c.stream("a"), 0)), want)
	c.same("all", ids(c.all(c.start, c.kind(""))), want)
}

// race lets writers append at the end they believe in, and try again when they
// were wrong: each gets all its events in, once.
func race(c *check) {
	const writers, each = 64, 4
	var group sync.WaitGroup
	failed := make(chan error, writers)
	for w := range writers {
		group.Go(func() {
			expected := event.NoStream
			for i := range each {
				var err error
				if expected, err = c.squeezeIn(c.stream("hot"), expected, c.events(fmt.Sprint(w, "-", i), 1)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(failed)
	for err := range failed {
		c.Fatalf("a writer failed: %v", err)
	}
	got := c.read(c.stream("hot"), 0)
	seen := map[event.ID]bool{}
	for i, r := range got {
		if r.Revision != uint64(i) || seen[r.ID] {
			c.Fatalf("event %d has revision %d, seen before: %v", i, r.Revision, seen[r.ID])
		}
		seen[r.ID] = true
	}
	if len(got) != writers*each {
		c.Fatalf("%d events, want %d", len(got), writers*each)
	}
}

// squeezeIn appends at the end of a stream, wherever that is by now, and tells
// where it is then.
func (c *check) squeezeIn(stream event.Stream, expected event.Expected, events []event.Proposed) (event.Expected, error) {
	for {
		receipt, err := c.log.Append(c.ctx, stream, expected, events...)
		if !errors.Is(err, event.ErrWrongExpectedRevision) {
			return event.Expected(receipt.Revision), err
		}
		for r, err := range c.log.Read(c.ctx, stream, uint64(expected+1)) {
			if err != nil {
				return 0, err
			}
			expected = event.Expected(r.Revision)
		}
	}
}
