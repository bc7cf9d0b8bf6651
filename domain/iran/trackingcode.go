package iran

import (
	"fmt"

	"govahi/domain/fault"
)

// ErrTrackingCode reports a tracking code of the wrong length or check digit.
var ErrTrackingCode = fault.New(fault.Invalid, "tracking-code-invalid",
	"کد رهگیری درست نیست. هر دوازده رقم را از روی رسید یا پیامک دوباره وارد کنید.",
	"The tracking code is wrong. Enter all twelve digits again from the receipt or the message.")

// TrackingCode returns the twelve digits by which a submission is asked about
// (S3.12, domain §3.9): the last two of the Jalali year, nine that the caller
// drew at random below 10⁹ (higher ones lose their front), and the check digit.
// It is no secret.
func TrackingCode(year int, nine uint32) string {
	body := fmt.Sprintf("%02d%09d", floorMod(year, 100), nine%1_000_000_000)
	return body + string(damm(body))
}

// ParseTrackingCode returns the twelve digits of a typed tracking code, or
// ErrTrackingCode.
func ParseTrackingCode(input string) (string, error) {
	code := Digits(input)
	if !areDigits(code, 12) || damm(code) != '0' {
		return "", ErrTrackingCode
	}
	return code, nil
}

// GroupTrackingCode shows a parsed tracking code in three groups of four, as it
// is printed and read out over the telephone.
func GroupTrackingCode(code string) string {
	return code[:4] + " " + code[4:8] + " " + code[8:]
}
