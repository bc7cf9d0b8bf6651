package iran

import (
	"strings"

	"govahi/domain/fault"
)

// ErrNationalCode reports a national code of the wrong length or check digit.
var ErrNationalCode = fault.New(fault.Invalid, "national-code-invalid",
	"کد ملی درست نیست. هر ده رقم را، همراه با صفرهای آغازین، از روی کارت ملی دوباره وارد کنید.",
	"The national code is wrong. Enter all ten digits again from the national card, leading zeros included.")

// ErrForeignCode reports a foreigner's code that is not of 12 digits.
var ErrForeignCode = fault.New(fault.Invalid, "foreign-code-invalid",
	"کد اتباع خارجی درست نیست. هر دوازده رقم کد فراگیر (فیدا) را دوباره وارد کنید.",
	"The foreigner's code is wrong. Enter all twelve digits of the FIDA code again.")

// ErrPersonCode reports what is neither a national nor a foreigner's code.
var ErrPersonCode = fault.New(fault.Invalid, "person-code-invalid",
	"کد وارد شده درست نیست. کد ملی ده\u200cرقمی یا، برای اتباع خارجی، کد فراگیر دوازده\u200cرقمی را دوباره وارد کنید.",
	"The code is wrong. Enter the ten-digit national code again or, for foreigners, the twelve-digit FIDA code.")

// CodeKind tells by which authority's code a person is known.
type CodeKind string

// The two kinds of a person's code.
const (
	National CodeKind = "national" // کد ملی, 10 digits
	Foreign  CodeKind = "foreign"  // کد فراگیر (فیدا), 12 digits
)

// NationalCode returns the ten digits of a national code (domain §3.1), or
// ErrNationalCode. Missing leading zeros are not supplied: the person must see
// the padded code before it is used.
func NationalCode(input string) (string, error) {
	code := Digits(input)
	if !areDigits(code, 10) || isRepdigit(code) || nationalCheckDigit(code) != code[9] {
		return "", ErrNationalCode
	}
	return code, nil
}

// ForeignCode returns the twelve digits of a foreigner's code (domain §3.6), or
// ErrForeignCode. No check digit is known: an inquiry must confirm it.
func ForeignCode(input string) (string, error) {
	code := Digits(input)
	if !areDigits(code, 12) {
		return "", ErrForeignCode
	}
	return code, nil
}

// PersonCode accepts either code, says which it is, or returns ErrPersonCode.
func PersonCode(input string) (string, CodeKind, error) {
	if code, err := NationalCode(input); err == nil {
		return code, National, nil
	}
	if code, err := ForeignCode(input); err == nil {
		return code, Foreign, nil
	}
	return "", "", ErrPersonCode
}

// nationalCheckDigit weighs the first nine digits by 10 down to 2.
func nationalCheckDigit(code string) byte {
	sum := 0
	for i := range 9 {
		sum += int(code[i]-'0') * (10 - i)
	}
	r := sum % 11
	if r >= 2 {
		r = 11 - r
	}
	return '0' + byte(r)
}

func areDigits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

// isRepdigit finds 0000000000 to 9999999999: their check digits are right, yet
// nobody holds them.
func isRepdigit(s string) bool { return strings.Trim(s, s[:1]) == "" }
