package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"govahi/adapters/sso"
)

// TestBench measures everything with as little effort as there is. What it finds
// says nothing of the product; that it finds all of it says that the bench works.
func TestBench(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	r := &benchRun{
		bench: bench{Events: 2000}, dir: filepath.Dir(dataDir(t)),
		effort: effort{rounds: 1, each: 50 * time.Millisecond, within: 500 * time.Millisecond, stock: 2000, sampled: 1500, issued: 16, revoked: 2000},
	}
	must(t, r.measure(ctx, benchRows()))
	count := map[string]int{}
	for _, f := range r.report.Rows {
		if count[f.Row]++; f.Ours <= 0 || f.Ceiling != nil && *f.Ceiling <= 0 {
			t.Errorf("%s: %+v", f.What, f)
		}
	}
	for row, want := range map[string]int{"appends": 4, "submit": 4, "relay": 1, "projector": 1, "rebuild": 2, "visible": 4, "issuance": 2, "crl": 1, "ocsp": 2, "start": 3} {
		if count[row] != want {
			t.Errorf("%d figures of %s, expected %d", count[row], row, want)
		}
	}
	must(t, r.report.write(r.dir))
	r.readsWell(t)
}

// readsWell finds each figure in both files.
func (r *benchRun) readsWell(t *testing.T) {
	t.Helper()
	var read report
	data, err := os.ReadFile(filepath.Join(r.dir, "report.json"))
	must(t, err)
	must(t, json.Unmarshal(data, &read))
	text, err := os.ReadFile(filepath.Join(r.dir, "report.md"))
	must(t, err)
	for i, f := range r.report.Rows {
		if read.Rows[i].What != f.What || !strings.Contains(string(text), "| "+f.What+" |") {
			t.Errorf("%s is not in the report", f.What)
		}
	}
}

// A row that falls short is said to, in words.
func TestBenchSaysWhatFallsShort(t *testing.T) {
	var r report
	r.add(pair{ours: []float64{69, 70, 71}, ceiling: []float64{99, 100, 101}}.figure("a", "good", "/s").atLeast(0.7))
	r.add(pair{ours: []float64{69, 69, 69}, ceiling: []float64{99, 100, 101}}.figure("a", "short", "/s").atLeast(0.7))
	r.add(figure{What: "slow", Unit: "ms", Ours: 5.1}.atMost(5))
	if want := "Short of what is required: short; slow."; r.verdict() != want {
		t.Errorf("said %q, expected %q", r.verdict(), want)
	}
	for _, line := range []string{"| good | 70 /s | 100 /s | 0.7 | ≥ 0.7 | ✓ |", "| short | 69 /s | 100 /s | 0.69 | ≥ 0.7 | **no** |", "| slow | 5.1 ms |  |  | ≤ 5 ms | **no** |"} {
		if !strings.Contains(r.String(), line) {
			t.Errorf("no line %s in\n%s", line, r.String())
		}
	}
}

// Profiles are taken in development only, like all that is done to an instance
// from outside.
func TestProfilesAreRefusedInProduction(t *testing.T) {
	t.Setenv(profileHook, t.TempDir())
	if err := refuseHooks(sso.Production); err == nil {
		t.Error("production takes the hook for profiles")
	}
	must(t, refuseHooks(sso.Development))
}
