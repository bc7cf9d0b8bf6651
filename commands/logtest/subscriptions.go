package logtest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"govahi/domain/event"
)

// subscription is a subscription in another goroutine.
type subscription struct {
	check      *check
	deliveries chan event.Delivery
	ended      chan error
	stop       context.CancelFunc
}

// subscribe starts a subscription that holds few deliveries back.
func (c *check) subscribe(after event.Position, kinds ...string) *subscription {
	ctx, stop := context.WithCancel(c.ctx)
	s := &subscription{c, make(chan event.Delivery), make(chan error, 1), stop}
	go func() {
		var ended error
		for d, err := range c.log.Subscribe(ctx, after, kinds...) {
			if err != nil {
				ended = err
				break
			}
			select {
			case s.deliveries <- d:
			case <-ctx.Done():
			}
		}
		s.ended <- ended
		close(s.ended)
	}()
	c.Cleanup(func() {
		stop()
		<-s.ended // a test leaves nothing running
	})
	return s
}

// next is the next delivery.
func (s *subscription) next() event.Delivery {
	s.check.Helper()
	select {
	case d := <-s.deliveries:
		return d
	case err := <-s.ended:
		s.check.Fatalf("the subscription ended: %v", err)
	case <-s.check.ctx.Done():
		s.check.Fatal("nothing was delivered")
	}
	panic("unreachable")
}

// events takes the next n events, whatever is between them.
func (s *subscription) events(n int) []event.Recorded {
	s.check.Helper()
	var events []event.Recorded
	for len(events) < n {
		if d := s.next(); d.Event != nil {
			events = append(events, *d.Event)
		}
	}
	return events
}

// untilCaughtUp returns the events delivered until the subscription is live.
func (s *subscription) untilCaughtUp() []event.Recorded {
	s.check.Helper()
	var events []event.Recorded
	for {
		d := s.next()
		if d.Event != nil {
			events = append(events, *d.Event)
		}
		if d.CaughtUp {
			return events
		}
	}
}

// end waits until the subscription has ended, and says why.
func (s *subscription) end() error {
	s.check.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-s.check.ctx.Done():
		s.check.Fatal("the subscription does not end")
	}
	panic("unreachable")
}

func liveSubscription(c *check) {
	before := c.events("before", 3)
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, before...))
	s := c.subscribe(c.start, c.kind(""))
	c.same("caught up", ids(s.untilCaughtUp()), proposedIDs(before))
	for i := range 5 {
		live := c.events(fmt.Sprint("live", i), 2)
		c.must(c.log.Append(c.ctx, c.stream(fmt.Sprint(i)), event.NoStream, live...))
		c.same("live", ids(s.events(2)), proposedIDs(live))
	}
}

func fromHead(c *check) {
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("old", 3)...))
	s := c.subscribe(c.head(), c.kind(""))
	c.same("caught up", ids(s.untilCaughtUp()), nil)
	fresh := c.events("new", 1)
	c.must(c.log.Append(c.ctx, c.stream("b"), event.NoStream, fresh...))
	c.same("new", ids(s.events(1)), proposedIDs(fresh))
}

// resume leaves a subscription at every event in turn and takes it up again.
func resume(c *check) {
	want := c.events("written", 10)
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, want...))
	var got []event.ID
	for after := c.start; len(got) < len(want); {
		for d, err := range c.log.Subscribe(c.ctx, after, c.kind("")) {
			if err != nil {
				c.Fatalf("subscribe: %v", err)
			}
			if d.Checkpoint < after {
				c.Fatalf("checkpoint %d after %d", d.Checkpoint, after)
			}
			after = d.Checkpoint
			if d.Event != nil {
				got = append(got, d.Event.ID)
				break
			}
		}
	}
	c.same("resumed", got, proposedIDs(want))
}

// quietCheckpoints chooses a type that never happens; the checkpoints must move
// past the events that it does not choose.
func quietCheckpoints(c *check) {
	s := c.subscribe(c.start, c.kind("never"))
	s.untilCaughtUp()
	first := c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("other", 100)...))
	c.must(c.log.Append(c.ctx, c.stream("b"), event.NoStream, c.events("another", 100)...))
	for {
		d := s.next()
		if d.Event != nil {
			c.Fatalf("%s was delivered", d.Event.Type)
		}
		if d.Checkpoint >= first.Position {
			return
		}
	}
}

// slowSubscriber reads nothing until thousands of events were appended by many
// writers at once: far more than any buffer on the way holds.
func slowSubscriber(c *check) {
	const writers, appends, each = 16, 10, 20
	s := c.subscribe(c.start, c.kind(""))
	s.untilCaughtUp()
	var group sync.WaitGroup
	failed := make(chan error, writers)
	for w := range writers {
		group.Go(func() {
			for i := range appends {
				name := fmt.Sprint(w, "-", i)
				if _, err := c.log.Append(c.ctx, c.stream(name), event.NoStream, c.events(name, each)...); err != nil {
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
	got := s.events(writers * appends * each)
	c.same("slow subscriber", ids(got), ids(c.all(c.start, c.kind(""))))
	for i := 1; i < len(got); i++ {
		if got[i].Position <= got[i-1].Position {
			c.Fatalf("position %d after %d", got[i].Position, got[i-1].Position)
		}
	}
}

func cancelledSubscription(c *check) {
	s := c.subscribe(c.start, c.kind(""))
	s.untilCaughtUp()
	s.stop()
	if err := s.end(); !errors.Is(err, context.Canceled) {
		c.Fatalf("ended with %v", err)
	}
}

func brokenRead(c *check) {
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("written", 3)...))
	broken, stop := context.WithCancel(c.ctx)
	stop()
	ends := map[string]error{}
	for _, err := range c.log.Read(broken, c.stream("a"), 0) {
		ends["read"] = err
	}
	for _, err := range c.log.ReadAll(broken, c.start, c.kind("")) {
		ends["read all"] = err
	}
	for _, err := range c.log.Subscribe(broken, c.start, c.kind("")) {
		ends["subscribe"] = err
	}
	_, ends["head"] = c.log.Head(broken)
	_, ends["append"] = c.log.Append(broken, c.stream("b"), event.NoStream, c.events("never", 1)...)
	for _, what := range []string{"read", "read all", "subscribe", "head", "append"} {
		if !errors.Is(ends[what], context.Canceled) {
			c.Fatalf("%s ended with %v", what, ends[what])
		}
	}
	c.brokenHalfway()
}

// brokenHalfway breaks a read after its first event.
func (c *check) brokenHalfway() {
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	expected := event.Expected(2)
	for i := range 8 { // more than is on its way at once
		r := c.must(c.log.Append(c.ctx, c.stream("a"), expected, c.events(fmt.Sprint("more", i), 500)...))
		expected = event.Expected(r.Revision)
	}
	var ended error
	for _, err := range c.log.Read(ctx, c.stream("a"), 0) {
		stop()
		ended = err
	}
	if !errors.Is(ended, context.Canceled) {
		c.Fatalf("the read ended with %v", ended)
	}
}

func leftEarly(c *check) {
	c.must(c.log.Append(c.ctx, c.stream("a"), event.NoStream, c.events("written", 500)...))
	for range 120 { // more than could stay open unnoticed
		for _, err := range c.log.Read(c.ctx, c.stream("a"), 0) {
			if err != nil {
				c.Fatalf("read: %v", err)
			}
			break
		}
		for _, err := range c.log.Subscribe(c.ctx, c.start, c.kind("")) {
			if err != nil {
				c.Fatalf("subscribe: %v", err)
			}
			break
		}
	}
}
