// Package event holds the words every stream shares: stream, event, command,
// catalog, metadata, and personal data that is sealed before it is stored.
package event

import "strings"

// Stream is the name of an event stream: category, a dash, an ID. The category
// has no dash of its own; the ID may.
type Stream string

// NewStream names the stream of one thing, or of one uniqueness rule when the
// ID has several parts.
func NewStream(category string, id ...string) Stream {
	return Stream(category + "-" + strings.Join(id, "-"))
}

// Category is what stands before the first dash.
func (s Stream) Category() string {
	category, _, _ := strings.Cut(string(s), "-")
	return category
}

// ID is what stands after the first dash.
func (s Stream) ID() string {
	_, id, _ := strings.Cut(string(s), "-")
	return id
}
