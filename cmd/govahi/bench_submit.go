package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/adapters/sso"
	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/event"
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

// makeReady is what the applicant did until then, in one append.
func makeReady(ctx context.Context, app *commands.App, code string, person event.Subject, organization string) (event.Position, error) {
	at := now()
	f := personalForm()
	f.Organization = organization
	return recordRequest(ctx, app, code, person, enrollment.StatusReady,
		opened(code, person, at),
		enrollment.FormCompleted{
			Version: 1, Person: person, Organization: organization, Province: f.Province,
			EnteredBy: person, Entry: enrollment.ByApplicant, Form: event.About(person, f), At: at,
		},
		enrollment.EmailConfirmed{FormVersion: 1, At: at},
		enrollment.LiabilityAccepted{
			FormVersion: 1, NoticeVersion: commands.LiabilityNotice.Version, TextHash: commands.LiabilityNotice.Hash(), By: person, At: at,
		})
}

// openRequest is one event.
func openRequest(ctx context.Context, app *commands.App, code string, person event.Subject) (event.Position, error) {
	return recordRequest(ctx, app, code, person, enrollment.StatusDraft, opened(code, person, now()))
}

func opened(code string, person event.Subject, at time.Time) enrollment.Opened {
	return enrollment.Opened{TrackingCode: code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: person, At: at}
}

// recordRequest appends what began a request.
func recordRequest(ctx context.Context, app *commands.App, code string, person event.Subject, status enrollment.Status, events ...event.Event) (event.Position, error) {
	stream := enrollment.Kind.Stream(code)
	meta := event.Meta{
		CommandID: string(person) + "/bench-" + code + "/Prepare", Actor: string(person), Authority: "applicant", At: now(),
		Correlation: code, Causation: code, Status: string(status),
	}
	proposed, err := enrollment.Kind.Encode(ctx, app.Keeper, stream, meta, events)
	if err != nil {
		return 0, err
	}
	r, err := app.Log.Append(ctx, stream, event.NoStream, proposed...)
	return r.Position, err
}

// personalForm is the sample applicant's form as it is stored. Nothing in it is
// real.
func personalForm() enrollment.Form {
	code := ""
	for _, p := range sso.Personas() {
		if p.Name == "applicant" {
			code = p.NationalCode
		}
	}
	return enrollment.Form{
		GivenName: "متقاضی", Surname: "نمونه‌پور", LatinGivenName: "Motaghazi", LatinSurname: "Nemunepur",
		PersonCode: code, BirthDate: "1360/01/01", Mobile: "09120000000", Email: "nemune@example.ir",
		Address: "تهران، خیابان نمونه، پلاک ۰", PostalCode: "1619735744", Province: "تهران", City: "تهران",
		OrganizationName: "شرکت نمونهٔ آزمایشی", Organization: "10999001013", Post: "کارشناس پژوهش",
	}
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

// script is what one command asks of the log and tells it: for each round trip
// the number of events read, or appended.
type script []roundTrip

type roundTrip struct {
	appends bool
	events  int
}

func (s script) String() string {
	reads, appends := 0, 0
	for _, t := range s {
		if t.appends {
			appends++
		} else {
			reads++
		}
	}
	return fmt.Sprintf("%d reads and %d appends", reads, appends)
}

// observed is a log that writes down what it is asked.
type observed struct {
	event.Log
	script script
}

// Append is the log's.
func (o *observed) Append(ctx context.Context, s event.Stream, expected event.Expected, events ...event.Proposed) (event.Receipt, error) {
	o.script = append(o.script, roundTrip{true, len(events)})
	return o.Log.Append(ctx, s, expected, events...)
}

// Read is the log's.
func (o *observed) Read(ctx context.Context, s event.Stream, from uint64) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		o.script = append(o.script, roundTrip{})
		trip := len(o.script) - 1
		for e, err := range o.Log.Read(ctx, s, from) {
			o.script[trip].events++
			if !yield(e, err) {
				return
			}
		}
	}
}

// observe runs the command itself on the house's log and counts its round trips;
// the door adds none. The second time it is as warm as under load.
func (m *submissions) observe(ctx context.Context) (script, error) {
	person, err := m.app.People.Person(ctx, personalForm().PersonCode)
	if err != nil {
		return nil, err
	}
	watched, o := *m.app, &observed{}
	for range 2 {
		code, _ := m.take()
		o = &observed{Log: m.app.Log}
		watched.Log = o
		c := commands.Caller{Person: person, Key: "bench-" + code, Question: []byte(code)}
		if _, err := watched.SubmitRequest(ctx, c, code, sampleOffice); err != nil {
			return nil, err
		}
	}
	return o.script, nil
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

// stocked fills the bare log with a stream of each length that is read.
func (m *submissions) stocked(ctx context.Context) (map[int]event.Stream, error) {
	streams := map[int]event.Stream{0: "bench-none"}
	for _, t := range m.script {
		if _, ok := streams[t.events]; ok {
			continue
		}
		stream := event.NewStream("bench", "read", fmt.Sprint(t.events))
		if _, err := m.bare.log.Append(ctx, stream, event.NoStream, usualEvents(stream, t.events)...); err != nil {
			return nil, err
		}
		streams[t.events] = stream
	}
	return streams, nil
}

// bareRate is how often a second so many callers get through the script.
func (m *submissions) bareRate(ctx context.Context, streams map[int]event.Stream, callers int, each time.Duration) (float64, error) {
	return rateOf(ctx, callers, each, func(ctx context.Context, _ int) (bool, error) {
		for _, t := range m.script {
			if err := m.bareTrip(ctx, streams[t.events], t); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

func (m *submissions) bareTrip(ctx context.Context, read event.Stream, t roundTrip) error {
	if t.appends {
		stream := newStream()
		_, err := m.bare.log.Append(ctx, stream, event.NoStream, usualEvents(stream, t.events)...)
		return err
	}
	for _, err := range m.bare.log.Read(ctx, read, 0) {
		if err != nil {
			return err
		}
	}
	return nil
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

// companyID is the k-th synthetic company ID with a right check digit (domain
// §3.2).
func companyID(k int) string {
	digits := fmt.Sprintf("1099%06d", k+1)
	z := [5]int{29, 27, 23, 19, 17}
	sum := 0
	for i, c := range digits {
		sum += (int(c-'0') + int(digits[9]-'0') + 2) * z[i%5]
	}
	return fmt.Sprintf("%s%d", digits, sum%11%10)
}
