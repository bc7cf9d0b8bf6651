package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/adapters/eventstore"
	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/queries"
)

// bench measures the product as its users meet it, on a fresh instance, beside
// what the same log takes of bare appends in the same run.
type bench struct {
	Requests  int    `default:"2000" help:"Requests to submit."`
	Issuances int    `default:"300" help:"Certificates to issue."`
	Clients   int    `default:"64" help:"Clients at once."`
	Out       string `default:"var/bench" type:"path" help:"Directory for report.md."`
}

// Run prints the table and writes it to report.md.
func (b bench) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	dir, err := os.MkdirTemp("", "govahi-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := errors.Join(os.Chmod(dir, 0o711), os.MkdirAll(b.Out, 0o755)); err != nil {
		return err
	}
	r := &report{}
	if err := b.measure(ctx, filepath.Join(dir, "data"), r); err != nil {
		return err
	}
	fmt.Print(r)
	return os.WriteFile(filepath.Join(b.Out, "report.md"), []byte(r.String()), 0o644)
}

// report is the table.
type report struct{ lines []string }

func (r *report) add(what, figure string) {
	r.lines = append(r.lines, fmt.Sprintf("| %s | %s |", what, figure))
}

func (r *report) String() string {
	head := fmt.Sprintf("%s, %d cores, %s\n\n| what | figure |\n|---|---|\n", runtime.GOARCH, runtime.NumCPU(), now().Format(time.DateOnly))
	return head + strings.Join(r.lines, "\n") + "\n"
}

func (b bench) measure(ctx context.Context, dir string, r *report) error {
	for _, which := range []string{"first", "later"} {
		began := time.Now()
		i, err := startInstance(ctx, dir, io.Discard, "GOVAHI_LIMITS=off")
		if err != nil {
			return err
		}
		r.add(which+" start until ready", fmt.Sprintf("%d ms", time.Since(began).Milliseconds()))
		if which == "later" {
			return errors.Join(b.load(ctx, i, r), i.stop())
		}
		if err := i.stop(); err != nil {
			return err
		}
	}
	return nil
}

func (b bench) load(ctx context.Context, i *instance, r *report) error {
	s, done, err := i.story(ctx, "bench", filepath.Join(filepath.Dir(i.dir), "tokens"))
	if err != nil {
		return err
	}
	defer done()
	app, closeApp, err := attached{Data: i.dir}.app(ctx)
	if err != nil {
		return err
	}
	defer closeApp()
	l := &load{bench: b, base: s.client, app: app, report: r}
	if err := l.bareAppends(ctx, i); err != nil {
		return err
	}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	if err := l.submit(ctx); err != nil {
		return err
	}
	return l.issue(ctx)
}

// load is the run against one instance.
type load struct {
	bench
	base   *client
	app    *commands.App
	report *report
	codes  []string
}

// each does the same for every number below n, with so many clients at once, and
// shows how far it is.
func (l *load) each(ctx context.Context, what string, n int, do func(context.Context, *client, int) error) (time.Duration, error) {
	work := make(chan int)
	all, ctx := errgroup.WithContext(ctx)
	shown := beginProgress(what, "calls", int64(n))
	defer shown.end()
	for range l.Clients {
		c := newClient(l.base.base, l.base.token)
		all.Go(func() error {
			for k := range work {
				if err := do(ctx, c, k); err != nil {
					return fmt.Errorf("%s %d: %w", what, k, err)
				}
				shown.add(1)
			}
			return nil
		})
	}
	began := time.Now()
	all.Go(func() error {
		defer close(work)
		for k := range n {
			select {
			case work <- k:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	err := all.Wait()
	return time.Since(began), err
}

func rate(n int, took time.Duration) string { return fmt.Sprintf("%.0f/s", float64(n)/took.Seconds()) }

// bareAppends is what the log takes: one event of a usual size to a new stream.
func (l *load) bareAppends(ctx context.Context, i *instance) error {
	d, err := attached{Data: i.dir}.data()
	if err != nil {
		return err
	}
	log, err := eventstore.Open(d.logSocket())
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	const n = 20_000
	data := []byte(`"` + strings.Repeat("x", 400) + `"`)
	took, err := l.each(ctx, "appends", n, func(ctx context.Context, _ *client, k int) error {
		stream := event.NewStream("bench", fmt.Sprint(k))
		_, err := log.Append(ctx, stream, event.NoStream, event.Proposed{
			ID: event.DeriveID("bench", string(stream)), Type: "bench.appended.v1", Data: data, Meta: []byte(`{}`),
		})
		return err
	})
	l.report.add(fmt.Sprintf("durable appends through the official client, %d callers", l.Clients), rate(n, took))
	return err
}

// prepare brings requests to the point of submission: one applicant, many
// organisations, for he may have one open request with each.
func (l *load) prepare(ctx context.Context) error {
	l.codes = make([]string, l.Requests)
	_, err := l.each(ctx, "preparing", l.Requests, func(ctx context.Context, c *client, k int) error {
		s := &story{patience: 10, client: c, name: fmt.Sprint("bench-", k)}
		if err := s.open(ctx); err != nil {
			return err
		}
		l.codes[k] = s.code
		form := applicantForm("applicant")
		form.Organization = companyID(k)
		return errors.Join(s.say("applicant", "form", form)(ctx), l.prove(ctx, s), s.acceptLiability(ctx))
	})
	return err
}

// prove enters the code that was sent, as soon as it was.
func (l *load) prove(ctx context.Context, s *story) error {
	code := l.app.EmailCode(enrollment.Kind.Stream(s.code), 1)
	return s.until(ctx, func(ctx context.Context) (bool, error) {
		err := s.say("applicant", "email-confirmation", map[string]string{"code": code})(ctx)
		var r refusal
		if errors.As(err, &r) && r.Code == "email-code-not-sent" {
			return false, nil
		}
		return err == nil, err
	})
}

func (l *load) submit(ctx context.Context) error {
	took, err := l.each(ctx, "submitting", l.Requests, func(ctx context.Context, c *client, k int) error {
		s := &story{patience: 10, client: c, name: fmt.Sprint("bench-", k), code: l.codes[k]}
		return s.say("applicant", "submission", map[string]string{"office": sampleOffice})(ctx)
	})
	l.report.add(fmt.Sprintf("SubmitRequest over HTTP, %d clients", l.Clients), rate(l.Requests, took))
	return err
}

// issue measures from the first IssueCertificate until the last certificate is
// there.
func (l *load) issue(ctx context.Context) error {
	n := min(l.Issuances, l.Requests)
	csrs := make([]string, n)
	_, err := l.each(ctx, "vetting", n, func(ctx context.Context, c *client, k int) (err error) {
		s := &story{patience: 10, client: c, name: fmt.Sprint("bench-", k), code: l.codes[k], out: io.Discard}
		if err := s.tell(ctx, s.untilConfirmed()); err != nil {
			return err
		}
		if csrs[k], err = sampleCSR(); err != nil {
			return err
		}
		return l.reserve(ctx, s, k)
	})
	if err != nil {
		return err
	}
	began := time.Now()
	_, err = l.each(ctx, "asking", n, func(ctx context.Context, c *client, k int) error {
		s := &story{patience: 10, client: c, name: fmt.Sprint("bench-", k), code: l.codes[k]}
		return s.say("officer-1", "issuance", map[string]string{"token": benchToken(k), "csr": csrs[k]})(ctx)
	})
	if err == nil {
		err = l.awaitIssued(ctx, int64(n))
	}
	l.report.add(fmt.Sprintf("issuance end to end (lint, intent, fence, C_Sign, record, view), %d at once", l.Clients), rate(n, time.Since(began)))
	return err
}

// awaitIssued looks at the management view until all certificates are there.
func (l *load) awaitIssued(ctx context.Context, n int64) error {
	for {
		var m queries.Management
		if err := l.base.get(ctx, "manager", "/management", &m); err != nil && !waitsForView(err) {
			return err
		}
		for _, s := range m.States {
			if s.State == "issued" && s.Count >= n {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func benchToken(k int) string { return fmt.Sprintf("bench%08d", k) }

func (l *load) reserve(ctx context.Context, s *story, k int) error {
	stock := map[string]string{"serial": benchToken(k), "model": "bench", "office": sampleOffice}
	if err := s.post(ctx, "officer-1", s.name+"-stock", "/tokens", stock, nil); err != nil {
		return err
	}
	return s.say("officer-1", "token", map[string]string{"token": benchToken(k)})(ctx)
}

// sampleCSR is a request of a key that no token holds: the token's own work is
// not what is measured here.
func sampleCSR() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), err
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
