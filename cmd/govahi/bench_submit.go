package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/commands"
	"govahi/domain/iran"
)

// submit measures SubmitRequest over HTTP in a house that does nothing else,
// beside a bare log that is asked and told the same things in the same order, and
// how long one takes at half of what is possible; then how long in a house whose
// relay, views and policies follow it at the same time.
func (r *benchRun) submit(ctx context.Context) error {
	h, err := r.home(ctx, "submit", roleAPI)
	if err != nil {
		return err
	}
	if err := r.submitTo(ctx, h.instance, h.app); err != nil {
		return errors.Join(err, h.leave())
	}
	if err := h.leave(); err != nil {
		return err
	}
	return r.submitToAll(ctx)
}

func (r *benchRun) submitTo(ctx context.Context, i *instance, app *commands.App) (err error) {
	m, done, err := r.submissions(ctx, i, app, r.stock)
	if err != nil {
		return err
	}
	defer done()
	if m.script, err = m.observe(ctx); err != nil {
		return err
	}
	if m.bare, err = r.node(ctx, "submit-log"); err != nil {
		return err
	}
	defer m.bare.close()
	most, err := m.most(ctx)
	if err != nil {
		return err
	}
	f, err := m.latency(ctx, "SubmitRequest, p99 at half of the maximum", most/2)
	if err == nil {
		r.report.add(f.atMost(50))
	}
	return err
}

// submitToAll asks a whole house, in a process of its own.
func (r *benchRun) submitToAll(ctx context.Context) error {
	i, err := r.instance(ctx, "submit-all")
	if err != nil {
		return err
	}
	defer func() { _ = i.stop() }()
	app, closeApp, err := attached{Data: i.dir}.app(ctx)
	if err != nil {
		return err
	}
	defer closeApp()
	const rate = 200
	m, done, err := r.submissions(ctx, i, app, int(rate*r.within.Seconds()*3/2))
	if err != nil {
		return err
	}
	defer done()
	if err := i.quiet(ctx); err != nil {
		return err
	}
	f, err := m.latency(ctx, fmt.Sprintf("SubmitRequest, p99 at %d/s, with relay, views and policies at work", rate), rate)
	if err == nil {
		r.report.add(f)
	}
	return err
}

// submissions are requests that are ready to be submitted.
type submissions struct {
	*benchRun
	*instance
	app    *commands.App
	gun    *gun
	bare   *served
	script script

	mu    sync.Mutex
	codes []string
}

// submissions prepares so many requests of one applicant, each with an
// organisation of its own. A round that uses them up ends early.
func (r *benchRun) submissions(ctx context.Context, i *instance, app *commands.App, stock int) (*submissions, func(), error) {
	s, done, err := i.story(ctx, "submit", "")
	if err != nil {
		return nil, nil, err
	}
	r.step(fmt.Sprintf("preparing %d requests", stock))
	m := &submissions{benchRun: r, instance: i, app: app}
	if m.gun, err = newGun(i.listen, s.client.token); err != nil {
		return nil, nil, err
	}
	person, err := app.People.Person(ctx, personalForm().PersonCode)
	if err != nil {
		return nil, nil, err
	}
	all, filling := errgroup.WithContext(ctx)
	all.SetLimit(128)
	for k := range stock {
		code := iran.TrackingCode(iran.FromTime(now()).Year, uint32(k))
		m.codes = append(m.codes, code)
		all.Go(func() error { _, err := makeReady(filling, app, code, person, companyID(k)); return err })
	}
	return m, done, all.Wait()
}

// take is the next request that is ready, or none.
func (m *submissions) take() (code string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.codes) == 0 {
		return "", false
	}
	code, m.codes = m.codes[0], m.codes[1:]
	return code, true
}

// most is the highest rate, with clients that each wait for their answer.
func (m *submissions) most(ctx context.Context) (most float64, err error) {
	streams, err := m.stocked(ctx)
	if err != nil {
		return 0, err
	}
	for _, clients := range []int{64, 256} {
		what := fmt.Sprintf("SubmitRequest over HTTP, %d clients", clients)
		m.step(what)
		p, err := m.inTurn(
			8,
			m.profiled(fmt.Sprintf("submit-%d", clients), func() (float64, error) { return m.submitRate(ctx, clients, m.each) }),
			func() (float64, error) { return m.bareRate(ctx, streams, clients, m.each) },
		)
		if err != nil {
			return 0, err
		}
		idle, err := m.gun.idleRate(ctx, clients, m.each)
		if err != nil {
			return 0, err
		}
		most = max(most, median64(p.ours))
		m.report.add(p.figure("submit", what, "/s").atLeast(0.5).noted(
			"one makes %s; the generator alone reaches %.0f/s against a handler that only answers", m.script, idle))
	}
	return most, nil
}

var errUsedUp = errors.New("the prepared requests are used up")

func (m *submissions) submitRate(ctx context.Context, clients int, each time.Duration) (float64, error) {
	return rateOf(ctx, clients, each, func(context.Context, int) (bool, error) {
		code, more := m.take()
		if !more {
			return false, errUsedUp
		}
		return true, m.gun.submit(code)
	})
}

// latency is how long a submission takes at a rate. Requests arrive at moments of
// their own: who comes while others wait, waits with them, and that counts.
func (m *submissions) latency(ctx context.Context, what string, rate float64) (figure, error) {
	m.step(fmt.Sprintf("SubmitRequest at %.0f/s, open loop", rate))
	h, err := m.gun.open(ctx, rate, m.within, func() error {
		code, more := m.take()
		if !more {
			return errUsedUp
		}
		return m.gun.submit(code)
	})
	if err != nil {
		return figure{}, err
	}
	return figure{
		Row: "submit", What: what, Unit: "ms", Ours: quantile(h, 99),
		Note: fmt.Sprintf("%.0f/s in an open loop, %d requests: p50 %.1f ms, the longest %.1f ms",
			rate, h.TotalCount(), quantile(h, 50), quantile(h, 100)),
	}, nil
}
