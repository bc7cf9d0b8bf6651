package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/adapters/eventstore"
	"govahi/commands"
	"govahi/domain/event"
	"govahi/projections"
)

// appending is what goes into one stream at once.
type appending struct {
	stream   event.Stream
	expected event.Expected
	events   []event.Proposed
}

// again is the k-th life up to its n-th event, as it was told the first time: what
// one command says to a stream is one append.
func (l *life) again(ctx context.Context, keeper event.Keeper, k, n int, person event.Subject) (all []appending, err error) {
	names := l.named(k, person)
	for _, e := range l.events[:n] {
		p, err := l.proposed(ctx, keeper, names, e)
		if err != nil {
			return nil, err
		}
		stream := event.Stream(l.text(names, e.stream))
		if len(all) == 0 || all[len(all)-1].stream != stream {
			all = append(all, appending{stream: stream, expected: event.Expected(e.revision) - 1})
		}
		last := &all[len(all)-1]
		last.events = append(last.events, p)
	}
	return all, nil
}

func (l *life) proposed(ctx context.Context, keeper event.Keeper, names []string, e lived) (p event.Proposed, err error) {
	var data bytes.Buffer
	if err := l.told(ctx, keeper, &data, names, e.data); err != nil {
		return p, err
	}
	p = event.Proposed{Type: e.name, Data: data.Bytes(), Meta: []byte(l.text(names, e.meta))}
	p.ID, err = event.ParseID(l.text(names, e.id))
	return p, err
}

// length is how far the k-th life comes: one in ten ends in a revocation, two are
// on their way, the others hold their certificates.
func (l *life) length(k int) int {
	held := slices.IndexFunc(l.events, func(e lived) bool { return strings.HasPrefix(e.name, "revocation.") })
	switch k % 10 {
	case 0:
		return l.settled(held * 4 / 10)
	case 1:
		return l.settled(held * 7 / 10)
	case 2:
		return l.settled(len(l.events))
	}
	return l.settled(held)
}

// settled is the last place up to the n-th event at which no message and no
// inquiry is on its way: an instance that starts would go on with it.
func (l *life) settled(n int) (end int) {
	under := 0
	for i, e := range l.events[:n] {
		if under += onItsWay(e.name); under == 0 {
			end = i + 1
		}
	}
	return end
}

// fill tells lives until the log has so many events more. Policies take all of
// it for dealt with.
func (h *home) fill(ctx context.Context, l *life, events int, shown *progress) error {
	const connections, makers = 2, 16
	lives := make(chan []appending, 2*makers)
	var next, made atomic.Int64
	making, _ := errgroup.WithContext(ctx)
	all, filling := errgroup.WithContext(ctx)
	for range makers {
		making.Go(func() error {
			for made.Load() < int64(events) && filling.Err() == nil {
				k := int(next.Add(1))
				made.Add(int64(l.length(k)))
				if err := h.make(filling, l, k, lives); err != nil {
					return err
				}
			}
			return nil
		})
	}
	all.Go(func() error { defer close(lives); return making.Wait() })
	for range connections {
		all.Go(func() error { return tellLives(filling, h.data.logSocket(), lives, shown) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	return h.dealtWith(ctx)
}

func (h *home) make(ctx context.Context, l *life, k int, lives chan<- []appending) error {
	person, err := h.vault.Person(ctx, fmt.Sprintf("invented %d", k))
	if err != nil {
		return err
	}
	life, err := l.again(ctx, h.vault, k, l.length(k), person)
	if err != nil {
		return err
	}
	select {
	case lives <- life:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dealtWith sets the policies' checkpoints to the log's end: nobody writes to a
// million people that exist in no place but here.
func (h *home) dealtWith(ctx context.Context) error {
	head, err := h.log.Head(ctx)
	if err != nil {
		return err
	}
	last, err := event.ReadBatch(ctx, h.log, head-1, 1)
	if err != nil {
		return err
	}
	checkpoints := projections.NewCheckpoints(h.house.views, h.log)
	for _, name := range []string{"record", "erasure", "issuance", "revocation"} {
		_, began := checkpoints.Load(ctx, name)
		_, saved := checkpoints.Save(ctx, name, last[0])
		err = errors.Join(err, began, saved)
	}
	return err
}

// tellOne tells one whole life on an instance.
func tellOne(ctx context.Context, i *instance) error {
	s, done, err := i.story(ctx, "life", filepath.Join(filepath.Dir(i.dir), "tokens"))
	if err != nil {
		return err
	}
	defer done()
	s.out = io.Discard
	for _, part := range [][]step{s.untilSubmitted(), s.untilConfirmed(), s.untilActive(), s.untilRevoked()} {
		if err := s.tell(ctx, part); err != nil {
			return err
		}
	}
	return i.nothingOnItsWay(ctx)
}

// nothingOnItsWay waits until no message and no inquiry is on its way.
func (i *instance) nothingOnItsWay(ctx context.Context) error {
	log, err := eventstore.Open(data{dir: i.dir}.logSocket())
	if err != nil {
		return err
	}
	defer log.Close()
	for under := 1; under > 0; pauseUntil(ctx, 50*time.Millisecond) {
		under = 0
		for r, err := range log.ReadAll(ctx, 0, "notification.", "inquiry.") {
			if err != nil {
				return err
			}
			under += onItsWay(r.Type)
		}
	}
	return i.quiet(ctx)
}

// onItsWay is how many more messages and inquiries are, after an event.
func onItsWay(name string) int {
	switch name {
	case "notification.requested.v1", "inquiry.requested.v1":
		return 1
	case "notification.sent.v1", "inquiry.answered.v2":
		return -1
	}
	return 0
}

// lifeIn is the life that was told on an instance: what came after its seeds.
func lifeIn(ctx context.Context, app *commands.App) (*life, error) {
	var since event.Position
	for r, err := range app.Log.ReadAll(ctx, 0, "enrollment.opened.") {
		if err != nil {
			return nil, err
		}
		since = r.Position
		break
	}
	return learn(ctx, app, since-1)
}

// history gives the house with the long log, in this process; it is made once.
func (r *benchRun) history(ctx context.Context) (*home, error) {
	if r.long != nil {
		return r.long, nil
	}
	r.step("telling one life")
	i, err := r.instance(ctx, "long")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(tellOne(ctx, i), i.stop()); err != nil {
		return nil, err
	}
	if r.long, err = r.home(ctx, "long", roleAPI); err != nil {
		return nil, err
	}
	l, err := lifeIn(ctx, r.long.app)
	if err != nil {
		return nil, err
	}
	r.step("telling it again to others")
	shown := beginProgress("history", "events", int64(r.Events))
	defer shown.end()
	return r.long, r.profile("history", func() error { return r.long.fill(ctx, l, r.Events, shown) })
}
