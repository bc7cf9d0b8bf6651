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
	Only    string `help:"One row: appends, submit, relay, projector, rebuild, visible or start; default: all."`
	Events  int    `default:"1000000" help:"Events in the long log."`
	Profile string `name:"cpuprofile" type:"path" help:"Directory for CPU profiles of each row."`
	Out     string `default:"var/bench" type:"path" help:"Directory for report.md and report.json."`
}

// benchRow is a row of the table; it may need several figures.
type benchRow struct {
	name    string
	measure func(*benchRun, context.Context) error
}

func benchRows() []benchRow {
	return []benchRow{
		{"appends", (*benchRun).appends},
		{"submit", (*benchRun).submit},
		{"relay", (*benchRun).relay},
		{"projector", (*benchRun).projector},
		{"rebuild", (*benchRun).rebuild},
		{"visible", (*benchRun).visible},
		{"start", (*benchRun).start},
	}
}

// benchRun is one run of it.
type benchRun struct {
	bench
	dir     string // gone afterwards
	report  *report
	long    *home // the house with the long log; see history
	left    bool  // it runs no more
	current bool  // its views show all of the log
	row     string
	began   time.Time
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
	r := &benchRun{bench: b, dir: dir, began: time.Now()}
	if r.report, err = newReport(ctx, dir); err != nil {
		return err
	}
	for _, row := range rows {
		r.row = row.name
		if err := row.measure(r, ctx); err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
	}
	r.report.Took = time.Since(r.began).Round(time.Second).String()
	fmt.Print(r.report)
	return r.report.write(b.Out)
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

// step says what goes on.
func (r *benchRun) step(what string) {
	fmt.Fprintf(os.Stderr, "  %4.0f s  %-9s %s …\n", time.Since(r.began).Seconds(), r.row, what)
}

// pair is what was measured of ours and of its ceiling, in rounds.
type pair struct{ ours, ceiling []float64 }

// inTurn measures both in turn, so that what drifts on the machine drifts for
// both. The first round warms up and does not count.
func inTurn(rounds int, ours, ceiling func() (float64, error)) (p pair, err error) {
	for n := range rounds + 1 {
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
