package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"govahi/commands"
	"govahi/domain/fault/faulttest"
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
	for text, c := range map[string]struct{ field, says string }{
		"suspensiondays: 3":                        {"نام‌های docs/operations.md", "suspensiondays"},
		"suspensionDays: 3\nsuspensionDays: 4":     {"نام‌های docs/operations.md", "suspensionDays"},
		"suspensionDays: ten":                      {"نام‌های docs/operations.md", "ten"},
		"suspensionDays: 0\nacceptanceDays: -1":    {"suspensionDays", "acceptanceDays: -1 is not days from 1"},
		"reinquiryDays: 3651":                      {"reinquiryDays", "3651 is not days from 1 to 3650"},
		"reminderDays: []":                         {"reminderDays", "nothing is said"},
		"reminderDays: [7, 7]":                     {"reminderDays[1]", "7 is not less"},
		"reminderDays: [1, 30]":                    {"reminderDays[1]", "30 is not less"},
		"custodyDays: {receipt: [7]}":              {"نام‌های docs/operations.md", "want 2 elements"},
		"custodyDays: {receipt: [7, 3651]}":        {"custodyDays.receipt", "[7 3651]"},
		"custodyDays: {delivery: [30, 30]}":        {"custodyDays.delivery", "[30 30]"},
		"custodyDays: {activation: [0, 3]}":        {"custodyDays.activation", "[0 3]"},
		"custodyDays: {post: [1, 3]}":              {"نام‌های docs/operations.md", "post"},
		"reminderDays: [0]":                        {"reminderDays[0]", "0 is not days"},
		"suspensionDays: 3\n---\nreinquiryDays: 4": {"سند دومی", "more than one YAML document"},
		"[1, 2]":               {"نام‌های docs/operations.md", "no YAML"},
		"suspensionDays: 3: 4": {"نام‌های docs/operations.md", "no YAML"},
	} {
		file := filepath.Join(t.TempDir(), "terms.yaml")
		must(t, os.WriteFile(file, []byte(text), 0o600))
		wantWrongTerms(t, file, c.field, c.says)
	}
	wantWrongTerms(t, filepath.Join(t.TempDir(), "none.yaml"), "خوانده نمی‌شود", "no such file")
}

func wantWrongTerms(t *testing.T, file, field, says string) {
	t.Helper()
	_, err := settings{Terms: file}.terms()
	if err == nil {
		t.Errorf("%s is accepted where %q was to be said", file, says)
		return
	}
	for _, word := range []string{"GOVAHI_TERMS", "چیزی تغییر نکرد", file, says} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("no %q in:\n%v", word, err)
		}
	}
	if err := faulttest.Remarked(err.Error(), field); err != nil {
		t.Error(err)
	}
}
