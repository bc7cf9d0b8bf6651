package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrUnlisted reports an event, or a stored name, that no catalog lists.
var ErrUnlisted = errors.New("event: not in the catalog")

// ErrUndecodable reports a stored event, or its metadata, that does not have the
// shape of its name: reading it again will not help.
var ErrUndecodable = errors.New("event: cannot be decoded")

// Event is one of the event types of a stream's catalog.
type Event any

// Entry is a line of a catalog.
type Entry struct {
	Name    string // stored name: dotted, lower-case, version last
	Old     bool   // still read, never written again
	matches func(Event) bool
	decode  func([]byte) (Event, error)
	Example Event // the zero value, for the printed catalogue
}

// Catalog lists every event of one kind of stream, with every name ever stored.
type Catalog struct{ entries []Entry }

// NewCatalog lists the entries in the order in which the story tells them.
func NewCatalog(entries ...Entry) Catalog {
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.Name] {
			panic("event: " + e.Name + " is listed twice")
		}
		seen[e.Name] = true
	}
	return Catalog{entries}
}

// Of lists an event type under the name that it is stored by.
func Of[T any](name string) Entry {
	var zero T
	return Entry{
		Name:    name,
		Example: zero,
		matches: func(e Event) bool { _, ok := e.(T); return ok },
		decode: func(data []byte) (Event, error) {
			var e T
			err := json.Unmarshal(data, &e)
			return e, err
		},
	}
}

// Was lists a name that was stored once, and how its shape becomes today's.
func Was[Old any](name string, upcast func(Old) Event) Entry {
	var zero Old
	return Entry{
		Name:    name,
		Old:     true,
		Example: zero,
		matches: func(Event) bool { return false },
		decode: func(data []byte) (Event, error) {
			var e Old
			if err := json.Unmarshal(data, &e); err != nil {
				return nil, err
			}
			return upcast(e), nil
		},
	}
}

// Entries returns the lines, for printing and for golden tests.
func (c Catalog) Entries() []Entry { return c.entries }

// Name is the stored name of an event.
func (c Catalog) Name(e Event) (string, error) {
	for _, entry := range c.entries {
		if entry.matches(e) {
			return entry.Name, nil
		}
	}
	return "", fmt.Errorf("%w: %T", ErrUnlisted, e)
}

// Decode reads an event by its stored name, in today's shape.
func (c Catalog) Decode(name string, data []byte) (Event, error) {
	for _, entry := range c.entries {
		if entry.Name != name {
			continue
		}
		e, err := entry.decode(data)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrUndecodable, name, err)
		}
		return e, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrUnlisted, name)
}

// Prefix is what all stored names of the catalog begin with, dot included.
func (c Catalog) Prefix() string {
	head, _, _ := strings.Cut(c.entries[0].Name, ".")
	return head + "."
}

// Open decodes a recorded event and checks that its personal data belongs
// where it was found, so that a sealed text moved elsewhere is noticed.
func (c Catalog) Open(r Recorded) (Event, error) {
	e, err := c.Decode(r.Type, r.Data)
	if err != nil {
		return nil, err
	}
	for _, p := range personal(e) {
		if p.Where() != PlaceOf(r.Stream, r.Type) {
			return nil, fmt.Errorf("%w: personal data out of place in %s@%d", ErrUndecodable, r.Stream, r.Revision)
		}
	}
	return e, nil
}
