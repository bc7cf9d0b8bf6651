package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/commands"
	"govahi/commands/policies"
)

// runParts starts everything that goes on by itself.
func (h *house) runParts(ctx context.Context, all *errgroup.Group) {
	all.Go(func() error { return h.relay.Run(ctx) })
	all.Go(func() error { return h.loseStream(ctx) })
	all.Go(func() error { return profiles(ctx) })
	all.Go(func() error { return h.runner.Run(ctx) })
	all.Go(func() error { return h.waiter.Run(ctx) })
	for _, r := range h.policies {
		all.Go(func() error { return r.Run(ctx) })
	}
	for _, w := range h.workers() {
		all.Go(func() error { return w.Run(ctx) })
	}
	all.Go(func() error { return h.keepLists(ctx) })
}

func (h *house) workers() []policies.Worker {
	inquire := policies.Worker{Name: "inquire", Due: h.queries.DueInquiries, Do: h.app.AskRegistry, Clock: now, Report: h.report}
	post := policies.Worker{
		Name: "post", Due: h.queries.DueNotifications, Clock: now, Report: h.report,
		Do: func(ctx context.Context, c commands.Caller, id string) error {
			return h.app.SendNotification(ctx, c, h.mailer, id)
		},
	}
	return []policies.Worker{inquire, post}
}

// keepLists looks every minute whether a revocation list or the responder's
// certificate is due, and sooner after trouble: a house that was never without
// trouble would have no list at all.
func (h *house) keepLists(ctx context.Context) error {
	for {
		next := time.Minute
		c := commands.Caller{Policy: "daily-crl", Key: now().Format(time.RFC3339)}
		err := errors.Join(h.publisher.Publish(ctx, c), h.renewResponder(ctx))
		_, before := h.daily.last()
		if h.daily.note(err); err != nil {
			next = time.Second
		}
		if err != nil && before == nil && ctx.Err() == nil { // what follows is the same trouble
			h.report.Warn("the daily work waits", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(next):
		}
	}
}
