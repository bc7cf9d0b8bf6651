package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// bench measures the product beside its own limits, in the same run on the same
// machine: each row has its ceiling, which is measured in turn with it.
type bench struct {
	Only    string `help:"One row: appends, submit, relay, projector, rebuild, visible, issuance, crl, ocsp or start; default: all."`
	Events  int    `default:"1000000" help:"Events in the long log."`
	Profile string `name:"cpuprofile" type:"path" help:"Directory for CPU profiles of each row."`
	Out     string `default:"var/bench" type:"path" help:"Directory for report.md and report.json."`
}

// benchRow is a row of the table; it may need several figures.
type benchRow struct {
	name    string
	seconds float64 // that it takes on four cores, about
	measure func(*benchRun, context.Context) error
}

func benchRows() []benchRow {
	return []benchRow{
		{"appends", 27, (*benchRun).appends},
		{"submit", 30, (*benchRun).submit},
		{"relay", 50, (*benchRun).relay}, // makes the long log
		{"projector", 12, (*benchRun).projector},
		{"rebuild", 60, (*benchRun).rebuild},
		{"visible", 17, (*benchRun).visible},
		{"issuance", 40, (*benchRun).issuance},
		{"crl", 75, (*benchRun).crl},
		{"ocsp", 30, (*benchRun).ocsp},
		{"start", 25, (*benchRun).start},
	}
}

// effort is how much is done for each figure.
type effort struct {
	rounds  int           // at most
	each    time.Duration // of a round that lasts for a time
	within  time.Duration // of a measurement that has no rounds
	stock   int           // requests that are ready to be submitted
	sampled int           // events, where the beginning of the log is enough
	issued  int           // certificates of a round
	revoked int           // entries of a revocation list
}

var fullEffort = effort{rounds: 12, each: 250 * time.Millisecond, within: 4 * time.Second, stock: 40_000, sampled: 100_000, issued: 800, revoked: 1_000_000}

// benchRun is one run of it.
type benchRun struct {
	bench
	effort
	dir     string // gone afterwards
	report  *report
	long    *home // the house with the long log; see history
	left    bool  // it runs no more
	current bool  // its views show all of the log

	began, rowBegan time.Time
	row             benchRow
	later           float64 // seconds, of the rows to come
}

// Run prints the table and writes it down. A row that falls short is no error:
// the table says so.
func (b bench) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	rows, err := b.rows()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "govahi-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := errors.Join(os.Chmod(dir, 0o711), os.MkdirAll(b.Out, 0o755)); err != nil {
		return err
	}
	if b.Profile != "" {
		if err := os.MkdirAll(b.Profile, 0o755); err != nil {
			return err
		}
	}
	r := &benchRun{bench: b, effort: fullEffort, dir: dir}
	if err := r.measure(ctx, rows); err != nil {
		return err
	}
	fmt.Print(r.report)
	return r.report.write(b.Out)
}

func (r *benchRun) measure(ctx context.Context, rows []benchRow) (err error) {
	if r.report, err = newReport(ctx, r.dir); err != nil {
		return err
	}
	for _, row := range rows {
		r.later += row.seconds
	}
	r.began = time.Now()
	for _, row := range rows {
		r.row, r.rowBegan = row, time.Now()
		r.later -= row.seconds
		if err := row.measure(r, ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", row.name, err), r.leaveHistory(ctx))
		}
	}
	r.report.Took = time.Since(r.began).Round(time.Second).String()
	return r.leaveHistory(ctx)
}

func (b bench) rows() ([]benchRow, error) {
	all := benchRows()
	if b.Only == "" {
		return all, nil
	}
	var names []string
	for i, row := range all {
		if row.name == b.Only {
			return all[i : i+1], nil
		}
		names = append(names, row.name)
	}
	return nil, fmt.Errorf("there is no row %q: there are %s", b.Only, strings.Join(names, ", "))
}

// step says what goes on, and how long the whole will still take.
func (r *benchRun) step(what string) {
	left := r.later + max(0, r.row.seconds-time.Since(r.rowBegan).Seconds())
	fmt.Fprintf(os.Stderr, "  %-10s %s, about %v left in all\n", r.row.name, what, roughly(time.Duration(left*float64(time.Second))))
}

// pair is what was measured of ours and of its ceiling, in rounds.
type pair struct{ ours, ceiling []float64 }

// inTurn measures both in turn, so that what drifts on the machine drifts for
// both. The first round warms up and does not count.
func (r *benchRun) inTurn(rounds int, ours, ceiling func() (float64, error)) (p pair, err error) {
	for n := range min(rounds, r.rounds) + 1 {
		a, err := ours()
		if err != nil {
			return p, err
		}
		b, err := ceiling()
		if err != nil {
			return p, err
		}
		if n > 0 {
			p.ours, p.ceiling = append(p.ours, a), append(p.ceiling, b)
		}
	}
	return p, nil
}

func median64(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spreadOf is half of the range in which the middle half of the values lies, as a
// part of the median.
func spreadOf(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[n-1-n/4] - sorted[n/4]) / 2 / median64(values)
}
