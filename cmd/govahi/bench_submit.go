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

// submit measures SubmitRequest as its users meet it, over HTTP, beside a bare
// log that is asked and told the same number of things in the same order; and
// how long it takes at half of what is possible.
func (r *benchRun) submit(ctx context.Context) error {
	i, err := r.instance(ctx, "submit")
	if err != nil {
		return err
	}
	defer func() { _ = i.stop() }()
	s, done, err := i.story(ctx, "submit", "")
	if err != nil {
		return err
	}
	defer done()
	m := &submissions{benchRun: r, instance: i}
	if m.gun, err = newGun(i.listen, s.client.token); err != nil {
		return err
	}
	app, closeApp, err := attached{Data: i.dir}.app(ctx)
	if err != nil {
		return err
	}
	defer closeApp()
	if err := m.prepare(ctx, app); err != nil {
		return err
	}
	if m.script, err = m.observe(ctx, app); err != nil {
		return err
	}
	if m.bare, err = r.node(ctx, "submit-log"); err != nil {
		return err
	}
	defer m.bare.close()
	return errors.Join(m.most(ctx), m.latency(ctx))
}

// submissions are requests that are ready to be submitted.
type submissions struct {
	*benchRun
	*instance
	gun    *gun
	bare   *served
	script script
	rate   float64 // the most that was reached

	mu    sync.Mutex
	codes []string
}

// How many requests are prepared. A round that uses them up ends early.
const submitStock = 12_000

// prepare puts requests of one applicant into the log as they stand before their
// submission, each with an organisation of its own; the house has dealt with
// them before anything is measured.
func (m *submissions) prepare(ctx context.Context, app *commands.App) error {
	m.step(fmt.Sprintf("preparing %d requests", submitStock))
	form := applicantForm("applicant")
	person, err := app.People.Person(ctx, form.PersonCode)
	if err != nil {
		return err
	}
	all, filling := errgroup.WithContext(ctx)
	all.SetLimit(128)
	for k := range submitStock {
		code := iran.TrackingCode(iran.FromTime(now()).Year, uint32(k))
		m.codes = append(m.codes, code)
		all.Go(func() error { return makeReady(filling, app, code, person, companyID(k)) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	return m.quiet(ctx)
}

// makeReady is what the applicant did until now, in one append.
func makeReady(ctx context.Context, app *commands.App, code string, person event.Subject, organization string) error {
	at := now()
	f := personalForm()
	f.Organization = organization
	events := []event.Event{
		enrollment.Opened{TrackingCode: code, Channel: enrollment.Outside, CertificateType: "cpmis-signature", OpenedBy: person, At: at},
		enrollment.FormCompleted{
			Version: 1, Person: person, Organization: organization, Province: f.Province,
			EnteredBy: person, Entry: enrollment.ByApplicant, Form: event.About(person, f), At: at,
		},
		enrollment.EmailConfirmed{FormVersion: 1, At: at},
		enrollment.LiabilityAccepted{
			FormVersion: 1, NoticeVersion: commands.LiabilityNotice.Version, TextHash: commands.LiabilityNotice.Hash(), By: person, At: at,
		},
	}
	stream := enrollment.Kind.Stream(code)
	meta := event.Meta{
		CommandID: string(person) + "/bench-" + code + "/Prepare", Actor: string(person), Authority: "applicant", At: at,
		Correlation: code, Causation: code, Status: string(enrollment.StatusReady),
	}
	proposed, err := enrollment.Kind.Encode(ctx, app.Keeper, stream, meta, events)
	if err != nil {
		return err
	}
	_, err = app.Log.Append(ctx, stream, event.NoStream, proposed...)
	return err
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

// observe runs the command itself on the instance's log and counts its round
// trips; the door adds none. The second time it is as warm as under load.
func (m *submissions) observe(ctx context.Context, app *commands.App) (script, error) {
	watched := *app
	var o *observed
	for range 2 {
		code, _ := m.take()
		o = &observed{Log: app.Log}
		watched.Log = o
		person, err := app.People.Person(ctx, personalForm().PersonCode)
		if err != nil {
			return nil, err
		}
		c := commands.Caller{Person: person, Key: "bench-" + code, Question: []byte(code)}
		if _, err := watched.SubmitRequest(ctx, c, code, sampleOffice); err != nil {
			return nil, err
		}
	}
	return o.script, nil
}

// most is the highest rate, with clients that each wait for their answer.
func (m *submissions) most(ctx context.Context) error {
	const rounds, each = 2, time.Second
	streams, err := m.stocked(ctx)
	if err != nil {
		return err
	}
	for _, clients := range []int{64, 256} {
		what := fmt.Sprintf("SubmitRequest over HTTP, %d clients", clients)
		m.step(what)
		p, err := inTurn(
			rounds,
			m.profiled(fmt.Sprintf("submit-%d", clients), func() (float64, error) { return m.submitRate(ctx, clients, each) }),
			func() (float64, error) { return m.bareRate(ctx, streams, clients, each) },
		)
		if err != nil {
			return err
		}
		idle, err := m.gun.idleRate(ctx, clients, each)
		if err != nil {
			return err
		}
		m.rate = max(m.rate, median64(p.ours))
		m.report.ratio("submit", what, "/s", p, 0.5).Note = fmt.Sprintf(
			"one makes %s; the generator alone reaches %.0f/s against a handler that only answers", m.script, idle)
	}
	return nil
}

func (m *submissions) submitRate(ctx context.Context, clients int, each time.Duration) (float64, error) {
	rate, err := rateOf(ctx, clients, each, func(context.Context, int) (bool, error) {
		code, more := m.take()
		if !more {
			return false, nil
		}
		return true, m.gun.submit(code)
	})
	return rate, errors.Join(err, m.quiet(ctx))
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

// latency is how long a submission takes at half of what is possible. Requests
// arrive at moments of their own: who comes while others wait, waits with them,
// and that counts.
func (m *submissions) latency(ctx context.Context) error {
	const within = 4 * time.Second
	rate := m.rate / 2
	m.step(fmt.Sprintf("SubmitRequest at %.0f/s, open loop", rate))
	h, err := m.gun.open(ctx, rate, within, func() error {
		code, more := m.take()
		if !more {
			return errors.New("the prepared requests are used up")
		}
		return m.gun.submit(code)
	})
	if err != nil {
		return err
	}
	p99 := float64(h.ValueAtQuantile(99)) / 1000
	m.report.bound("submit", "SubmitRequest, p99 at half of the maximum", "ms", []float64{p99}, nil, 50).Note = fmt.Sprintf(
		"%.0f/s in an open loop, %d requests: p50 %.1f ms, longest %.1f ms", rate, h.TotalCount(), float64(h.ValueAtQuantile(50))/1000, float64(h.Max())/1000)
	return nil
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
