// Package policies is: whenever this happened, ask for that. A policy is called
// at least once for each event since it came to the house; the command's ID is
// policy and event, so that it asks once.
package policies

import (
	"context"
	"strings"

	"govahi/commands"
	"govahi/domain/event"
)

// Policy reacts to events of one catalog.
type Policy struct {
	Name    string // do-on-happened
	catalog event.Catalog
	react   func(context.Context, Happened) error
}

// Happened is the event that a policy reacts to.
type Happened struct {
	event.Recorded
	App    *commands.App
	Caller commands.Caller // the policy, recognisable by the event
	Is     event.Event
}

// when makes a policy of one event type.
func when[T any](name string, catalog event.Catalog, do func(context.Context, Happened, T) error) Policy {
	return Policy{name, catalog, func(ctx context.Context, h Happened) error {
		if e, ok := h.Is.(T); ok {
			return do(ctx, h, e)
		}
		return nil
	}}
}

// Handle gives an event to the policy; those of other catalogs pass.
func (p Policy) Handle(ctx context.Context, a *commands.App, r event.Recorded) error {
	if !strings.HasPrefix(r.Type, p.catalog.Prefix()) {
		return nil
	}
	e, err := p.catalog.Open(r)
	if err != nil {
		return err
	}
	m, err := r.DecodeMeta()
	if err != nil {
		return err
	}
	return p.react(ctx, Happened{r, a, commands.ByPolicy(p.Name, r, m), e})
}
