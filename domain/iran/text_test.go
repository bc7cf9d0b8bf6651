package iran_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"govahi/domain/iran"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"Arabic yeh and kaf", "ملك علي", "ملک علی"},
		{"alef maksura ends a word", "موسى مصطفى.", "موسی مصطفی."},
		{"alef maksura inside a word", "ىا", "ىا"},
		{"alef maksura before a mark", "هدىً", "هدیً"},
		{"tatweel", "مـــحمد", "محمد"},
		{"direction controls", "\u200eA\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c", "A"},
		{"no-break space", "رضا\u00a0کریمی", "رضا کریمی"},
		{"run of half spaces", "می\u200c\u200c\u200cرود", "می\u200cرود"},
		{"half space at edges", "\u200cمی\u200c \u200cرود\u200c", "می رود"},
		{"half space before punctuation", "کتاب\u200c»", "کتاب»"},
		{"digits as typed", "۱۲ ٣٤ 56", "۱۲ ٣٤ 56"},
		{"NFC", "e\u0301", "é"},
		{"mark parted by tatweel", "ا\u0640\u0653", "آ"},
		{"presentation forms stay", "\ufedb", "\ufedb"},
		{"heh with hamza is not composed by NFC", "ه\u0654", "ه\u0654"},
		{"broken UTF-8", "a\xffb", "a\ufffdb"},
		{"spaces stay", " a  b\n", " a  b\n"},
	} {
		if got := iran.Canonical(c.in); got != c.want {
			t.Errorf("%s: Canonical(%+q) = %+q, want %+q", c.name, c.in, got, c.want)
		}
	}
}

func TestKey(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"presentation forms before letters", "\ufedb\ufbfc", "کی"},
		{"digits", "۱۲٣", "123"},
		{"half space", "می\u200cرود", "میرود"},
		{"alefs", "أإآٱا", "ااااا"},
		{"waw, yeh, teh marbuta", "ؤئة", "ویه"},
		{"heh with hamza in both spellings", "ۀ ه\u0654", "ه ه"},
		{"harakat", "مُحَمَّدٌ رحمٰن", "محمد رحمن"},
		{"alef maksura anywhere", "ىا", "یا"},
		{"lower case", "GOVAHI É", "govahi é"},
		{"ligature of four letters", "\ufdf2", "الله"},
		{"full width", "Ａ１", "a1"},
	} {
		if got := iran.Key(c.in); got != c.want {
			t.Errorf("%s: Key(%+q) = %+q, want %+q", c.name, c.in, got, c.want)
		}
	}
}

func TestDigits(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"۰۱۲۳۴۵۶۷۸۹", "0123456789"},
		{"٠١٢٣٤٥٦٧٨٩", "0123456789"},
		{" 1-2–3−4ـ5\u200c6\u200f7\u00a08\t9", "123456789"},
		{"+98 (912) x", "+98(912)x"},
	} {
		if got := iran.Digits(c.in); got != c.want {
			t.Errorf("Digits(%+q) = %q, want %q", c.in, got, c.want)
		}
	}
	if got := iran.Hexadecimal("۶۷:٦a E9-b0\u200c"); got != "676ae9b0" {
		t.Errorf("Hexadecimal = %q", got)
	}
	if got := iran.PersianDigits("a 0123456789 ٤"); got != "a ۰۱۲۳۴۵۶۷۸۹ ۴" {
		t.Errorf("PersianDigits = %s", got)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		in             string
		persian, latin bool
	}{
		{"زهرا", true, false},
		{"سید علی\u200cاکبر", true, false},
		{"علي", true, false}, // Arabic yeh: canonical is Persian
		{"مؤمنی-رضائی", true, false},
		{"م. ر. بی’نام", true, false},
		{strings.Repeat("ا", 64), true, false},
		{strings.Repeat("ا", 65), false, false},
		{"Sara O'Neil-Müller Jr.", false, true},
		{"Sa\u200cra", false, false},
		{"زهرا Sara", false, false},
		{"", false, false},
		{" ", false, false},
		{" زهرا", false, false},
		{"زهرا ", false, false},
		{"-", false, false},
		{"زهرا۱", false, false},
		{"Sara1", false, false},
		{"زهرا\u202e", false, false},
		{"Sara\u200f", false, false},
		{"Sara\n", false, false},
		{"Sa\x00ra", false, false},
		{"Sara\xff", false, false},
		{"\ufdf2", false, false},
		{"Ｓａｒａ", false, false},
		{"Сара", false, false},
	} {
		if got := iran.IsPersianName(c.in); got != c.persian {
			t.Errorf("IsPersianName(%+q) = %v", c.in, got)
		}
		if got := iran.IsLatinName(c.in); got != c.latin {
			t.Errorf("IsLatinName(%+q) = %v", c.in, got)
		}
	}
}

func TestSameName(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"سید علي اكبر", "علی\u200cاکبر", true},
		{"سیده زهرا", "زهرا ", true},
		{"سید", "سیده", false},
		{"", "سید", false},
		{"زهرا", "زهره", false},
	} {
		if got := iran.SameName(c.a, c.b); got != c.want {
			t.Errorf("SameName(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

// folded are the characters about which §3.7 speaks, and some that compose.
var folded = rapid.StringOf(rapid.SampledFrom([]rune(
	"يیىكکـأإآٱاؤوئةۀهەابe<=AJ۱٣5 \u00a0\u200c\u200d\u200e\u202e\u2069\u064b\u0651\u0653\u0654\u0655\u0670\u0301\u0338\u030c\ufedb\ufbfc\ufdf2\ufef0\u338f")))

func TestTextProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkText(t, rapid.OneOf(folded, rapid.String()).Draw(t, "text"))
	})
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"علي\u200c\u200c\u202e", "ا\u0640\u0653", "ؤ\u0654", "ى㎏", "a\xff", "J\u030c", strings.Repeat("\u0301", 70)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) { checkText(t, s) })
}

type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

func checkText(t reporter, s string) {
	t.Helper()
	canonical, key := iran.Canonical(s), iran.Key(s)
	if again := iran.Canonical(canonical); again != canonical {
		t.Errorf("Canonical(%+q) = %+q, but again %+q", s, canonical, again)
	}
	if again := iran.Key(key); again != key {
		t.Errorf("Key(%+q) = %+q, but again %+q", s, key, again)
	}
	if of := iran.Key(canonical); of != key {
		t.Errorf("Key(%+q) = %+q, but of its canonical form %+q", s, key, of)
	}
	for _, out := range []string{canonical, key, iran.Digits(s), iran.PersianDigits(s)} {
		if !utf8.ValidString(out) {
			t.Errorf("%+q became broken UTF-8 %+q", s, out)
		}
	}
	for _, out := range []string{canonical, key, iran.Digits(s)} {
		if strings.ContainsAny(out, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") {
			t.Errorf("%+q kept a direction control: %+q", s, out)
		}
	}
}
