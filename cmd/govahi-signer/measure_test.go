package main_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// TestOnlyADevelopmentCAIsMeasured holds what the bench's ceiling may do with a
// CA's key: nothing, where anybody might trust what it signs.
func TestOnlyADevelopmentCAIsMeasured(t *testing.T) {
	c, _ := asked(t)
	if out, code := try(t, "measure", "--dir", c.dir); code == 0 || !strings.Contains(out, "only what the log holds is signed") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// What is measured says how long it took, and gives no signature out.
func TestMeasureTellsTheTimeAlone(t *testing.T) {
	c := newCA(t).certify(t)
	cmd := exec.CommandContext(t.Context(), binary, "measure", "--dir", c.dir)
	question, err := json.Marshal(map[string]any{"certificates": [][]byte{c.by.DER, c.by.DER}, "workers": 2})
	must(t, err)
	cmd.Stdin = bytes.NewReader(question)
	out, err := cmd.Output()
	must(t, err)
	if said := string(out); strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, `{"seconds":`) || len(said) > 40 {
		t.Errorf("said %q", said)
	}
}
