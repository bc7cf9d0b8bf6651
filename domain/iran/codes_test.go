package iran_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"govahi/domain/fault"
	"govahi/domain/iran"
)

type vector struct {
	in, want string
	err      error
}

// try checks the vectors, and that no refusal comes with a value.
func try(t *testing.T, parse func(string) (string, error), vectors []vector) {
	t.Helper()
	for _, v := range vectors {
		got, err := parse(v.in)
		if got != v.want || !errors.Is(err, v.err) {
			t.Errorf("%+q: got %q, %v; want %q, %v", v.in, got, err, v.want, v.err)
		}
	}
}

func valid(codes ...string) (vectors []vector) {
	for _, code := range codes {
		vectors = append(vectors, vector{in: code, want: code})
	}
	return vectors
}

func refused(err error, inputs ...string) (vectors []vector) {
	for _, in := range inputs {
		vectors = append(vectors, vector{in: in, err: err})
	}
	return vectors
}

func repdigits(n int) (all []string) {
	for d := range 10 {
		all = append(all, strings.Repeat(fmt.Sprint(d), n))
	}
	return all
}

func TestNationalCode(t *testing.T) {
	try(t, iran.NationalCode, valid("9991000070", "9991000021", "9991000011", "9991000038", "9991000046",
		"0009990011", "0012345679", "0123456789", "1234567891"))
	for _, in := range []string{"۹۹۹۱۰۰۰۰۳۸", "٩٩٩١٠٠٠٠٣٨", "999-100003-8", " 9991000038\u200c "} {
		try(t, iran.NationalCode, []vector{{in: in, want: "9991000038"}})
	}
	try(t, iran.NationalCode, refused(iran.ErrNationalCode, "1234567890", "9991000071", "9991000039",
		"999100003", "99910000380", "999100003O", "", "١٢٣"))
	try(t, iran.NationalCode, refused(iran.ErrNationalCode, repdigits(10)...))
}

// TestNationalCodeFormula checks random numbers against §3.1's words: the sum
// weighs digit i, counted from 1, by 11−i.
func TestNationalCodeFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.StringMatching(`[0-9]{10}`).Draw(t, "code")
		sum := 0
		for i := 1; i <= 9; i++ {
			sum += digit(code, i) * (11 - i)
		}
		r, want := sum%11, 0
		if want = r; r >= 2 {
			want = 11 - r
		}
		right := fmt.Sprint(code[:9], want)
		_, err := iran.NationalCode(right)
		if repeated := strings.Count(right, right[:1]) == 10; (err == nil) == repeated {
			t.Errorf("%s: %v", right, err)
		}
		if _, err := iran.NationalCode(code); code != right && err == nil {
			t.Errorf("%s was accepted, the check digit is %d", code, want)
		}
	})
}

func digit(code string, place int) int { return int(code[place-1] - '0') }

func TestForeignCode(t *testing.T) {
	try(t, iran.ForeignCode, valid("123456789012"))
	try(t, iran.ForeignCode, []vector{{in: "۱۲۳ ۴۵۶ ۷۸۹ ۰۱۲", want: "123456789012"}})
	try(t, iran.ForeignCode, refused(iran.ErrForeignCode, "12345678901", "1234567890123", "12345678901X", ""))
}

func TestPersonCode(t *testing.T) {
	for _, c := range []struct {
		in, code string
		kind     iran.CodeKind
		err      error
	}{
		{"۹۹۹۱۰۰۰۰۳۸", "9991000038", iran.National, nil},
		{"123456-789012", "123456789012", iran.Foreign, nil},
		{"9991000039", "", "", iran.ErrPersonCode},
		{"", "", "", iran.ErrPersonCode},
	} {
		code, kind, err := iran.PersonCode(c.in)
		if code != c.code || kind != c.kind || !errors.Is(err, c.err) {
			t.Errorf("%q: %q %q %v", c.in, code, kind, err)
		}
	}
}

func TestCompanyID(t *testing.T) {
	for in, doubtful := range map[string]bool{
		"10380284790": false, "10999001013": false, "10999002029": false, "14009993037": false, "14009994042": false,
		"10999000070": false, "14009990020": false, "۱۰۹۹۹۰۰۱۰۱۳": false, "1099-900 1013": false, "10999001014": true,
	} {
		id, got, err := iran.CompanyID(in)
		if id != iran.Digits(in) || got != doubtful || err != nil {
			t.Errorf("%s: %s, doubtful %v, %v", in, id, got, err)
		}
	}
	for _, in := range append(repdigits(11), "10100000006", "1099900101", "109990010130", "1099900101a", "") {
		if id, doubtful, err := iran.CompanyID(in); id != "" || doubtful || !errors.Is(err, iran.ErrCompanyID) {
			t.Errorf("%s: %s, doubtful %v, %v", in, id, doubtful, err)
		}
	}
}

func TestCompanyIDFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[0-9]{3}[1-9][0-9]{7}`).
			Filter(func(s string) bool { return strings.Count(s, s[:1]) < 10 }).Draw(t, "id")
		weights := []int{29, 27, 23, 19, 17, 29, 27, 23, 19, 17}
		sum := 0
		for i, z := range weights {
			sum += (digit(id, i+1) + digit(id, 10) + 2) * z
		}
		check := sum % 11
		if check == 10 {
			check = 0
		}
		for last := range 10 {
			whole := fmt.Sprint(id[:10], last)
			if got, doubtful, err := iran.CompanyID(whole); got != whole || doubtful != (last != check) || err != nil {
				t.Errorf("%s with check digit %d: %s, doubtful %v, %v", id, last, got, doubtful, err)
			}
		}
	})
}

func TestMobile(t *testing.T) {
	for _, in := range []string{
		"09120000000", "+989120000000", "00989120000000", "989120000000", "9120000000",
		"۰۹۱۲۰۰۰۰۰۰۰", "0912 000 00-00", "+98 0912 000 0000",
	} {
		try(t, iran.Mobile, []vector{{in: in, want: "09120000000"}})
	}
	try(t, iran.Mobile, []vector{{in: "9812345678", want: "09812345678"}}) // not the country code
	try(t, iran.Mobile, refused(iran.ErrMobile, "0912000000", "02112345678", "091200000000", "+999120000000",
		"00009120000000", "0912000000x", "", "+", "98"))
}

func TestPostalCode(t *testing.T) {
	for in, unusual := range map[string]bool{
		"1619735744": false, "1345678901": false, "3919814311": false, "16197-35744": false,
		"1111619735": true, "1619535744": true, "1619735742": true, "1019735744": true, "2619735744": true,
	} {
		code, got, err := iran.PostalCode(in)
		if err != nil || got != unusual || code != iran.Digits(in) {
			t.Errorf("%s: %s, unusual %v, %v", in, code, got, err)
		}
	}
	for _, in := range []string{"161973574", "16197357440", "161973574X", ""} {
		if code, unusual, err := iran.PostalCode(in); code != "" || unusual || !errors.Is(err, iran.ErrPostalCode) {
			t.Errorf("%s: %s, unusual %v, %v", in, code, unusual, err)
		}
	}
}

// TestPostalCodePattern checks random codes against §3.5's pattern, with its
// look-ahead written out.
func TestPostalCodePattern(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.StringOfN(rapid.SampledFrom([]rune("0123456789")), 10, 10, -1).Draw(t, "code")
		usual := strings.Count(code[:4], code[:1]) < 4
		for i, allowed := range []string{"13456789", "1346789", "013456789"} {
			part := [][2]int{{0, 4}, {4, 5}, {5, 10}}[i]
			usual = usual && strings.Trim(code[part[0]:part[1]], allowed) == ""
		}
		if _, unusual, err := iran.PostalCode(code); err != nil || unusual == usual {
			t.Errorf("%s: unusual %v, %v", code, unusual, err)
		}
	})
}

func TestBirthCertificate(t *testing.T) {
	try(t, iran.BirthCertificate, valid("0", "7", "1234567890"))
	try(t, iran.BirthCertificate, []vector{{in: " ۱۲۳ ", want: "123"}})
	try(t, iran.BirthCertificate, refused(iran.ErrBirthCertificate, "", "12345678901", "12a"))
}

func TestPassport(t *testing.T) {
	try(t, iran.Passport, valid("A12345", "A12345678", "123456789"))
	try(t, iran.Passport, []vector{{in: "a۱۲۳ ۴۵۶-۷۸", want: "A12345678"}})
	try(t, iran.Passport, refused(iran.ErrPassport, "A1234", "A123456789", "A1234.6", "ı12345", "ب12345", ""))
}

func TestEmail(t *testing.T) {
	longest := strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 46)+".", 3) + strings.Repeat("c", 48)
	try(t, iran.Email, valid("a@b.ir", "first.last+tag@mail.example.com", "o'neil_x@a-b.example",
		strings.Repeat("a", 64)+"@b.ir"))
	try(t, iran.Email, []vector{
		{in: " Ali.R@Example.IR ", want: "Ali.R@example.ir"},
		{in: "\u200ea@b.ir\u200f", want: "a@b.ir"},
		{in: longest, want: longest},
	})
	if len(longest) != 254 {
		t.Fatalf("the longest address has %d characters", len(longest))
	}
	try(t, iran.Email, refused(iran.ErrEmail, "", "a", "@b.ir", "a@", "a@b", "a@b.", "a@.ir", "a@b..ir", ".a@b.ir",
		"a.@b.ir", "a..b@c.ir", "a b@c.ir", "a@b c.ir", "a@b@c.ir", `"a"@b.ir`, "a@[127.0.0.1]", "a@127.0.0.1",
		"a@-b.ir", "a@b-.ir", "a@b_c.ir", "علی@b.ir", "a@مثال.ایران", "a@xn--mgba3a4f16a.ir", "a@b.ir\nBcc: c@d.ir",
		"a@b.i", "a@\u212a.ir", "Ali <a@b.ir>", strings.Repeat("a", 65)+"@b.ir", "a@"+strings.Repeat("b", 64)+".ir",
		longest+"e"))
}

func TestTrackingCode(t *testing.T) {
	for _, c := range []struct {
		year int
		nine uint32
		want string
	}{
		{1405, 1, "050000000014"},
		{1405, 123456789, "051234567899"},
		{1405, 314159265, "053141592656"},
	} {
		code := iran.TrackingCode(c.year, c.nine)
		if code != c.want {
			t.Errorf("TrackingCode(%d, %d) = %s, want %s", c.year, c.nine, code, c.want)
		}
		try(t, iran.ParseTrackingCode, valid(code))
	}
	try(t, iran.ParseTrackingCode, []vector{{in: "۰۵۰۰ ۰۰۰۰-۰۰۱۴", want: "050000000014"}})
	try(t, iran.ParseTrackingCode, refused(iran.ErrTrackingCode, "050000000015", "05000000001", "0500000000140",
		"05000000001x", "", "572"))
	if got := iran.GroupTrackingCode("050000000014"); got != "0500 0000 0014" {
		t.Errorf("grouped: %s", got)
	}
}

// TestTrackingCodeCatchesTypingErrors makes every single substitution and every
// swap of neighbours of some codes: none may pass.
func TestTrackingCodeCatchesTypingErrors(t *testing.T) {
	for _, nine := range []uint32{0, 1, 123456789, 314159265, 271828182, 987654321, 999999999} {
		code := iran.TrackingCode(1405, nine)
		for i := range code {
			for d := byte('0'); d <= '9'; d++ {
				if wrong := code[:i] + string(d) + code[i+1:]; wrong != code {
					try(t, iran.ParseTrackingCode, refused(iran.ErrTrackingCode, wrong))
				}
			}
			if i > 0 && code[i] != code[i-1] {
				wrong := code[:i-1] + string(code[i]) + string(code[i-1]) + code[i+1:]
				try(t, iran.ParseTrackingCode, refused(iran.ErrTrackingCode, wrong))
			}
		}
	}
}

func TestTrackingCodeAlwaysParses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := iran.TrackingCode(rapid.IntRange(iran.FirstYear, iran.LastYear).Draw(t, "year"), rapid.Uint32().Draw(t, "nine"))
		if got, err := iran.ParseTrackingCode(iran.PersianDigits(iran.GroupTrackingCode(code))); got != code || err != nil {
			t.Errorf("%s: %s, %v", code, got, err)
		}
	})
}

// TestFaultsSpeakBothLanguages keeps every refusal useful: a code, both texts.
func TestFaultsSpeakBothLanguages(t *testing.T) {
	codes := map[string]bool{}
	for _, f := range []*fault.Fault{
		iran.ErrNationalCode, iran.ErrForeignCode, iran.ErrPersonCode, iran.ErrCompanyID, iran.ErrCompanyIDDoubtful,
		iran.ErrMobile, iran.ErrPostalCode, iran.ErrPostalCodeUnusual, iran.ErrBirthCertificate, iran.ErrPassport, iran.ErrEmail,
		iran.ErrTrackingCode, iran.ErrDate,
	} {
		if f.Kind != fault.Invalid || f.Text.Fa == "" || f.Text.En == "" || codes[f.Code] {
			t.Errorf("%+v", f)
		}
		codes[f.Code] = true
	}
}
