package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/jackc/pgx/v5"
	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"govahi/adapters/postgres"
	"govahi/commands"
	"govahi/domain/event"
	"govahi/domain/iran"
)

// visible measures from an append until a question over HTTP is answered with
// it, while nothing else happens and while 1,000 events a second do.
func (r *benchRun) visible(ctx context.Context) error {
	i, err := r.instance(ctx, "visible")
	if err != nil {
		return err
	}
	defer func() { _ = i.stop() }()
	s, done, err := i.story(ctx, "visible", filepath.Join(r.dir, "tokens"))
	if err != nil {
		return err
	}
	defer done()
	app, closeApp, err := attached{Data: i.dir}.app(ctx)
	if err != nil {
		return err
	}
	defer closeApp()
	looker, err := newGun(i.listen, func(string) (string, error) { return s.client.token("manager") })
	if err != nil {
		return err
	}
	person, err := app.People.Person(ctx, personalForm().PersonCode)
	if err != nil {
		return err
	}
	m := &watching{benchRun: r, app: app, looker: looker, person: person}
	commit, err := commitTime(ctx, attached{Data: i.dir})
	if err != nil {
		return err
	}
	if err := m.watch(ctx, 0, commit); err != nil {
		return err
	}
	return m.watch(ctx, 1000, commit)
}

type watching struct {
	*benchRun
	app    *commands.App
	looker *gun
	person event.Subject
	next   atomic.Int64 // number of the next request
}

// watch looks again and again while so many events a second are appended by
// others, at moments of their own.
func (m *watching) watch(ctx context.Context, load, commit float64) error {
	when := "idle"
	if load > 0 {
		when = fmt.Sprintf("at %.0f events/s", load)
	}
	m.step("append → visible, " + when)
	h := hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
	err := m.profile(fmt.Sprintf("visible-%.0f", load), func() error {
		both, ctx := errgroup.WithContext(ctx)
		if load > 0 {
			both.Go(func() error {
				_, err := m.looker.open(ctx, load/4, m.within, func() error { return m.request(ctx) })
				return err
			})
		}
		both.Go(func() error { return m.look(ctx, m.within, h) })
		return both.Wait()
	})
	if err != nil {
		return err
	}
	for _, q := range []struct{ percent, most float64 }{{50, 5}, {99, 50}} {
		f := figure{
			Row: "visible", What: fmt.Sprintf("append → visible, %s, p%.0f", when, q.percent), Unit: "ms",
			Ours: quantile(h, q.percent), Ceiling: &commit,
			Note: fmt.Sprintf("%d times, the longest %.1f ms; beside it, one commit of PostgreSQL", h.TotalCount(), quantile(h, 100)),
		}
		m.report.add(f.atMost(q.most))
	}
	return nil
}

// code is of a request that there is not yet.
func (m *watching) code() (string, int) {
	k := m.next.Add(1)
	return iran.TrackingCode(iran.FromTime(now()).Year, uint32(k)), int(k)
}

// request appends the four events of a new request with its form.
func (m *watching) request(ctx context.Context) error {
	code, k := m.code()
	_, err := makeReady(ctx, m.app, code, m.person, companyID(k))
	return err
}

// look appends one event at a time, and asks for what it says; the question waits
// by itself until it can be answered.
func (m *watching) look(ctx context.Context, within time.Duration, h *hdrhistogram.Histogram) error {
	for end := time.Now().Add(within); time.Now().Before(end); pauseUntil(ctx, 10*time.Millisecond) {
		code, _ := m.code()
		began := time.Now()
		at, err := openRequest(ctx, m.app, code, m.person)
		if err == nil {
			err = m.looker.get("/requests/" + code + "?after=" + at.String())
		}
		if err != nil {
			return err
		}
		_ = h.RecordValue(time.Since(began).Microseconds()) // a minute is beyond every time limit
	}
	return nil
}

func (g *gun) get(path string) error {
	request, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(answer)
	request.SetRequestURI(path)
	request.Header.SetHost(g.client.Addr)
	request.Header.Set("Authorization", g.bearer)
	return g.do(request, answer)
}

// commitTime is how long PostgreSQL takes to commit one row, in milliseconds.
func commitTime(ctx context.Context, a attached) (float64, error) {
	d, err := a.data()
	if err != nil {
		return 0, err
	}
	pool, err := postgres.Pool(ctx, a.viewsDSN(d))
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS bench; CREATE TABLE IF NOT EXISTS bench.commits (at timestamptz)"); err != nil {
		return 0, err
	}
	var took []float64
	for range 200 {
		began := time.Now()
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO bench.commits VALUES (now())")
			return err
		})
		if err != nil {
			return 0, err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
	}
	_, err = pool.Exec(ctx, "DROP SCHEMA bench CASCADE")
	return median64(took), err
}
