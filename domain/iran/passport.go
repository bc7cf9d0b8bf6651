package iran

import (
	"strings"

	"govahi/domain/fault"
)

// ErrPassport reports what is no passport number.
var ErrPassport = fault.New(fault.Invalid, "passport-invalid",
	"شماره گذرنامه درست نیست. شش تا نه حرف لاتین و رقم را، همان\u200cگونه که در گذرنامه آمده، وارد کنید.",
	"The passport number is wrong. Enter the six to nine Latin letters and digits as the passport shows them.")

// Passport returns a passport number of six to nine upper-case Latin letters
// and digits (S1.26; nine is the most that ICAO Doc 9303 has room for), or
// ErrPassport.
func Passport(input string) (string, error) {
	typed := Digits(input)
	number := strings.ToUpper(typed)
	if !isASCII(typed) || len(number) < 6 || len(number) > 9 || strings.ContainsFunc(number, isNotPassportRune) {
		return "", ErrPassport
	}
	return number, nil
}

func isNotPassportRune(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z')
}
