package iran_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"govahi/domain/iran"
)

// strange is what a text may carry that looks like something else, or like
// nothing. None of it may pass a code, a Latin name or an address.
var strange = map[string]string{
	"NUL": "\x00", "bell": "\a", "line end": "\r\n", "next line": "\u0085", "line separator": "\u2028", "paragraph separator": "\u2029",
	"zero-width space": "\u200b", "word joiner": "\u2060", "soft hyphen": "\u00ad", "variation selector": "\ufe0f", "tag": "\U000e0041",
	"Cyrillic а": "а", "Cyrillic о": "о", "Greek ο": "ο", "Greek Α": "Α", "full-width a": "ａ", "full-width 1": "１", "mathematical a": "𝐚",
	"mathematical 1": "𝟏", "Kelvin sign": "\u212a", "dotless i": "ı", "Roman numeral": "Ⅰ", "superscript": "¹", "circled": "①", "Devanagari": "१",
	"emoji": "😀", "keycap": "1\ufe0f\u20e3", "flag": "🇮🇷", "combining acute": "\u0301\u0301", "combining stroke": "\u0338", "overlay": "\u20dd",
	"replacement": "\ufffd", "private use": "\ue000", "noncharacter": "\uffff", "broken UTF-8": "\xff", "overlong": "\xc0\xaf", "surrogate": "\xed\xa0\x80",
	"presentation form": "\ufeb3", "ligature": "\ufdf2", "letter O": "O", "Arabic letter": "ب", "Arabic comma": "،", "Arabic decimal": "٫",
}

func TestStrangeCharactersPassNoCode(t *testing.T) {
	codes := map[string]struct {
		right string
		parse func(string) error
	}{
		"national":          {"9991000038", func(s string) error { _, err := iran.NationalCode(s); return err }},
		"foreign":           {"123456789012", func(s string) error { _, err := iran.ForeignCode(s); return err }},
		"person":            {"9991000038", func(s string) error { _, _, err := iran.PersonCode(s); return err }},
		"company":           {"10999001013", func(s string) error { _, _, err := iran.CompanyID(s); return err }},
		"mobile":            {"09120000000", func(s string) error { _, err := iran.Mobile(s); return err }},
		"postal":            {"1619735744", func(s string) error { _, _, err := iran.PostalCode(s); return err }},
		"tracking":          {"050000000014", func(s string) error { _, err := iran.ParseTrackingCode(s); return err }},
		"date":              {"1405/09/01", func(s string) error { _, err := iran.ParseDate(s); return err }},
		"email":             {"name@example.ir", func(s string) error { _, err := iran.Email(s); return err }},
		"Latin name":        {"Nemune", named(iran.IsLatinName)},
		"Persian name":      {"نمونه", named(iran.IsPersianName)},
		"birth certificate": {"123", func(s string) error { _, err := iran.BirthCertificate(s); return err }},
	}
	for kind, c := range codes {
		if err := c.parse(c.right); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		for name, s := range strange {
			for _, text := range []string{s + c.right, c.right[:2] + s + c.right[2:], c.right + s} {
				if c.parse(text) == nil && !understood(kind, name, text, c.right) {
					t.Errorf("%s passes with %s: %+q", kind, name, text)
				}
			}
		}
	}
}

func named(is func(string) bool) func(string) error {
	return func(s string) error {
		if !is(s) {
			return iran.ErrPersonCode // any error
		}
		return nil
	}
}

// understood are those that do no harm: blanks at a code's sides or between its
// digits, and letters of the field's own script.
func understood(kind, name, text, right string) bool {
	switch kind {
	case "email":
		return name == "letter O" || strings.TrimSpace(text) == right
	case "Latin name":
		// A letter of Turkish, shown as one, and a sign that NFC makes the letter K.
		return name == "letter O" || name == "dotless i" || name == "Kelvin sign" && !strings.Contains(iran.Canonical(text), "\u212a")
	case "Persian name":
		return name == "Arabic letter"
	case "date":
		return strings.TrimSpace(text) == right
	}
	return strings.Join(strings.Fields(text), "") == right
}

// TestCodesAreReadInAnyScript writes right codes with digits of the three
// scripts in any mixture, and the separators that people put.
func TestCodesAreReadInAnyScript(t *testing.T) {
	scripts := []string{"0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"}
	between := []string{"", "", "", " ", "-", "\u200c", "\u200f", "ـ", "–", "\u00a0"}
	rapid.Check(t, func(t *rapid.T) {
		for kind, c := range map[string]struct {
			right string
			parse func(string) (string, error)
		}{
			"national": {"9991000038", iran.NationalCode},
			"company":  {"10999001013", func(s string) (string, error) { id, _, err := iran.CompanyID(s); return id, err }},
			"mobile":   {"09120000000", iran.Mobile},
			"postal":   {"1619735744", func(s string) (string, error) { code, _, err := iran.PostalCode(s); return code, err }},
			"foreign":  {"123456789012", iran.ForeignCode},
			"tracking": {"050000000014", iran.ParseTrackingCode},
		} {
			var typed strings.Builder
			for _, d := range c.right {
				digits := []rune(rapid.SampledFrom(scripts).Draw(t, "script"))
				fmt.Fprint(&typed, string(digits[d-'0']), rapid.SampledFrom(between).Draw(t, "between"))
			}
			if got, err := c.parse(typed.String()); got != c.right || err != nil {
				t.Errorf("%s: %+q gave %q, %v", kind, typed.String(), got, err)
			}
		}
	})
}

// TestMobileFormula checks random numbers against §3.4: any spelling of the
// country code before nine digits after a nine, and nothing else.
func TestMobileFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nine := rapid.StringMatching(`[0-9]{9}`).Draw(t, "nine")
		for _, prefix := range []string{"09", "9", "+989", "00989", "989", "+9809"} {
			if got, err := iran.Mobile(prefix + nine); got != "09"+nine || err != nil {
				t.Errorf("%s: %q, %v", prefix+nine, got, err)
			}
			if got, err := iran.Mobile(prefix + nine[1:]); err == nil {
				t.Errorf("%s is a digit short, yet %s", prefix+nine[1:], got)
			}
			if got, err := iran.Mobile(prefix + nine + "0"); err == nil {
				t.Errorf("%s is a digit too long, yet %s", prefix+nine+"0", got)
			}
		}
	})
}

// TestLookAlikeNamesAreOneKeyOrNone: what a person cannot tell apart is either
// the same name to a search, or refused.
func TestLookAlikeNamesAreOneKeyOrNone(t *testing.T) {
	for _, c := range [][2]string{
		{"علی", "علي"},
		{"علی", "على"},
		{"کاظم", "كاظم"},
		{"محمد", "مـحـمـد"},
		{"علی\u200cاکبر", "علی اکبر"},
		{"علی\u200cاکبر", "علی\u200c\u200cاکبر"},
		{"آذر", "ا\u0653ذر"},
		{"رضا", "\u2067رضا\u2069"},
		{"زهرا", "زهرا\u200f"},
		{"فاطمه", "فاطمة"},
		{"Müller", "Mu\u0308ller"},
	} {
		if !iran.SameName(c[0], c[1]) && (iran.IsPersianName(c[1]) || iran.IsLatinName(c[1])) {
			t.Errorf("%+q and %+q are two names", c[0], c[1])
		}
	}
	for _, refused := range []string{
		"زهر\u200dا", "زهرا\u200d", "\u202eارهز", "نمونه۱", "نمونه1", "م\u064fحمد", "ﻣﺤﻤﺪ", "زهرا\ufeff", "Sara\u0338", "S\u0430ra", "Ѕara", "Ｓara", "𝐒ara",
		"Sa\u200cra", "Sara\u200d", "Sa\u00adra", "Sara\u0301\u0302", "😀", "زهرا😀", "Sara\x00", "زهرا\x00", "ѕосо", "αβγ", "ʻOkina\u02bb😀",
	} {
		if iran.IsPersianName(refused) || iran.IsLatinName(refused) {
			t.Errorf("%+q is taken for a name", refused)
		}
	}
}
