package queries_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"govahi/adapters/postgres/pgtest"
	"govahi/domain/crl"
	"govahi/domain/event/spec"
	"govahi/queries"
)

type terms struct{}

func (terms) Term(kind, text string) []byte { return []byte(kind + text) }

// asked is every question, with its error alone. What they answer is told with
// the tables, in projections.
func asked(q *queries.Queries) map[string]func(context.Context) error {
	at := time.Now()
	return map[string]func(context.Context) error{
		"Request":          func(ctx context.Context) error { _, err := q.Request(ctx, "1"); return err },
		"OfPerson":         func(ctx context.Context) error { _, err := q.OfPerson(ctx, "sara"); return err },
		"Queue":            func(ctx context.Context) error { _, err := q.Queue(ctx, "o", queries.Search{}); return err },
		"Track":            func(ctx context.Context) error { _, err := q.Track(ctx, "1", "0000"); return err },
		"Certificate":      func(ctx context.Context) error { _, err := q.Certificate(ctx, "67"); return err },
		"ByFingerprint":    func(ctx context.Context) error { _, err := q.ByFingerprint(ctx, "67"); return err },
		"Certificates":     func(ctx context.Context) error { _, err := q.Certificates(ctx, ""); return err },
		"CRLs":             func(ctx context.Context) error { _, err := q.CRLs(ctx, "ca"); return err },
		"List":             func(ctx context.Context) error { _, err := q.List(ctx, "ca"); return err },
		"Access":           func(ctx context.Context) error { _, err := q.Access(ctx, "n", at); return err },
		"Accesses":         func(ctx context.Context) error { _, err := q.Accesses(ctx, "u", at); return err },
		"Cases":            func(ctx context.Context) error { _, err := q.Cases(ctx, ""); return err },
		"Appointments":     func(ctx context.Context) error { _, err := q.Appointments(ctx, "", at); return err },
		"Offices":          func(ctx context.Context) error { _, err := q.Offices(ctx); return err },
		"Tariffs":          func(ctx context.Context) error { _, err := q.Tariffs(ctx); return err },
		"Tokens":           func(ctx context.Context) error { _, err := q.Tokens(ctx, "o"); return err },
		"LatestAudit":      func(ctx context.Context) error { _, err := q.LatestAudit(ctx, at); return err },
		"Management":       func(ctx context.Context) error { _, err := q.Management(ctx, at); return err },
		"DueInquiries":     func(ctx context.Context) error { _, err := q.DueInquiries(ctx, at, 1); return err },
		"DueNotifications": func(ctx context.Context) error { _, err := q.DueNotifications(ctx, at, 1); return err },
	}
}

func TestViewsThatAreNotThereAreUnavailable(t *testing.T) {
	pool := pgtest.Pool(t) // a database without a table
	q := &queries.Queries{Pool: pool, Keeper: spec.NewKeeper(), Terms: terms{}}
	if _, err := q.List(t.Context(), "ca"); !errors.Is(err, crl.ErrNone) { // lies in no view
		t.Errorf("List, before there is one: %v", err)
	}
	for name, ask := range asked(q) {
		if err := ask(t.Context()); name != "List" && !errors.Is(err, queries.ErrViewsUnavailable) {
			t.Errorf("%s, before the tables are made: %v", name, err)
		}
	}
	pool.Close()
	for name, ask := range asked(q) {
		if err := ask(t.Context()); !errors.Is(err, queries.ErrViewsUnavailable) {
			t.Errorf("%s, without a database: %v", name, err)
		}
	}
}
