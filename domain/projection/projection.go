// Package projection records which events an operator left out of a read view,
// or out of a policy's work. A view may be dropped at any time; that something
// was left out, by whom and why, must be found in a year.
package projection

import (
	"context"
	"strings"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Kind is the stream `projection-<name>`, where a policies' runner is named
// policy:NAME.
var Kind = event.Kind[Skipped]{
	Category: "projection",
	Catalog:  event.NewCatalog(event.Of[EventSkipped]("projection.event-skipped.v1")),
	Evolve: func(s Skipped, e event.Event) Skipped {
		next := Skipped{e.(EventSkipped).event(): true}
		for k := range s {
			next[k] = true
		}
		return next
	},
}

// EventSkipped leaves an event out for good: whoever builds the view anew leaves
// it out too.
type EventSkipped struct {
	Projection string       `json:"projection"`
	Stream     event.Stream `json:"stream"`
	Revision   uint64       `json:"revision"`
	Reason     string       `json:"reason"` // the operator's words, nothing personal
	By         string       `json:"by"`     // the operator's account on the machine
	At         time.Time    `json:"at"`
}

func (e EventSkipped) event() One { return One{e.Stream, e.Revision} }

// One is an event, by its place.
type One struct {
	Stream   event.Stream
	Revision uint64
}

// Skipped are the events that are left out.
type Skipped map[One]bool

// NameOf is the name by which a policies' runner is known among the views.
func NameOf(policies string) string { return "policy:" + policies }

// Has tells whether an event is left out.
func (s Skipped) Has(r event.Recorded) bool { return s[One{r.Stream, r.Revision}] }

// ReadSkipped reads what is left out of a view, or of a runner's work.
func ReadSkipped(ctx context.Context, log event.Log, name string) (Skipped, error) {
	return Kind.Fold(ctx, log, Kind.Stream(name))
}

// ErrReason asks for a reason.
var ErrReason = fault.New(fault.Invalid, "skip-reason-missing",
	"دلیل کنار گذاشتن رویداد را بنویسید؛ ممیز آن را خواهد خواند.",
	"Say why the event is left out: an auditor will read it.").At("reason")

// Skip leaves an event out.
type Skip EventSkipped

// Decide does it once, and never without a reason.
func (c Skip) Decide(s Skipped) ([]event.Event, error) {
	switch {
	case strings.TrimSpace(c.Reason) == "":
		return nil, ErrReason
	case s[EventSkipped(c).event()]:
		return nil, nil
	}
	return []event.Event{EventSkipped(c)}, nil
}
