package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// report is the table and the machine that it is of.
type report struct {
	Machine computer `json:"machine"`
	Rows    []figure `json:"rows"`
	Took    string   `json:"took"`
}

// figure is a line of the table. Its ceiling is what the machine gave in the same
// run; Bound is what the ratio, or the figure itself, must keep.
type figure struct {
	Row     string   `json:"row"`
	What    string   `json:"what"`
	Unit    string   `json:"unit"`
	Ours    float64  `json:"ours"`
	Ceiling *float64 `json:"ceiling,omitempty"`
	Ratio   *float64 `json:"ratio,omitempty"`
	Spread  float64  `json:"spread"` // of ours between rounds, as a part of it
	Need    string   `json:"required"`
	Met     *bool    `json:"met,omitempty"` // none is required of what is only told
	Note    string   `json:"note,omitempty"`
}

// add adds a line.
func (r *report) add(f figure) { r.Rows = append(r.Rows, f) }

// figure is what was measured in turn; its ratio is that of the medians.
func (p pair) figure(row, what, unit string) figure {
	ceiling := median64(p.ceiling)
	f := figure{Row: row, What: what, Unit: unit, Ours: median64(p.ours), Ceiling: &ceiling, Spread: spreadOf(p.ours)}
	ratio := f.Ours / ceiling
	f.Ratio = &ratio
	return f
}

// atLeast says which part of its ceiling the figure must reach.
func (f figure) atLeast(part float64) figure {
	met := *f.Ratio >= part
	f.Met, f.Need = &met, fmt.Sprintf("≥ %.1f", part)
	return f
}

// atMostTimes says how many times its ceiling the figure may be: it is a time.
func (f figure) atMostTimes(times float64) figure {
	met := *f.Ratio <= times
	f.Met, f.Need = &met, fmt.Sprintf("≤ %g ×", times)
	return f
}

// atMost says what the figure itself may be.
func (f figure) atMost(bound float64) figure {
	met := f.Ours <= bound
	f.Met, f.Need = &met, strings.TrimSpace(fmt.Sprintf("≤ %g %s", bound, f.Unit))
	return f
}

func (f figure) noted(format string, args ...any) figure {
	f.Note = fmt.Sprintf(format, args...)
	return f
}

func (r *report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n| what | ours | ceiling | ratio | required | met | spread |\n|---|--:|--:|--:|--:|:-:|--:|\n", r.Machine)
	for _, f := range r.Rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", f.What, amount(&f.Ours, f.Unit), amount(f.Ceiling, f.Unit),
			amount(f.Ratio, ""), f.Need, f.met(), f.spread())
	}
	for _, f := range r.Rows {
		if f.Note != "" {
			fmt.Fprintf(&b, "\n%s: %s.", f.What, f.Note)
		}
	}
	fmt.Fprintf(&b, "\n\n%s The run took %s. Everybody in it is invented.\n", r.verdict(), r.Took)
	return b.String()
}

func amount(value *float64, unit string) string {
	switch {
	case value == nil:
		return ""
	case *value >= 100:
		return strings.TrimSpace(fmt.Sprintf("%.0f %s", *value, unit))
	}
	return strings.TrimSpace(fmt.Sprintf("%.3g %s", *value, unit))
}

func (f figure) met() string {
	switch {
	case f.Met == nil:
		return ""
	case *f.Met:
		return "✓"
	}
	return "**no**"
}

func (f figure) spread() string {
	if f.Spread == 0 {
		return ""
	}
	return fmt.Sprintf("± %.0f %%", 100*f.Spread)
}

// verdict says plainly what falls short.
func (r *report) verdict() string {
	var short []string
	for _, f := range r.Rows {
		if f.Met != nil && !*f.Met {
			short = append(short, f.What)
		}
	}
	if len(short) == 0 {
		return "All that is required is met."
	}
	return "Short of what is required: " + strings.Join(short, "; ") + "."
}

func (r *report) write(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "report.json"), append(data, '\n'), 0o644),
		os.WriteFile(filepath.Join(dir, "report.md"), []byte(r.String()), 0o644))
}

// computer is what the figures are of.
type computer struct {
	CPU      string    `json:"cpu"`
	Cores    int       `json:"cores"`
	Memory   string    `json:"memory"`
	Kernel   string    `json:"kernel"`
	Disk     string    `json:"disk"`
	Load     string    `json:"load"`  // average of the minute before: what else the machine had to do
	Fsync    string    `json:"fsync"` // median of appending 4 KiB and waiting for the disk
	Go       string    `json:"go"`
	Postgres string    `json:"postgres"`
	Commit   string    `json:"commit"`
	Date     time.Time `json:"date"`
}

func (m computer) String() string {
	return fmt.Sprintf("%s, %d cores, %s; Linux %s; %s, fsync %s; %s, %s; commit %s, %s; load before: %s.",
		m.CPU, m.Cores, m.Memory, m.Kernel, m.Disk, m.Fsync, m.Go, m.Postgres, m.Commit, m.Date.Format(time.DateOnly), m.Load)
}

// newReport looks at the machine, and at the disk that the directory is on.
func newReport(ctx context.Context, dir string) (*report, error) {
	fsync, err := fsyncTime(dir)
	return &report{Machine: computer{
		CPU: fieldOf("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Memory: memory(), Kernel: firstField("/proc/sys/kernel/osrelease"), Load: firstField("/proc/loadavg"),
		Disk:  said1(ctx, "findmnt", "-n", "-o", "FSTYPE,SOURCE", "-T", dir),
		Fsync: fmt.Sprintf("%.2f ms", float64(fsync.Microseconds())/1000), Go: runtime.Version(),
		Postgres: said1(ctx, "psql", "--version"), Commit: said1(ctx, "git", "describe", "--always", "--dirty"), Date: now(),
	}}, err
}

// said1 is the first line that a program says, or that it is not there.
func said1(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil || line == "" {
		return "unknown"
	}
	return strings.Join(strings.Fields(line), " ")
}

// fieldOf is a field of a file of /proc.
func fieldOf(file, name string) string {
	data, _ := os.ReadFile(file)
	for line := range bytes.Lines(data) {
		if field, value, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(field) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func memory() string {
	var kib int64
	_, _ = fmt.Sscan(fieldOf("/proc/meminfo", "MemTotal"), &kib) // zero says that it is unknown
	return fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20))
}

func firstField(file string) string {
	data, _ := os.ReadFile(file)
	return strings.Fields(string(data) + " unknown")[0]
}

// fsyncTime is how long the disk takes for what every durable write waits for.
func fsyncTime(dir string) (time.Duration, error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	var took []float64
	for range 101 {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		took = append(took, float64(time.Since(began)))
	}
	return time.Duration(median64(took)), nil
}
