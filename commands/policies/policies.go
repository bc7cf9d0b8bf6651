// Package policies is: whenever this happened, ask for that. A policy is called
// at least once for each event since it came to the house; the command's ID is
// policy and event, so that it asks once.
package policies

import (
	"context"
	"fmt"
	"strings"

	"govahi/commands"
	"govahi/domain/event"
	"govahi/domain/fault"
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

// happening is an event as it was read, once for all policies.
type happening struct {
	event.Recorded
	is   event.Event // nil of catalogs that concern no policy
	meta event.Meta
}

// open reads an event that some policy is concerned with.
func open(policies []Policy, r event.Recorded) (h happening, err error) {
	h.Recorded = r
	for _, p := range policies {
		if !p.concerns(r) {
			continue
		}
		if h.is, err = p.catalog.Open(r); err != nil {
			return h, err
		}
		h.meta, err = r.DecodeMeta()
		return h, err
	}
	return h, nil
}

func (p Policy) concerns(r event.Recorded) bool { return strings.HasPrefix(r.Type, p.catalog.Prefix()) }

// errPanic reports an event on which a policy is broken: trying again will not
// help, and other events must not wait for it.
var errPanic = fault.New(fault.Internal, "policy-panicked",
	"خط‌مشی در برابر این رویداد از کار افتاد.",
	"The policy is broken on this event.")

// handle gives an event to the policy.
func (p Policy) handle(ctx context.Context, a *commands.App, h happening) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %T", errPanic, v)
		}
	}()
	return p.react(ctx, Happened{h.Recorded, a, commands.ByPolicy(p.Name, h.Recorded, h.meta), h.is})
}

// Handle gives an event to the policy; those of other catalogs pass.
func (p Policy) Handle(ctx context.Context, a *commands.App, r event.Recorded) error {
	h, err := open([]Policy{p}, r)
	if err != nil || !p.concerns(r) {
		return err
	}
	return p.handle(ctx, a, h)
}
