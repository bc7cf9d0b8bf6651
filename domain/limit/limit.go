// Package limit is how often one may ask for something that costs others: each
// asking is a fact of the stream `limit-<rule>-<who>`, so that no restart and no
// second instance forgets it.
package limit

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Rule allows so many within a time, whenever it begins.
type Rule struct {
	Name   string // of the rule, in the stream's name
	Max    int
	Within time.Duration
}

// Kind is the stream of one rule for one person. The state is when it was
// counted, oldest first.
var Kind = event.Kind[[]time.Time]{
	Category: "limit",
	Catalog:  event.NewCatalog(event.Of[Counted]("limit.counted.v1")),
	Evolve:   evolve,
}

// Counted is one asking.
type Counted struct {
	At time.Time `json:"at"`
}

// kept is more than any rule's Max.
const kept = 100

func evolve(s []time.Time, e event.Event) []time.Time {
	s = append(s[:len(s):len(s)], e.(Counted).At)
	return s[max(0, len(s)-kept):]
}

// ErrTooMany reports that the limit is reached; its Wait says for how long.
var ErrTooMany = fault.New(fault.TooMany, "too-many",
	"بیش از اندازه خواسته‌اید؛ پس از مدتی که سرآیند Retry-After می‌گوید دوباره بخواهید.",
	"You have asked too often; ask again after the time that the header Retry-After gives.")

// Count is one asking.
type Count struct {
	Rule Rule
	At   time.Time
}

// Decide refuses until the oldest that counts is out of the rule's time.
func (c Count) Decide(s []time.Time) ([]event.Event, error) {
	var counts []time.Time
	for _, t := range s {
		if t.After(c.At.Add(-c.Rule.Within)) {
			counts = append(counts, t)
		}
	}
	if n := len(counts); n >= c.Rule.Max {
		return nil, ErrTooMany.After(counts[n-c.Rule.Max].Add(c.Rule.Within).Sub(c.At))
	}
	return []event.Event{Counted{c.At}}, nil
}
