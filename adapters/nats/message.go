package nats

import (
	"strconv"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"govahi/domain/event"
)

// An event's message: the body is the event's data, byte for byte; all else is
// in these headers, and Nats-Msg-Id is the event's ID. A message that cannot
// carry its event exactly carries a reference only: it has no body and no
// metadata, and the reader takes the event from the log.
const (
	headerPosition = "Govahi-Position" // decimal
	headerPrevious = "Govahi-Previous" // position of the event before it
	headerStream   = "Govahi-Stream"
	headerRevision = "Govahi-Revision" // decimal, from 0
	headerType     = "Govahi-Type"     // stored name
	headerCreated  = "Govahi-Created"  // RFC 3339, UTC, nanoseconds
	headerMeta     = "Govahi-Meta"     // JSON on one line
)

// encode makes the message of an event that follows previous in the log.
func encode(r event.Recorded, previous event.Position, maxPayload int64) *natsgo.Msg {
	m := natsgo.NewMsg(subject(r.Type))
	m.Header.Set(jetstream.MsgIDHeader, r.ID.String())
	m.Header.Set(headerPosition, r.Position.String())
	m.Header.Set(headerPrevious, previous.String())
	m.Header.Set(headerStream, string(r.Stream))
	m.Header.Set(headerRevision, strconv.FormatUint(r.Revision, 10))
	m.Header.Set(headerType, r.Type)
	m.Header.Set(headerCreated, r.Created.UTC().Format(time.RFC3339Nano))
	if fits(m, r, maxPayload) {
		m.Header.Set(headerMeta, string(r.Meta))
		m.Data = r.Data
	}
	return m
}

// spare is room for the publisher's own headers.
const spare = 1 << 10

// fits says whether the message can carry the event exactly. The limit counts
// headers too, and a header value has neither line breaks nor outer space.
func fits(m *natsgo.Msg, r event.Recorded, maxPayload int64) bool {
	meta := string(r.Meta)
	exact := !strings.ContainsAny(meta, "\r\n") && strings.TrimSpace(meta) == meta
	return exact && int64(m.Size()+len(r.Data)+len(meta)+spare) <= maxPayload
}

// subject is what outside listeners subscribe to. A stored name is a legal
// subject; anything else must not stop the relay.
func subject(name string) string {
	legal := func(c rune) rune {
		if c <= ' ' || strings.ContainsRune("*>", c) {
			return '_'
		}
		return c
	}
	tokens := strings.FieldsFunc(strings.Map(legal, name), func(c rune) bool { return c == '.' })
	return subjectRoot + strings.Join(tokens, ".")
}

// decode reads the message of an event.
func decode(header natsgo.Header, data []byte) (m event.Message, err error) {
	if m.ID, err = event.ParseID(header.Get(jetstream.MsgIDHeader)); err != nil {
		return m, err
	}
	if m.Position, err = event.ParsePosition(header.Get(headerPosition)); err != nil {
		return m, err
	}
	if m.Previous, err = event.ParsePosition(header.Get(headerPrevious)); err != nil {
		return m, err
	}
	if m.Revision, err = strconv.ParseUint(header.Get(headerRevision), 10, 64); err != nil {
		return m, err
	}
	m.Created, err = time.Parse(time.RFC3339Nano, header.Get(headerCreated))
	m.Stream = event.Stream(header.Get(headerStream))
	m.Type = header.Get(headerType)
	m.Data = data
	if meta := header.Get(headerMeta); meta != "" {
		m.Meta = []byte(meta)
	}
	return m, err
}
