package main

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/http"
	"govahi/domain/projection"
	"govahi/projections"
)

var partReady = gauge("govahi_part_ready",
	"1 if the part is ready, as /health/ready has it; 0 if it starts or fails.", "part")

func (h *house) tellReadiness(ctx context.Context, is tell) {
	for _, p := range h.Parts(ctx) {
		is(partReady, one(p.State == http.Ready), p.Name)
	}
}

func one(so bool) float64 {
	if so {
		return 1
	}
	return 0
}

var (
	projectionParked = gauge("govahi_projection_parked_events",
		"Events that the projection left out: one that fails, and all behind it in its stream.", "projection")
	policyParked = gauge("govahi_policy_parked_events",
		"Events that the policies left out: one that fails, and all behind it in its stream.", "policy")

	parkedFamilies = []family{projectionParked, policyParked}
)

// tellParked counts what the projections and policies of this process left out.
// Others in the table, such as a view that is kept for a roll-back, are nobody's
// trouble.
func (h *house) tellParked(ctx context.Context, is tell) {
	if h.views == nil {
		return
	}
	parked, err := countParked(ctx, h.views)
	if err != nil {
		return
	}
	if h.runner != nil {
		for _, p := range projections.All() {
			is(projectionParked, parked[p.Name], p.Name)
		}
	}
	for _, r := range h.policies {
		count := parked[projection.NameOf(r.Name)]
		for _, p := range r.Policies {
			count += parked[projection.NameOf(p.Name)]
		}
		is(policyParked, count, r.Name)
	}
}

func countParked(ctx context.Context, views *pgxpool.Pool) (map[string]float64, error) {
	counts, name, count := map[string]float64{}, "", 0.0
	rows, _ := views.Query(ctx, `SELECT projection, count(*)::float8 FROM govahi.parked GROUP BY projection`)
	_, err := pgx.ForEachRow(rows, []any{&name, &count}, func() error {
		counts[name] = count
		return nil
	})
	return counts, err
}

var (
	poolConnections = gauge("govahi_postgres_pool_connections",
		"Connections of the pool, by what they do: acquired, idle, constructing.", "pool", "state")
	poolMost = gauge("govahi_postgres_pool_max_connections",
		"Connections that the pool may have.", "pool")
	poolOpened = counter("govahi_postgres_pool_opened_connections_total",
		"Connections that the pool opened.", "pool")
	poolAcquired = counter("govahi_postgres_pool_acquires_total",
		"Connections that were taken from the pool.", "pool")
	poolWaits = counter("govahi_postgres_pool_waits_total",
		"Connections that were taken after a wait, because none was idle.", "pool")
	poolWaited = counter("govahi_postgres_pool_wait_seconds_total",
		"Time of those waits.", "pool")
	poolGivenUp = counter("govahi_postgres_pool_canceled_acquires_total",
		"Waits for a connection that were given up.", "pool")

	poolFamilies = []family{poolConnections, poolMost, poolOpened, poolAcquired, poolWaits, poolWaited, poolGivenUp}
)

func (h *house) tellPools(_ context.Context, is tell) {
	for name, pool := range map[string]*pgxpool.Pool{"views": h.views, "vault": h.vaultDB} {
		if pool == nil {
			continue
		}
		s := pool.Stat()
		is(poolConnections, float64(s.AcquiredConns()), name, "acquired")
		is(poolConnections, float64(s.IdleConns()), name, "idle")
		is(poolConnections, float64(s.ConstructingConns()), name, "constructing")
		is(poolMost, float64(s.MaxConns()), name)
		is(poolOpened, float64(s.NewConnsCount()), name)
		is(poolAcquired, float64(s.AcquireCount()), name)
		is(poolWaits, float64(s.EmptyAcquireCount()), name)
		is(poolWaited, s.EmptyAcquireWaitTime().Seconds(), name)
		is(poolGivenUp, float64(s.CanceledAcquireCount()), name)
	}
}

var (
	listsRefused = counter("govahi_crl_refused_total",
		"Revocation lists that the checker found to differ from the log; none of them was signed.")

	listFamilies = []family{listsRefused}
)

func (h *house) tellLists(_ context.Context, is tell) {
	if h.publishers != nil {
		is(listsRefused, float64(h.publishers.Refused()))
	}
}

// families are all of the house's own metrics, for the page that lists them.
var families = slices.Concat([]family{answerTimes, buildInfo, partReady}, progressFamilies, parkedFamilies, poolFamilies, listFamilies, auditFamilies, bankFamilies)
