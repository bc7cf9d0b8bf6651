package eventnode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"govahi/domain/fault"
)

// ErrInUse reports that another node holds the data directory.
var ErrInUse = errors.New("eventnode: the data directory is in use by another node")

// ErrNewerFormat reports a data directory that a newer program wrote.
var ErrNewerFormat = errors.New("eventnode: the data directory was written by a newer version of this program")

// ErrDiskFull reports that the disk has no space for the log.
var ErrDiskFull = fault.New(fault.Unavailable, "disk-full",
	"دیسک دفتر رویدادها پر است؛ تا فضا آزاد نشود چیزی ثبت نمی‌شود.",
	"The event log's disk is full; nothing can be recorded until there is space.")

// store is the log on disk.
type store struct {
	disk *disk
	db   *pebble.DB
	lock *pebble.Lock
	tail *tail

	corrupt atomic.Pointer[error] // the first corrupt file met
}

// openStore waits for space until the context ends.
func openStore(ctx context.Context, d *disk) (*store, error) {
	undisturbed := context.AfterFunc(ctx, d.leave)
	s, err := d.open()
	if undisturbed() {
		return s, err
	}
	if err == nil {
		err = s.close()
	}
	if d.frozen.Load() {
		err = errors.Join(ErrDiskFull, err)
	}
	return nil, errors.Join(ctx.Err(), err)
}

func (d *disk) open() (*store, error) {
	if err := d.make(); err != nil {
		return nil, fmt.Errorf("eventnode: create the data directory: %w", err)
	}
	lock, err := pebble.LockDirectory(d.dir, d)
	if errors.Is(err, errFrozen) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInUse, d.dir, err)
	}
	s := &store{disk: d, lock: lock}
	if err := s.openPebble(); err != nil {
		return nil, errors.Join(err, d.promises.close(), lock.Close())
	}
	if err := errors.Join(s.checkFormat(), s.findTail()); err != nil {
		return nil, errors.Join(named(err), s.close())
	}
	return s, nil
}

// make makes the data directory, and removes what a killed backup left there.
func (d *disk) make() error {
	if d.readOnly {
		return nil
	}
	return errors.Join(d.MkdirAll(d.dir, 0o700), d.RemoveAll(d.checkpointDir()))
}

// openPebble looks first whether everything is there: Pebble would go on without
// the end of a log, and begin a new one where it finds no manifest.
func (s *store) openPebble() (err error) {
	if err := s.disk.keepsPromises(); err != nil {
		return err
	}
	if err := s.disk.keepPromises(); err != nil {
		return fmt.Errorf("eventnode: open %s: %w", s.disk.dir, err)
	}
	s.db, err = pebble.Open(s.disk.dir, s.options())
	switch {
	case err == nil:
		s.disk.promises.begun()
		return nil
	case damaged(err):
		return s.disk.explain(err)
	}
	return fmt.Errorf("eventnode: open %s: %w", s.disk.dir, err)
}

// bits tell that a stream is new, as most are that are looked up.
var bits = bloom.FilterPolicy(10)

// Pebble takes its memtables, two of them under a load of writes, out of the
// cache's size: what is left holds blocks.
const (
	memTableSize = 16 << 20
	cacheSize    = 2*memTableSize + 32<<20
)

func (s *store) options() *pebble.Options {
	options := &pebble.Options{
		FS:                 s.disk,
		Lock:               s.lock,
		Logger:             pebbleLogger{s.disk.log},
		EventListener:      s.listener(),
		ReadOnly:           s.disk.readOnly,
		ErrorIfNotExists:   s.disk.promises.now.Begun != 0,
		FormatMajorVersion: pebble.FormatTableFormatV6,
		CacheSize:          cacheSize,
		MemTableSize:       memTableSize,
	}
	for i := range options.Levels {
		options.Levels[i].FilterPolicy = bits
	}
	return options
}

// checkFormat refuses what a newer program wrote, and marks a new directory.
func (s *store) checkFormat() error {
	value, closer, err := s.db.Get([]byte{keyFormat})
	if errors.Is(err, pebble.ErrNotFound) && s.disk.readOnly {
		return nil
	}
	if errors.Is(err, pebble.ErrNotFound) {
		return s.db.Set([]byte{keyFormat}, []byte{format}, pebble.Sync)
	}
	if err != nil {
		return fmt.Errorf("eventnode: read the format: %w", err)
	}
	defer closer.Close()
	if len(value) != 1 || value[0] > format {
		return fmt.Errorf("%w: its format is %x, this program reads up to %d", ErrNewerFormat, value, format)
	}
	return nil
}

// findTail finds the last event: all that Pebble recovered is durable.
func (s *store) findTail() error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: eventKey(0), UpperBound: []byte{keyEvent + 1}})
	if err != nil {
		return fmt.Errorf("eventnode: find the last event: %w", err)
	}
	var last uint64
	if it.Last() {
		last = binary.BigEndian.Uint64(it.Key()[1:])
	}
	s.tail = newTail(last)
	return it.Close()
}

func (s *store) close() error {
	return errors.Join(s.db.Close(), s.disk.promises.close(), s.lock.Close())
}

// head is where a stream stands, written but perhaps not yet durable.
func (s *store) head(stream string) (head, error) {
	value, closer, err := s.db.Get(headKey(stream))
	if errors.Is(err, pebble.ErrNotFound) {
		return head{}, nil
	}
	if err != nil {
		return head{}, err
	}
	defer closer.Close()
	return decodeHead(value)
}

// event visits an event, which nobody may keep.
func (s *store) event(position uint64, visit func(record)) error {
	value, closer, err := s.db.Get(eventKey(position))
	if errors.Is(err, pebble.ErrNotFound) {
		return s.torn(position, errTorn) // the index led here
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	r, err := s.decode(position, value, nil)
	if err == nil {
		visit(r)
	}
	return err
}

// decode also notes a record that cannot be read.
func (s *store) decode(position uint64, value []byte, f *filter) (record, error) {
	r, err := decode(position, value, f)
	if err != nil {
		return record{}, s.torn(position, err)
	}
	return r, nil
}

// entries are the index lines of a stream from a revision on, at most max.
func (s *store) entries(stream string, from uint64, max int) ([]entry, error) {
	var found []entry
	err := s.scan(streamPrefix(stream), streamKey(stream, from), false, func(_, value []byte) (bool, error) {
		e, err := decodeEntry(value)
		found = append(found, e)
		return len(found) < max, err
	})
	return found, err
}

// lastRevision is that of a stream's last event up to the durable position limit.
func (s *store) lastRevision(stream string, limit uint64) (revision uint64, known bool, err error) {
	err = s.scan(streamPrefix(stream), streamKey(stream, math.MaxInt64), true, func(key, value []byte) (bool, error) {
		e, err := decodeEntry(value)
		revision, known = binary.BigEndian.Uint64(key[len(key)-8:]), err == nil && e.position <= limit
		return !known, err
	})
	return revision, known, err
}

// scan visits the keys with a prefix, from a key (included) on, until visit
// says no.
func (s *store) scan(prefix, from []byte, backwards bool, visit func(key, value []byte) (bool, error)) (err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	seek, step := it.SeekGE, it.Next
	if backwards {
		seek, step, from = it.SeekLT, it.Prev, append(from, 0)
	}
	for ok := seek(from); ok; ok = step() {
		if more, err := visit(it.Key(), it.Value()); err != nil || !more {
			return err
		}
	}
	return it.Error()
}

// after is the first key behind all those with a prefix.
func after(prefix []byte) []byte {
	end := bytes.TrimRight(prefix, "\xff")
	end = bytes.Clone(end)
	end[len(end)-1]++
	return end
}

// pebbleLogger passes on what an operator may want to know.
type pebbleLogger struct{ log *slog.Logger }

func (l pebbleLogger) Infof(format string, args ...any) {
	l.log.Debug("event store", "text", fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error("event store", "text", fmt.Sprintf(format, args...))
}

// Fatalf ends the process, as Pebble demands: a log that can no longer write
// must not go on answering. What was acknowledged is on disk.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	os.Exit(1)
}
