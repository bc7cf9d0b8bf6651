package iran

import (
	"strings"

	"govahi/domain/fault"
)

// ErrMobile reports what is not an Iranian mobile number.
var ErrMobile = fault.New(fault.Invalid, "mobile-invalid",
	"شماره همراه درست نیست. شماره\u200cای یازده\u200cرقمی که با ۰۹ آغاز می\u200cشود وارد کنید؛ تلفن ثابت پذیرفته نیست.",
	"The mobile number is wrong. Enter eleven digits that begin with 09; a landline is not accepted.")

// Mobile returns a mobile number as 09 and nine digits (domain §3.4), from any
// of 09…, 9…, 98…, +98… and 0098…, or ErrMobile. The prefix does not tell the
// operator, for numbers move.
func Mobile(input string) (string, error) {
	number := Digits(input)
	for _, country := range []string{"+98", "0098", "98"} {
		if rest, found := strings.CutPrefix(number, country); found && len(rest) >= 10 {
			number = rest
			break
		}
	}
	number = strings.TrimPrefix(number, "0")
	if !areDigits(number, 10) || number[0] != '9' {
		return "", ErrMobile
	}
	return "0" + number, nil
}
