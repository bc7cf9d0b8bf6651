package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"govahi/commands"
)

func TestTermsOfAFileReplaceTheDefaults(t *testing.T) {
	got, err := readTerms(strings.NewReader("suspensionDays: 10\nreminderDays: [5, 1]\ncustodyDays: {receipt: [3, 5]}\n"))
	want := commands.DefaultTerms()
	want.SuspensionDays, want.ReminderDays, want.Custody.Receipt = 10, []int{5, 1}, [2]int{3, 5}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, nothing := range []string{"", "# nothing yet\n", "---\n"} {
		if got, err := readTerms(strings.NewReader(nothing)); err != nil || !reflect.DeepEqual(got, commands.DefaultTerms()) {
			t.Errorf("of %q: %+v, %v", nothing, got, err)
		}
	}
	if err := commands.DefaultTerms().Check(); err != nil {
		t.Error(err)
	}
}

func TestWrongTermsAreNamed(t *testing.T) {
	for text, names := range map[string][]string{
		"suspensiondays: 3":                        {"suspensiondays"},
		"suspensionDays: 3\nsuspensionDays: 4":     {"suspensionDays"},
		"suspensionDays: ten":                      {"ten"},
		"suspensionDays: 0\nacceptanceDays: -1":    {"suspensionDays is 0", "acceptanceDays is -1"},
		"reinquiryDays: 3651":                      {"reinquiryDays is 3651"},
		"reminderDays: []":                         {"reminderDays is empty"},
		"reminderDays: [7, 7]":                     {"reminderDays has 7 at place 2"},
		"reminderDays: [1, 30]":                    {"reminderDays has 30 at place 2"},
		"custodyDays: {receipt: [7]}":              {"want 2 elements"},
		"custodyDays: {delivery: [30, 30]}":        {"delivery [30 30]"},
		"custodyDays: {activation: [0, 3]}":        {"activation [0 3]"},
		"custodyDays: {post: [1, 3]}":              {"post"},
		"reminderDays: [0]":                        {"reminderDays has 0 at place 1"},
		"suspensionDays: 3\n---\nreinquiryDays: 4": {"more than one YAML document"},
		"[1, 2]":               {"docs/operations.md"},
		"suspensionDays: 3: 4": {"docs/operations.md"},
	} {
		_, err := readTerms(strings.NewReader(text))
		for _, name := range append(names, "GOVAHI_TERMS") {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%q: %v does not name %s", text, err, name)
			}
		}
	}
	if _, err := (settings{Terms: filepath.Join(t.TempDir(), "none.yaml")}).terms(); err == nil || !strings.Contains(err.Error(), "GOVAHI_TERMS") {
		t.Errorf("a file that is not there: %v", err)
	}
}
