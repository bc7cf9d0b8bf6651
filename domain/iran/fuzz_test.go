package iran_test

import (
	"net/mail"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/jalaali/go-jalaali"

	"govahi/domain/iran"
)

// The fuzz targets of the validators: whatever is typed, nothing panics, what
// comes out is settled, and it satisfies what is written here independently.
// Their corpora are in testdata/fuzz.

// hostile are seeds for every field: scripts, invisible and look-alike
// characters, broken text.
var hostile = []string{
	"", "\x00", "\xff", "\xed\xa0\x80", "\u200c", "\u202e", "\ufeff", "😀", "e\u0301", "ـ", "١٢٣", "１２３", "𝟗𝟗𝟗", "०१२",
	"ﻣﺤﻤﺪ", "Ｓａｒａ", "Сара", "Σαρα", "علي", "زهر\u200dا", strings.Repeat("\u0301", 70), "-", "−", "+98", "\n", "\u2028",
}

func seed(f *testing.F, more ...string) {
	f.Helper()
	for _, s := range append(more, hostile...) {
		f.Add(s)
	}
}

// typed are the digits of the three scripts in a text, and whether it has
// letters, signs or other digits besides.
func typed(s string) (digits string, clean bool) {
	var out strings.Builder
	clean = true
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			out.WriteRune(r)
		case strings.ContainsRune("۰۱۲۳۴۵۶۷۸۹", r):
			out.WriteRune(r - '۰' + '0')
		case strings.ContainsRune("٠١٢٣٤٥٦٧٨٩", r):
			out.WriteRune(r - '٠' + '0')
		case unicode.IsLetter(r) && r != 'ـ', unicode.IsNumber(r), r == utf8.RuneError:
			clean = false
		}
	}
	return out.String(), clean
}

// settled checks a code: decimal digits, those that were typed, in their order;
// and the code itself is accepted as it is.
func settled(t *testing.T, parse func(string) (string, error), s string) (code string, ok bool) {
	t.Helper()
	code, err := parse(s)
	if err != nil {
		if code != "" {
			t.Errorf("%+q was refused, yet gave %q", s, code)
		}
		return "", false
	}
	if code == "" || strings.Trim(code, "0123456789") != "" {
		t.Errorf("%+q gave %+q", s, code)
	}
	if _, clean := typed(s); !clean {
		t.Errorf("%+q was accepted", s)
	}
	if again, err := parse(code); again != code || err != nil {
		t.Errorf("%+q gave %q, and that %q, %v", s, code, again, err)
	}
	return code, true
}

// exact is settled for codes that keep every digit.
func exact(t *testing.T, parse func(string) (string, error), s string, length int) (string, bool) {
	t.Helper()
	code, ok := settled(t, parse, s)
	if digits, _ := typed(s); ok && (code != digits || len(code) != length) {
		t.Errorf("%+q has the digits %s, and gave %s", s, digits, code)
	}
	return code, ok
}

func FuzzNationalCode(f *testing.F) {
	seed(f, "9991000038", "۹۹۹-۱۰۰۰۰۳-۸", "٩٩٩١٠٠٠٠٣٨", "1111111111", "0009990011", "999100003O")
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := exact(t, iran.NationalCode, s, 10)
		if !ok {
			return
		}
		sum := 0
		for place := 1; place <= 10; place++ { // the check digit makes it 0 or, where it is 1, also 2 (mod 11)
			sum += digit(code, place) * (11 - place)
		}
		if rest := sum % 11; strings.Count(code, code[:1]) == 10 || rest != 0 && (rest != 2 || digit(code, 10) != 1) {
			t.Errorf("%s was accepted", code)
		}
	})
}

func FuzzCompanyID(f *testing.F) {
	seed(f, "10999001013", "۱۰۹۹۹۰۰۱۰۱۳", "10999001014", "33333333333", "10100000006", "109990010130")
	parse := func(s string) (string, error) { id, _, err := iran.CompanyID(s); return id, err }
	f.Fuzz(func(t *testing.T, s string) {
		if id, ok := exact(t, parse, s, 11); ok && (strings.Count(id, id[:1]) == 11 || id[3:9] == "000000") {
			t.Errorf("%s was accepted", id)
		}
	})
}

func FuzzMobile(f *testing.F) {
	seed(f, "09120000000", "+989120000000", "00989120000000", "۰۹۱۲۰۰۰۰۰۰۰", "9120000000", "+98 0912 000 0000", "02112345678", "98", "0098")
	f.Fuzz(func(t *testing.T, s string) {
		number, ok := settled(t, iran.Mobile, s)
		digits, _ := typed(s)
		if ok && (len(number) != 11 || number[:2] != "09" || !strings.HasSuffix(digits, number[1:]) || len(digits) > 15) {
			t.Errorf("%+q gave %s", s, number)
		}
	})
}

func FuzzPostalCode(f *testing.F) {
	seed(f, "1619735744", "16197-35744", "1111619735", "1619535744", "۱۶۱۹۷۳۵۷۴۴", "161973574")
	parse := func(s string) (string, error) { code, _, err := iran.PostalCode(s); return code, err }
	f.Fuzz(func(t *testing.T, s string) { exact(t, parse, s, 10) })
}

func FuzzOtherCodes(f *testing.F) {
	seed(f, "123456789012", "050000000014", "0500 0000 0014", "۰", "A1234567", "a12 345-67", "\u212a1234567")
	person := func(s string) (string, error) { code, _, err := iran.PersonCode(s); return code, err }
	f.Fuzz(func(t *testing.T, s string) {
		exact(t, iran.ForeignCode, s, 12)
		exact(t, iran.ParseTrackingCode, s, 12)
		settled(t, iran.BirthCertificate, s)
		if code, ok := settled(t, person, s); ok && len(code) != 10 && len(code) != 12 {
			t.Errorf("%+q is a person's code %s", s, code)
		}
		number, err := iran.Passport(s)
		if again, _ := iran.Passport(number); err == nil && (again != number || len(number) < 6 || len(number) > 9 ||
			strings.Trim(number, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "") {
			t.Errorf("Passport(%+q) = %+q", s, number)
		}
	})
}

func FuzzEmail(f *testing.F) {
	seed(f, "name@example.ir", " Name@EXAMPLE.ir ", "a.b+c@x-y.example.ir", "a..b@example.ir", `"a b"@example.ir`, "a@[127.0.0.1]",
		"a@xn--p1ai.ir", "nаme@example.ir", "name@exаmple.ir", "a@b", "a@b.i\u212a", "a@@example.ir", "a@example.ir\r\nBcc: b@example.ir")
	f.Fuzz(func(t *testing.T, s string) {
		address, err := iran.Email(s)
		if err != nil {
			return
		}
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address || parsed.Name != "" || len(address) > 254 {
			t.Errorf("Email(%+q) = %+q, to net/mail %v, %v", s, address, parsed, err)
		}
		for _, r := range address {
			if r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),:;<>[\]`, r) {
				t.Errorf("Email(%+q) = %+q", s, address)
			}
		}
		if _, domain, _ := strings.Cut(address, "@"); domain != strings.ToLower(domain) || !strings.Contains(domain, ".") || strings.Contains(domain, "..") {
			t.Errorf("Email(%+q) = %+q", s, address)
		}
		if again, err := iran.Email(address); again != address || err != nil {
			t.Errorf("Email(%+q) = %+q, then %+q, %v", s, address, again, err)
		}
	})
}

func FuzzName(f *testing.F) {
	seed(f, "زهرا", "سید علی\u200cاکبر", "مؤمنی-رضائی", "Sara O'Neil-Müller Jr.", "Sa\u0301ra", "زهرا Sara", "زهرا۱", "Sara\u0338", "ʼSara")
	f.Fuzz(func(t *testing.T, s string) {
		persian, latin := iran.IsPersianName(s), iran.IsLatinName(s)
		if persian && latin {
			t.Errorf("%+q is of both scripts", s)
		}
		if !persian && !latin {
			return
		}
		name := iran.Canonical(s)
		if iran.IsPersianName(name) != persian || iran.IsLatinName(name) != latin || iran.NameKey(name) == "" && strings.ContainsFunc(name, unicode.IsLetter) {
			t.Errorf("%+q is a name, %+q is not", s, name)
		}
		for _, r := range name {
			switch {
			case unicode.IsLetter(r) && persian == unicode.Is(unicode.Arabic, r) && latin == unicode.Is(unicode.Latin, r):
			case strings.ContainsRune(" -'’.", r), persian && r == '\u200c':
			default:
				t.Errorf("%+q has %+q", s, r)
			}
		}
		if n := utf8.RuneCountInString(name); n < 1 || n > 64 || strings.TrimSpace(name) != name {
			t.Errorf("%+q is a name of %d characters", s, n)
		}
	})
}

func FuzzDate(f *testing.F) {
	seed(f, "1405/09/01", "۱۴۰۵-۹-۱", "1404/12/30", "1403/12/30", "1405/07/31", "0000/00/00", "99999999999999999999/1/1", "1405/09/01\x00")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := iran.ParseDate(s)
		if err != nil {
			if d != (iran.Date{}) {
				t.Errorf("ParseDate(%+q) = %v, %v", s, d, err)
			}
			return
		}
		if !jalaali.IsValidDate(d.Year, d.Month, d.Day) || iran.FromTime(d.Time()) != d {
			t.Errorf("ParseDate(%+q) = %v, which is no day", s, d)
		}
		if again, err := iran.ParseDate(d.String()); again != d || err != nil {
			t.Errorf("ParseDate(%+q) = %v, then %v, %v", s, d, again, err)
		}
	})
}
