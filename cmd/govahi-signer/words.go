package main

import (
	"errors"
	"fmt"

	"govahi/adapters/pki/profiles"
	"govahi/adapters/token"
)

// advice is what to do about what the token says in a few English words.
var advice = []struct {
	about error
	say   profiles.Refusal
}{
	{token.ErrPIN, profiles.Refusal{
		Fa: "رمز توکن نادرست یا قفل است؛ پیش از درست کردن آن دوباره نکوشید که توکن قفل می‌شود. رمز درست را در پروندهٔ pin در پوشهٔ مرکز (در آیین کلید، در token.pinFile) بنویسید و توکن قفل‌شده را با ابزار سازنده باز کنید.",
		En: "its PIN is wrong or locked: do not try again before it is mended, or the token locks itself. Write the right one into the file pin in the CA's directory (for a ceremony, into token.pinFile), and unlock a locked token by its vendor's tools",
	}},
	{token.ErrNoToken, profiles.Refusal{
		Fa: "توکن این مرکز دیده نمی‌شود؛ آن را وصل کنید و شمارهٔ سریال (پروندهٔ serial یا --serial) و ماژول PKCS#11 را بازبینی کنید.",
		En: "the CA's token is not seen: connect it, and check its serial (the file serial, or --serial) and the PKCS#11 module",
	}},
	{token.ErrKeyExists, profiles.Refusal{
		Fa: "کلیدی با این برچسب از پیش روی توکن است و کلیدها هرگز جایگزین نمی‌شوند؛ توکن خالی دیگری به کار برید، یا اگر این کلید از آیینی ناتمام مانده است آن را با ابزار سازنده پاک کنید.",
		En: "a key of this label is on it already, and keys are never replaced: use another, empty token, or remove the key by the vendor's tools if an interrupted ceremony left it",
	}},
}

// advised says in both languages what to do, where that is not said yet.
func advised(err error) error {
	if errors.As(err, new(noPIN)) {
		return err
	}
	for _, a := range advice {
		if errors.Is(err, a.about) {
			return fmt.Errorf("%w\n%w", err, a.say)
		}
	}
	return err
}
