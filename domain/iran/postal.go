package iran

import (
	"strings"

	"govahi/domain/fault"
)

// ErrPostalCode reports a postal code that is not of ten digits.
var ErrPostalCode = fault.New(fault.Invalid, "postal-code-invalid",
	"کد پستی درست نیست. هر ده رقم کد پستی را بدون فاصله وارد کنید.",
	"The postal code is wrong. Enter all ten digits of the postal code.")

// ErrPostalCodeUnusual warns of a postal code that breaks the known pattern.
var ErrPostalCodeUnusual = fault.New(fault.Invalid, "postal-code-unusual",
	"این کد پستی به کدهای شناخته\u200cشده نمی\u200cماند. آن را با قبض یا سند خود مقایسه کنید؛ اگر همان است، نیازی به کاری نیست.",
	"The postal code is unlike those known. Compare it with a bill or deed; if it is the same, nothing needs to be done.")

// PostalCode returns the ten digits of a postal code, or ErrPostalCode. A code
// that breaks the known pattern is unusual, which is worth ErrPostalCodeUnusual
// as a warning, but some real codes do (domain §3.5).
func PostalCode(input string) (code string, unusual bool, err error) {
	code = Digits(input)
	if !areDigits(code, 10) {
		return "", false, ErrPostalCode
	}
	return code, !isUsualPostalCode(code), nil
}

// isUsualPostalCode is a loop because Go's regular expressions cannot say "not
// four times the same digit".
func isUsualPostalCode(code string) bool {
	for i := range code {
		never := "2" // places 6 to 10
		switch {
		case i < 4:
			never = "02"
		case i == 4:
			never = "025"
		}
		if strings.IndexByte(never, code[i]) >= 0 {
			return false
		}
	}
	return !isRepdigit(code[:4])
}
