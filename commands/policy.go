package commands

import (
	"context"

	"govahi/domain/event"
	"govahi/domain/policy"
)

// StartPolicy records, once, that a policy came to the house, and returns the
// position after which it reacts.
func (a *App) StartPolicy(ctx context.Context, name string) (event.Position, error) {
	stream := policy.Kind.Stream(name)
	c := Caller{Policy: name, Key: "start"}
	as := a.do(c, "StartPolicy", "policy", name)
	start := policy.Start{Name: name, At: as.at}
	if _, err := transact(ctx, a, policy.Kind, stream, as, just[policy.Started](start)); err != nil {
		return 0, err
	}
	h, err := load(ctx, a, policy.Kind, stream)
	if err != nil || len(h.records) == 0 {
		return 0, err
	}
	return h.records[0].Position, nil
}
