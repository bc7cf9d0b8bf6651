package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// importLog moves a log: in order, with its streams, revisions, event IDs and
// metadata. Positions and the log's own clock are the target's: no event holds a
// position, and facts carry their own time.
type importLog struct {
	attached
	In string `type:"existingfile" help:"File that log export wrote; standard input if empty."`
}

// errAnotherLog refuses to mix two logs.
var errAnotherLog = errors.New("مقصد رویدادهایی دارد که از این برون‌بُرد نیست؛ دفتر را به دفتری تهی ببرید، یا به همان که درون‌بُردش آغاز شده است.\n" +
	"the target holds events that are not of this export: a log is moved into an empty one, or into one where its import was begun")

// errNotWhole reports that the exporting side ended early.
var errNotWhole = errors.New("برون‌بُرد پیش از پایان دفتر به آخر رسید؛ هر دو را دوباره آغاز کنید، درون‌بُرد از همان جا پی گرفته می‌شود.\nthe export ended before the log did: start both again, the import goes on where it ended")

// Run appends until the export ends. Stopped anywhere, it goes on from there when
// it is run again.
func (i importLog) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	log, err := i.openLog()
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	in := os.Stdin
	if i.In != "" {
		if in, err = os.Open(i.In); err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
	}
	m := &moving{log: log, lines: newLines(in), bar: newEventBar("importing")}
	if err = m.run(ctx); err == nil {
		m.bar.reach(m.moved+m.skipped, m.moved+m.skipped)
	}
	m.bar.ended()
	if err == nil {
		fmt.Printf("%d events imported, %d were there already\n", m.moved, m.skipped)
	}
	return err
}

// moving is an import under way.
type moving struct {
	log   *eventstore.Log
	lines *lines
	bar   *bar

	head           event.Position // of the source
	moved, skipped uint64
	last           line   // of the source, so far
	group          []line // of one stream, to be appended at once
	size           int
}

// At most so much goes into one append; the log itself takes a mebibyte.
const (
	groupEvents = 500
	groupBytes  = 512 << 10
)

func (m *moving) run(ctx context.Context) error {
	if err := m.resume(ctx); err != nil {
		return err
	}
	for {
		l, err := m.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // what is whole is kept: the next try goes on behind it
			return errors.Join(err, m.flush(ctx))
		}
		if !m.joins(l) {
			if err := m.flush(ctx); err != nil {
				return err
			}
		}
		m.group = append(m.group, l)
		m.size += len(l.Data) + len(l.Meta) + 2*len(l.Type)
	}
	if err := m.flush(ctx); err != nil {
		return err
	}
	if m.moved+m.skipped > 0 && !m.last.Last {
		return errNotWhole
	}
	return nil
}

func (m *moving) read() (line, error) {
	l, err := m.lines.next()
	if err == nil {
		m.last, m.head = l, max(m.head, l.Head)
	}
	return l, err
}

// resume skips what the target holds already: it must be the beginning of what
// is imported, from the same first event to the target's last.
func (m *moving) resume(ctx context.Context) error {
	end, err := m.log.Last(ctx)
	if err != nil || end.Position == 0 {
		return err
	}
	first, err := m.read()
	if err != nil {
		return err
	}
	if !holds(ctx, m.log, first) {
		return errAnotherLog
	}
	for l := first; ; m.skipped++ {
		if l.is(end) {
			m.skipped++
			return nil
		}
		if l, err = m.read(); errors.Is(err, io.EOF) {
			if !m.last.Last {
				return errNotWhole
			}
			return errAnotherLog
		}
		if err != nil {
			return err
		}
		m.tell()
	}
}

// joins tells whether an event may go with those before it: only what is next to
// each other in the log and in its stream keeps the order of both.
func (m *moving) joins(l line) bool {
	if len(m.group) == 0 {
		return true
	}
	before := m.group[len(m.group)-1]
	return before.Stream == l.Stream && before.Revision+1 == l.Revision &&
		len(m.group) < groupEvents && m.size+len(l.Data)+len(l.Meta)+2*len(l.Type) < groupBytes
}

// flush appends the group at the revision at which it stood: a repetition of
// what is there already changes nothing.
func (m *moving) flush(ctx context.Context) error {
	if len(m.group) == 0 {
		return nil
	}
	first, events := m.group[0], make([]event.Proposed, len(m.group))
	for i, l := range m.group {
		events[i] = event.Proposed{ID: l.ID, Type: l.Type, Data: l.Data, Meta: l.Meta}
	}
	err := patiently(ctx, func(ctx context.Context) error {
		receipt, err := m.log.Append(ctx, first.Stream, event.Expected(first.Revision)-1, events...)
		if err == nil && receipt.Revision != first.Revision+uint64(len(events))-1 {
			err = fmt.Errorf("%s stands at revision %d there", first.Stream, receipt.Revision)
		}
		return err
	})
	if errors.Is(err, event.ErrWrongExpectedRevision) {
		err = errors.Join(errAnotherLog, err)
	}
	if err != nil {
		return fmt.Errorf("%s@%d: %w", first.Stream, first.Revision, err)
	}
	m.moved += uint64(len(m.group))
	m.group, m.size = m.group[:0], 0
	m.tell()
	return nil
}

func (m *moving) tell() {
	m.bar.reachEvents(m.moved+m.skipped, uint64(m.last.Position), uint64(m.head))
}
