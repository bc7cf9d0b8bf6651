package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/adapters/http"
	"govahi/commands"
	"govahi/commands/policies"
	"govahi/domain/event"
	certprofile "govahi/domain/profile"
	"govahi/queries"
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
	if h.has(rolePolicy) {
		parts = append(parts, h.keepAudit)
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
	all, ctx := errgroup.WithContext(ctx)
	for n, r := range h.responders {
		watch := h.standings.Watch(h.authorities[n].Issuer(), n == 0)
		all.Go(func() error { return r.Run(ctx, http.Knowledge{Watch: watch}) })
	}
	return all.Wait()
}

func (h *house) workers() []policies.Worker {
	inquire := policies.Worker{Name: "inquire", Due: h.queries.DueInquiries, Do: h.app.AskRegistry, Clock: now, Report: h.report}
	post := policies.Worker{
		Name: "post", Due: h.queries.DueNotifications, Clock: now, Report: h.report,
		Do: func(ctx context.Context, c commands.Caller, id string) error {
			return h.app.SendNotification(ctx, c, h.mailer, id)
		},
	}
	watch := policies.Worker{
		Name: "watch", Due: h.queries.DueTokens(h.app.Terms.Custody.Times()), Do: h.app.WatchToken, Clock: now, Report: h.report,
	}
	reconcile := policies.Worker{Name: "reconcile", Due: h.queries.DuePayments, Do: h.app.ReconcilePayment, Clock: now, Report: h.report}
	lapse := policies.Worker{Name: "lapse-suspension", Due: h.queries.DueSuspensions, Do: h.app.EndSuspension, Clock: now, Report: h.report, Every: time.Second}
	withdraw := policies.Worker{Name: "withdraw", Due: commands.NewWithdrawal(h.app).Due, Do: h.app.RevokeCompromised, Clock: now, Report: h.report}
	return append([]policies.Worker{withdraw, inquire, post, watch, reconcile, lapse}, h.termWorkers()...)
}

// termsEvery is how often it is looked for what a term of days has made due.
const termsEvery = 10 * time.Second

// termWorkers follow the terms of a certificate's life.
func (h *house) termWorkers() []policies.Worker {
	terms := h.app.Terms
	worker := func(name string, due func(context.Context, time.Time, int) ([]string, error), do func(context.Context, commands.Caller, string) error) policies.Worker {
		return policies.Worker{Name: name, Due: due, Do: do, Clock: now, Report: h.report, Every: termsEvery}
	}
	var bounced []policies.Worker
	if h.bounces != nil {
		w := worker("bounces", h.bounces.Names, h.takeBounce)
		w.Every = time.Second
		bounced = append(bounced, w)
	}
	again := worker("reinquire", func(ctx context.Context, now time.Time, limit int) ([]string, error) {
		return h.queries.DueReinquiries(ctx, now.AddDate(0, 0, -terms.ReinquiryDays), now, limit)
	}, h.app.Reinquire)
	delivery := terms.Custody.Times().Delivery
	remind := worker("remind-delivery", func(ctx context.Context, now time.Time, limit int) ([]string, error) {
		return h.queries.DueDeliveryReminders(ctx, now.Add(-delivery.Alarm), limit)
	}, h.app.RemindDelivery)
	end := worker("revoke-undelivered", func(ctx context.Context, now time.Time, limit int) ([]string, error) {
		return h.queries.DueDeliveries(ctx, now.Add(-delivery.End-event.Apart), limit)
	}, h.app.RevokeUndelivered)
	for _, w := range []*policies.Worker{&again, &remind, &end} {
		w.Every = 10 * time.Minute // they look at every certificate or request
	}
	return append(bounced, again, remind, end,
		worker("remind-expiry", func(ctx context.Context, now time.Time, limit int) ([]string, error) {
			return h.queries.DueReminders(ctx, now, terms.ReminderDays, limit)
		}, h.app.RemindExpiry),
		worker("remind-acceptance", func(ctx context.Context, now time.Time, limit int) ([]string, error) {
			return h.queries.DueAcceptanceReminders(ctx, h.delivered(func(within time.Duration) time.Time { return now.Add(-within / 2) }), limit)
		}, h.app.RemindAcceptance),
		worker("revoke-unaccepted", func(ctx context.Context, now time.Time, limit int) ([]string, error) {
			return h.queries.DueAcceptances(ctx, h.delivered(func(within time.Duration) time.Time { return now.Add(-within - event.Apart) }), limit)
		}, h.app.RevokeUnaccepted),
	)
}

// delivered is before when what is due was delivered, which hangs on how long a
// certificate's profile lets it be accepted.
func (h *house) delivered(before func(within time.Duration) time.Time) queries.Before {
	of := queries.Before{Profiles: map[string]time.Time{}, Else: before(h.app.AcceptableFor(certprofile.Profile{}))}
	for _, p := range h.app.Authority.Profiles().All() {
		of.Profiles[p.ID()] = before(h.app.AcceptableFor(p))
	}
	return of
}

// hasDaily tells whether revocation lists are issued here, or answers are given
// with the responder's certificate.
func (h *house) hasDaily() bool { return h.has(roleIssuer, roleAPI) }

// keepDaily looks every minute whether a revocation list or the responder's
// certificate is due, and sooner after trouble: a house that was never without
// trouble would have no list at all. Sooner, too, while the latest list is not on
// its shelf: until then the doors have none to hand out.
func (h *house) keepDaily(ctx context.Context) error {
	for {
		next := time.Minute
		err := h.dailyWork(ctx)
		_, before := h.daily.last()
		if h.daily.note(err); err != nil || h.has(roleIssuer) && h.publishers.Missed() {
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
		err = h.publishers.Publish(ctx, commands.Caller{Policy: "daily-crl", Key: now().Format(time.RFC3339)})
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
