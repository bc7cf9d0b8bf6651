package eventnode

import (
	"encoding/binary"
	"time"
)

// format is the version of the keys and values below. Whoever changes their
// shape raises it and reads the older ones.
const format = 1

// The keys of the store. Numbers are big-endian, so that Pebble's order is the
// order of the log and of each stream.
const (
	keyFormat = 'f' // f: format, 1 byte
	keyEvent  = 'e' // e position(8): an encoded record
	keyHead   = 'h' // h stream: revision(8) position(8) of its last event
	keyStream = 's' // s len(stream) stream revision(8): position(8) event ID(16)
)

func eventKey(position uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{keyEvent}, position)
}

func headKey(stream string) []byte {
	return append([]byte{keyHead}, stream...)
}

// streamPrefix begins the keys of one stream and of no other: the name's length
// stands before the name.
func streamPrefix(stream string) []byte {
	return append(binary.AppendUvarint([]byte{keyStream}, uint64(len(stream))), stream...)
}

func streamKey(stream string, revision uint64) []byte {
	return binary.BigEndian.AppendUint64(streamPrefix(stream), revision)
}

// eventID is an RFC 9562 UUID.
type eventID [16]byte

// record is an event as the store holds it. One that was decoded shares its bytes
// with what it was decoded from.
type record struct {
	position, revision       uint64
	created                  int64 // 100-ns ticks since the Unix epoch
	id                       eventID
	json                     bool
	stream, kind, meta, data []byte
	left                     bool // out by a filter
}

// What only the writer knows stands first and at a fixed place: the rest is
// encoded by the caller's goroutine, not by the one writer.
const (
	atRevision = 0
	atCreated  = 8
	atID       = 16
	atJSON     = 32
	atStream   = 33
)

// encode leaves revision and time of creation to stamp.
func (r record) encode() []byte {
	size := atStream + len(r.stream) + len(r.kind) + len(r.meta) + len(r.data) + 3*binary.MaxVarintLen32
	b := make([]byte, atStream, size)
	copy(b[atID:], r.id[:])
	if r.json {
		b[atJSON] = 1
	}
	b = appendText(b, r.stream)
	b = appendText(b, r.kind)
	b = appendText(b, r.meta)
	return append(b, r.data...)
}

func stamp(b []byte, revision uint64, created time.Time) {
	binary.BigEndian.PutUint64(b[atRevision:], revision)
	binary.BigEndian.PutUint64(b[atCreated:], uint64(created.UnixNano()/100))
}

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// decode reads an encoded record, and says whether a filter leaves it out.
func decode(position uint64, b []byte, f *filter) (record, error) {
	if len(b) < atStream {
		return record{}, errTorn
	}
	r := record{
		position: position,
		revision: binary.BigEndian.Uint64(b[atRevision:]),
		created:  int64(binary.BigEndian.Uint64(b[atCreated:])),
		id:       eventID(b[atID:]),
		json:     b[atJSON] == 1,
	}
	r.data = b[atStream:]
	for _, part := range []*[]byte{&r.stream, &r.kind, &r.meta} {
		size, n := binary.Uvarint(r.data)
		if n <= 0 || size > uint64(len(r.data)-n) {
			return record{}, errTorn
		}
		*part, r.data = r.data[n:n+int(size)], r.data[n+int(size):]
	}
	r.left = !f.passes(r.stream, r.kind)
	return r, nil
}

// head is where a stream stands.
type head struct {
	revision, position uint64
	exists             bool
}

func (h head) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, h.revision), h.position)
}

func decodeHead(b []byte) (head, error) {
	if len(b) != 16 {
		return head{}, errTorn
	}
	return head{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), true}, nil
}

// entry is a line of a stream's index.
type entry struct {
	position uint64
	id       eventID
}

func (e entry) encode() []byte {
	return append(binary.BigEndian.AppendUint64(nil, e.position), e.id[:]...)
}

func decodeEntry(b []byte) (entry, error) {
	if len(b) != 24 {
		return entry{}, errTorn
	}
	return entry{binary.BigEndian.Uint64(b), eventID(b[8:])}, nil
}
