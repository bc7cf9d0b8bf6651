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
	got, err := settings{Terms: termsFile(t, "suspensionDays: 10\nreminderDays: [5, 1]\ncustodyDays: {receipt: [3, 5]}\n")}.terms()
	want := commands.DefaultTerms()
	want.SuspensionDays, want.ReminderDays, want.Custody.Receipt = 10, []int{5, 1}, []int{3, 5}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := commands.DefaultTerms().Check(); err != nil {
		t.Error(err)
	}
}

func termsFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "terms.yaml")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestWrongTermsAreNamed(t *testing.T) {
	for text, c := range map[string]struct{ field, says string }{
		"":                                         {"خالی", "empty"},
		"# nothing yet\n":                          {"خالی", "empty"},
		"suspensiondays: 3":                        {`خانه‌ای به نام "suspensiondays"`, "suspensiondays"},
		"suspensionDays: 3\nsuspensionDays: 4":     {`خانهٔ "suspensionDays" دو بار`, "suspensionDays"},
		"suspensionDays: ten":                      {`"ten" مقدار درستی نیست`, "ten"},
		"reminderDays: [30, 1.5]":                  {`"1.5" مقدار درستی نیست`, "write a whole number"},
		"custodyDays: {receipt: [7, 21.5]}":        {`"21.5" مقدار درستی نیست`, "write a whole number"},
		"suspensionDays: &a 3\nreinquiryDays: *a":  {"نام مستعار", "aliases"},
		"suspensionDays: 0\nacceptanceDays: -1":    {"suspensionDays", "acceptanceDays: -1 is not days from 1"},
		"reinquiryDays: 3651":                      {"reinquiryDays", "3651 is not days from 1 to 3650"},
		"reminderDays: []":                         {"reminderDays", "nothing is said"},
		"reminderDays: [7, 7]":                     {"reminderDays[1]", "7 is not less"},
		"reminderDays: [1, 30]":                    {"reminderDays[1]", "30 is not less"},
		"custodyDays: {receipt: [7]}":              {"custodyDays.receipt", "[7] cannot be"},
		"custodyDays: {receipt: [7, 21, 30]}":      {"custodyDays.receipt", "[7 21 30] cannot be"},
		"custodyDays: {receipt: [7, 3651]}":        {"custodyDays.receipt", "[7 3651]"},
		"custodyDays: {delivery: [30, 30]}":        {"custodyDays.delivery", "[30 30]"},
		"custodyDays: {activation: [0, 3]}":        {"custodyDays.activation", "[0 3]"},
		"custodyDays: {post: [1, 3]}":              {`خانه‌ای به نام "post"`, "post"},
		"reminderDays: [0]":                        {"reminderDays[0]", "0 is not days"},
		"suspensionDays: 3\n---\nreinquiryDays: 4": {"سند دومی", "second document"},
		"[1, 2]":               {"فهرست (sequence)", "mapping is expected"},
		"suspensionDays: 3: 4": {"YAML درست نیست", "[1:"},
	} {
		wantWrongTerms(t, termsFile(t, text), c.field, c.says)
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
