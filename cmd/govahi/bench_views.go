package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/postgres"
	"govahi/adapters/vault"
	"govahi/domain/event"
	"govahi/projections"
)

// viewing is projections over the beginning of a log, in a database of their own.
type viewing struct {
	*home
	pool   *pgxpool.Pool
	views  []projections.Projection
	end    event.Position
	events int
}

func (h *home) viewing(ctx context.Context, events int, views ...projections.Projection) (v *viewing, err error) {
	v = &viewing{home: h, views: views}
	if v.end, v.events, err = endOf(ctx, h.log, events); err != nil {
		return nil, err
	}
	if err := h.postgres.CreateDatabase(ctx, "bench"); err != nil {
		return nil, err
	}
	v.pool, err = postgres.Pool(ctx, h.postgres.DSN("bench"))
	return v, err
}

// projector measures how fast the view of requests catches up, beside the rows
// that it wrote, sent from memory.
func (r *benchRun) projector(ctx context.Context) error {
	h, err := r.history(ctx)
	if err != nil {
		return err
	}
	v, err := h.viewing(ctx, r.sampled, projections.Requests)
	if err != nil {
		return err
	}
	defer v.pool.Close()
	r.step("projector, once to see what it writes")
	txs, err := v.watched(ctx)
	if err != nil {
		return err
	}
	all, err := v.record(ctx, upTo(txs, v.end))
	if err != nil {
		return err
	}
	r.step(fmt.Sprintf("projector catching up with %d events", v.events))
	p, err := r.inTurn(
		5,
		r.profiled("projector", func() (float64, error) {
			took, err := v.catchUp(ctx)
			return float64(v.events) / took.Seconds(), err
		}),
		func() (float64, error) {
			took, err := rewrite(ctx, v.pool, all)
			return float64(v.events) / took.Seconds(), err
		},
	)
	if err != nil {
		return err
	}
	read, err := v.readAlone(ctx)
	r.report.add(p.figure("projector", "a projector (requests) catching up", "events/s").atLeast(0.5).noted(
		"%d events of the log in %d transactions, which wrote %d rows; to read what it needs of them, and do nothing with it, goes at %.0f events/s",
		v.events, len(txs), all[0].rows(), read))
	return err
}

// readAlone is how fast the log gives the events of the first view, counted like
// those that it passes over.
func (v *viewing) readAlone(ctx context.Context) (float64, error) {
	var prefixes []string
	for _, c := range v.views[0].Catalogs {
		prefixes = append(prefixes, c.Prefix())
	}
	began := time.Now()
	for r, err := range v.log.ReadAll(ctx, 0, prefixes...) {
		if err != nil {
			return 0, err
		}
		if r.Position >= v.end {
			break
		}
	}
	return float64(v.events) / time.Since(began).Seconds(), nil
}

// catchUp lets the views follow the log from its beginning, and tells how long
// they took. People's keys are not in memory yet.
func (v *viewing) catchUp(ctx context.Context) (time.Duration, error) {
	if err := v.forget(ctx); err != nil {
		return 0, err
	}
	return v.project(ctx, v.pool, v.end)
}

func (v *viewing) forget(ctx context.Context) error {
	schemas := []string{"govahi"}
	for _, p := range v.views {
		schemas = append(schemas, p.Name)
	}
	_, err := v.pool.Exec(ctx, "DROP SCHEMA IF EXISTS "+strings.Join(schemas, ", ")+" CASCADE")
	return err
}

// project runs the views up to an end.
func (v *viewing) project(ctx context.Context, pool *pgxpool.Pool, end event.Position) (time.Duration, error) {
	keys, err := vault.Open(ctx, v.vaultDB, v.signer, now)
	if err != nil {
		return 0, err
	}
	defer keys.Close()
	w := newWindow(v.log, end)
	running, stop := context.WithCancel(ctx)
	runner := projections.NewRunner(projections.Parts{
		Pool: pool, Log: w, Feed: w.feed, Keeper: keys, Terms: keys, Report: slog.New(slog.DiscardHandler),
	}, v.views...)
	began, over := time.Now(), make(chan struct{})
	go func() { defer close(over); _ = runner.Run(running) }()
	err = stand(ctx, runner, end)
	took := time.Since(began)
	stop()
	<-over
	return took, err
}

// stand waits until all views stand at a position. Trouble passes, or it is said.
func stand(ctx context.Context, runner *projections.Runner, at event.Position) error {
	const patience = 10 * time.Second
	for well := time.Now(); ctx.Err() == nil; time.Sleep(500 * time.Microsecond) {
		list, err := runner.Status(ctx)
		if err != nil {
			return err
		}
		behind, trouble := false, ""
		for _, s := range list {
			behind = behind || s.State != projections.Following || s.Position < at
			if s.Parked > 0 || s.Trouble != "" {
				trouble = fmt.Sprintf("view %s: %d parked, %s", s.Name, s.Parked, s.Trouble)
			}
		}
		switch {
		case trouble == "" && !behind:
			return nil
		case trouble == "":
			well = time.Now()
		case time.Since(well) > patience:
			return errors.New(trouble)
		}
	}
	return ctx.Err()
}

// watched catches up and hears of the first view's transactions: where its
// checkpoint stood after each.
func (v *viewing) watched(ctx context.Context) ([]event.Position, error) {
	hear, err := listen(ctx, v.pool, v.views[0].Name)
	if err != nil {
		return nil, err
	}
	_, err = v.catchUp(ctx)
	if err != nil {
		return nil, err
	}
	return hear()
}

// listen hears of a view's checkpoints, until it is asked for them.
func listen(ctx context.Context, pool *pgxpool.Pool, schema string) (heard func() ([]event.Position, error), err error) {
	pooled, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	conn := pooled.Hijack()
	if _, err := conn.Exec(ctx, "LISTEN checkpoints"); err != nil {
		return nil, err
	}
	var list []event.Position
	over := make(chan error, 1)
	go func() {
		for {
			n, err := conn.WaitForNotification(ctx)
			if err != nil || n.Payload == "over" {
				over <- err
				return
			}
			if text, ok := strings.CutPrefix(n.Payload, schema+":"); ok {
				p, _ := event.ParsePosition(text) // what is none is nowhere, and changes nothing
				list = append(list, p)
			}
		}
	}()
	return func() ([]event.Position, error) {
		defer func() { _ = conn.Close(ctx) }()
		if _, err := pool.Exec(ctx, "NOTIFY checkpoints, 'over'"); err != nil {
			return nil, err
		}
		err := <-over
		return list, err
	}, nil
}

// record lets the views catch up once more, stopping where they ended their
// transactions, and takes down what each left.
func (v *viewing) record(ctx context.Context, txs []event.Position) ([]*rewriting, error) {
	if err := v.forget(ctx); err != nil {
		return nil, err
	}
	w := newWindow(v.log, 0)
	running, stop := context.WithCancel(ctx)
	defer stop()
	runner := projections.NewRunner(projections.Parts{
		Pool: v.pool, Log: w, Feed: w.feed, Keeper: v.vault, Terms: v.vault, Report: slog.New(slog.DiscardHandler),
	}, v.views...)
	over := make(chan struct{})
	go func() { defer close(over); _ = runner.Run(running) }()
	defer func() { stop(); <-over }()
	if err := stand(ctx, runner, 0); err != nil {
		return nil, err
	}
	all, err := v.forms(ctx)
	for _, end := range txs {
		if err == nil {
			err = v.recordOne(ctx, runner, w, end, all)
		}
	}
	return all, err
}

func (v *viewing) recordOne(ctx context.Context, runner *projections.Runner, w *window, end event.Position, all []*rewriting) error {
	var transaction int64
	if err := v.pool.QueryRow(ctx, `SELECT pg_current_xact_id()::text::bigint`).Scan(&transaction); err != nil {
		return err
	}
	w.move(end)
	if err := stand(ctx, runner, end); err != nil {
		return err
	}
	for _, view := range all {
		var tx []upsert
		for _, t := range view.tables {
			u, some, err := t.since(ctx, v.pool, transaction)
			if err != nil {
				return err
			}
			if some {
				tx = append(tx, u)
			}
		}
		view.txs = append(view.txs, tx)
	}
	return nil
}

// forms are the tables of each view.
func (v *viewing) forms(ctx context.Context) (all []*rewriting, err error) {
	for _, p := range v.views {
		w := &rewriting{view: p}
		rows, _ := v.pool.Query(ctx, `SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1`, p.Name)
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			t, err := formOf(ctx, v.pool, p.Name, name)
			if err != nil {
				return nil, err
			}
			w.tables = append(w.tables, t)
		}
		all = append(all, w)
	}
	return all, nil
}
