package iran

import "govahi/domain/fault"

// ErrBirthCertificate reports what is no birth-certificate number.
var ErrBirthCertificate = fault.New(fault.Invalid, "birth-certificate-invalid",
	"شماره شناسنامه درست نیست. یک تا ده رقم، یا صفر، وارد کنید.",
	"The birth-certificate number is wrong. Enter one to ten digits, or zero.")

// BirthCertificate returns a birth-certificate number of one to ten digits
// (domain §3.3), or ErrBirthCertificate. Zero stands for "the same as the
// national code". It has no check digit and identifies nobody.
func BirthCertificate(input string) (string, error) {
	number := Digits(input)
	if len(number) < 1 || len(number) > 10 || !areDigits(number, len(number)) {
		return "", ErrBirthCertificate
	}
	return number, nil
}
