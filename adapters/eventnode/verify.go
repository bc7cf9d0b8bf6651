package eventnode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Fault is a place of the log that is not as it must be. Position and revision
// are of the event concerned, if it is about one.
type Fault struct {
	Stream   string `json:"stream,omitempty"`
	Revision uint64 `json:"revision"`
	Position uint64 `json:"position,omitempty"`
	Text     string `json:"text"`
}

// Checked is how far a verification is: Done of Total bytes of What, and a fault
// if one was found there. The last says what the log holds.
type Checked struct {
	What        string `json:"what"`
	Done, Total uint64
	Fault       *Fault `json:"fault,omitempty"`
	Held        *Held  `json:"held,omitempty"`
}

// Held is what a verified log holds.
type Held struct {
	Tables, Bytes   uint64 // Pebble's tables
	Events, Streams uint64
	Head            uint64 // position of the last event
}

// verification reads everything that the store holds. A verified log goes on:
// what is appended meanwhile is not looked at.
type verification struct {
	*store
	ctx   context.Context
	tell  func(Checked) error
	limit uint64
	held  Held
	lines uint64 // of the index
}

// Verify reads everything that the node holds, and tells how far it is and what
// it finds. It fails only if it cannot go on.
func (n *Node) Verify(ctx context.Context, tell func(Checked) error) error {
	return n.store.verify(ctx, tell)
}

// verify reads every block of every table, every event, and every line of the
// index. It fails only if it cannot go on; what it finds it tells.
func (s *store) verify(ctx context.Context, tell func(Checked) error) error {
	limit, _ := s.tail.now()
	v := &verification{store: s, ctx: ctx, tell: tell, limit: limit}
	for _, step := range []func() error{v.files, v.tables, v.events, v.index} {
		if err := step(); err != nil {
			return err
		}
	}
	v.held.Head = v.limit
	return tell(Checked{What: "verified", Done: v.limit, Total: v.limit, Held: &v.held})
}

func (v *verification) fault(what string, f Fault) error {
	return v.tell(Checked{What: what, Fault: &f})
}

// files looks at the log and the manifest that Pebble is writing.
func (v *verification) files() error {
	if err := v.disk.keepsPromises(); err != nil {
		return v.fault("logs", Fault{Text: err.Error()})
	}
	return nil
}

// tables checks the checksum of every block of every table.
func (v *verification) tables() error {
	names, total, err := v.liveTables()
	if err != nil {
		return err
	}
	for _, name := range names {
		size, err := v.table(filepath.Join(v.disk.dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist): // merged into another one since
			continue
		case err != nil:
			err = corruptFile(filepath.Join(v.disk.dir, name), "%v", err)
			if err := v.fault("tables", Fault{Text: err.Error()}); err != nil {
				return err
			}
		}
		v.held.Tables++
		v.held.Bytes += size
		if err := errors.Join(v.tell(Checked{What: "tables", Done: v.held.Bytes, Total: total}), v.ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// liveTables are the names of the tables that make up the log now, and their
// bytes: others are being written, or wait to be removed.
func (v *verification) liveTables() (tables []string, total uint64, err error) {
	levels, err := v.db.SSTables()
	for _, level := range levels {
		for _, table := range level {
			tables, total = append(tables, table.BackingSSTNum.String()+".sst"), total+table.Size
		}
	}
	slices.Sort(tables)
	return slices.Compact(tables), total, err
}

func (v *verification) table(path string) (size uint64, err error) {
	f, err := v.disk.FS.Open(path, vfs.SequentialReadsOption)
	if err != nil {
		return 0, err
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return 0, errors.Join(err, f.Close())
	}
	size = uint64(readable.Size())
	options := v.options().MakeReaderOptions()
	options.Filters = map[string]pebble.FilterPolicy{bits.Name(): bits} // what is not known is not read
	r, err := sstable.NewReader(v.ctx, readable, options)
	if err != nil {
		return size, errors.Join(err, readable.Close())
	}
	return size, errors.Join(r.ValidateBlockChecksums(), r.Close())
}

// sweepEvery is how many keys one iterator visits: it must not keep Pebble from
// removing what it holds for long.
const sweepEvery = 4096

// sweep visits all keys with a prefix, in order.
func (v *verification) sweep(prefix []byte, visit func(key, value []byte) error) error {
	for from := prefix; from != nil; {
		last, n := []byte(nil), 0
		err := v.scan(prefix, from, false, func(key, value []byte) (bool, error) {
			n++
			last = append(last[:0], key...)
			return n < sweepEvery, visit(key, value)
		})
		if err := errors.Join(err, v.ctx.Err()); err != nil {
			return err
		}
		if from = nil; n == sweepEvery {
			from = append(last, 0)
		}
	}
	return nil
}

// errEnough ends a sweep behind the last event that was there at its beginning.
var errEnough = errors.New("eventnode: enough")

// events checks that each event is one, that no byte is missing before it, and
// that the index leads to it.
func (v *verification) events() error {
	before := uint64(0)
	err := v.sweep([]byte{keyEvent}, func(key, value []byte) error {
		if len(key) != 9 {
			return v.fault("events", Fault{Text: fmt.Sprintf("a key of %d bytes", len(key))})
		}
		position := binary.BigEndian.Uint64(key[1:])
		if position > v.limit {
			return errEnough
		}
		v.held.Events++
		if err := v.look(before, position, value); err != nil {
			return err
		}
		before = position
		if v.held.Events%sweepEvery == 0 || position == v.limit {
			return v.tell(Checked{What: "events", Done: position, Total: v.limit})
		}
		return nil
	})
	return v.unreadable("events", before, err)
}

// look checks one event.
func (v *verification) look(before, position uint64, value []byte) error {
	r, err := decode(position, value, nil)
	if err != nil {
		return v.fault("events", Fault{Position: position, Text: err.Error()})
	}
	f := Fault{Stream: string(r.stream), Revision: r.revision, Position: position}
	if begins := position - uint64(len(value)); begins != before {
		f.Text = fmt.Sprintf("it begins at %d, but the event before it ends at %d: events are missing", begins, before)
		return v.fault("events", f)
	}
	line, closer, err := v.db.Get(streamKey(string(r.stream), r.revision))
	if errors.Is(err, pebble.ErrNotFound) {
		f.Text = "the index does not lead to it"
		return v.fault("events", f)
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	if !bytes.Equal(line, entry{position, r.id}.encode()) {
		f.Text = "the index leads to another event"
		return v.fault("events", f)
	}
	return nil
}

// unreadable tells of what stopped a sweep, unless it is the end.
func (v *verification) unreadable(what string, after uint64, err error) error {
	switch {
	case err == nil || errors.Is(err, errEnough):
		return nil
	case isCorrupt(err):
		return v.fault(what, Fault{Position: after, Text: fmt.Sprintf("nothing behind this can be read: %v", named(err))})
	}
	return err
}

// index checks that each stream's lines are gapless, and that its head is the
// last of them.
func (v *verification) index() error {
	var stream string
	var next uint64
	var last head
	err := v.sweep([]byte{keyStream}, func(key, value []byte) error {
		name, revision, ok := parseStreamKey(key)
		e, err := decodeEntry(value)
		if !ok || err != nil {
			return v.fault("index", Fault{Text: fmt.Sprintf("a line of %d and %d bytes", len(key), len(value))})
		}
		if e.position > v.limit {
			return nil
		}
		if name != stream {
			if err := v.checkHead(stream, last); err != nil {
				return err
			}
			stream, next = name, 0
		}
		if revision != next {
			err = v.fault("index", Fault{name, revision, e.position, fmt.Sprintf("revision %d was expected", next)})
		}
		next, last = revision+1, head{revision, e.position, true}
		if v.lines++; v.lines%sweepEvery == 0 || v.lines == v.held.Events {
			err = errors.Join(err, v.tell(Checked{What: "index", Done: v.lines, Total: v.held.Events}))
		}
		return err
	})
	if err == nil {
		err = v.checkHead(stream, last)
	}
	if err == nil && v.lines != v.held.Events {
		err = v.fault("index", Fault{Text: fmt.Sprintf("%d lines for %d events", v.lines, v.held.Events)})
	}
	return v.unreadable("index", 0, err)
}

// checkHead compares a stream's head with the last line of its index; a stream
// that grew meanwhile has another one.
func (v *verification) checkHead(stream string, last head) error {
	if !last.exists {
		return nil
	}
	v.held.Streams++
	h, err := v.head(stream)
	if err == nil && h != last && h.position <= v.limit {
		err = v.fault("index", Fault{stream, last.revision, last.position, fmt.Sprintf("the head says revision %d at %d", h.revision, h.position)})
	}
	return err
}

// parseStreamKey reads what streamKey wrote.
func parseStreamKey(key []byte) (stream string, revision uint64, ok bool) {
	size, n := binary.Uvarint(key[1:])
	if n <= 0 || uint64(len(key)) != 1+uint64(n)+size+8 {
		return "", 0, false
	}
	name := key[1+n : 1+n+int(size)]
	return string(name), binary.BigEndian.Uint64(key[len(key)-8:]), true
}
