package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/adapters/http"
	"govahi/commands"
	"govahi/commands/policies"
)

// runParts starts everything that goes on by itself.
func (h *house) runParts(ctx context.Context, all *errgroup.Group) {
	parts := []func(context.Context) error{profiles}
	if h.relay != nil {
		parts = append(parts, h.relay.Run, h.loseStream)
	}
	if h.runner != nil {
		parts = append(parts, h.runner.Run)
	}
	for _, r := range h.policies {
		parts = append(parts, r.Run)
	}
	if h.has(rolePolicy) {
		for _, w := range h.workers() {
			parts = append(parts, w.Run)
		}
	}
	if h.has(roleAPI) {
		parts = append(parts, h.waiter.Run, h.standings.Run, h.presign)
	}
	if h.hasDaily() {
		parts = append(parts, h.keepDaily)
	}
	if h.metrics != nil {
		parts = append(parts, h.serveMetrics)
	}
	for _, run := range parts {
		all.Go(func() error { return run(ctx) })
	}
}

// presign has answers about all certificates signed before they are asked for.
func (h *house) presign(ctx context.Context) error {
	return h.responder.Run(ctx, http.Knowledge{Standings: h.standings})
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

// hasDaily tells whether revocation lists are issued here, or answers are given
// with the responder's certificate.
func (h *house) hasDaily() bool { return h.has(roleIssuer, roleAPI) }

// keepDaily looks every minute whether a revocation list or the responder's
// certificate is due, and sooner after trouble: a house that was never without
// trouble would have no list at all.
func (h *house) keepDaily(ctx context.Context) error {
	for {
		next := time.Minute
		err := h.dailyWork(ctx)
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

func (h *house) dailyWork(ctx context.Context) (err error) {
	if h.has(roleIssuer) {
		err = h.publisher.Publish(ctx, commands.Caller{Policy: "daily-crl", Key: now().Format(time.RFC3339)})
	}
	return errors.Join(err, h.renewResponder(ctx))
}

// pauseUntil waits, or until the context ends.
func pauseUntil(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
