package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"govahi/queries/auditor"
)

// TestAHealthyHouseHasNoDifference: what the story leaves is checked by the
// program as an auditor runs it, and nothing is found.
func TestAHealthyHouseHasNoDifference(t *testing.T) {
	i := begin(t, dataDir(t))
	s := telling(t, i, "story")
	for _, part := range [][]step{s.untilSubmitted(), s.untilConfirmed(), s.untilActive(), s.untilRevoked()} {
		must(t, s.tell(t.Context(), part))
	}
	file := filepath.Join(t.TempDir(), "audit.json")
	out, err := i.govahi(t, "", "audit", "certificates", "--json", file)
	t.Log(out)
	must(t, err)
	var told struct {
		Differences []auditor.Difference
		Summary     auditor.Summary
	}
	text, err := os.ReadFile(file)
	must(t, err)
	must(t, json.Unmarshal(text, &told))
	if len(told.Differences) != 0 || told.Summary.Checked < 4 || told.Summary.Asked < 4 || told.Summary.Listed != 1 {
		t.Errorf("the audit says %s", text)
	}
	if !strings.Contains(out, "differences") {
		t.Errorf("no summary:\n%s", out)
	}
}
