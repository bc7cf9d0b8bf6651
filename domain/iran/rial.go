package iran

import (
	"strconv"
	"strings"
)

// Rial shows an amount of rials for people: ۱۲۰٬۰۲۰ ریال.
func Rial(amount int64) string {
	negative, magnitude := split(amount)
	digits := strconv.FormatUint(magnitude, 10)
	var out strings.Builder
	if negative {
		out.WriteRune('−')
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteRune('٬')
		}
		out.WriteRune(d)
	}
	return PersianDigits(out.String()) + " ریال"
}

// RialWords spells an amount of rials, as receipts must: صد و بیست هزار و بیست
// ریال.
func RialWords(amount int64) string {
	negative, magnitude := split(amount)
	words := "صفر"
	if magnitude > 0 {
		words = strings.Join(spell(magnitude), " و ")
	}
	if negative {
		words = "منفی " + words
	}
	return words + " ریال"
}

var (
	ones = [...]string{
		"", "یک", "دو", "سه", "چهار", "پنج", "شش", "هفت", "هشت", "نه", "ده", "یازده", "دوازده",
		"سیزده", "چهارده", "پانزده", "شانزده", "هفده", "هجده", "نوزده",
	}
	tens     = [...]string{"", "", "بیست", "سی", "چهل", "پنجاه", "شصت", "هفتاد", "هشتاد", "نود"}
	hundreds = [...]string{"", "صد", "دویست", "سیصد", "چهارصد", "پانصد", "ششصد", "هفتصد", "هشتصد", "نهصد"}
	scales   = [...]string{"", "هزار", "میلیون", "میلیارد", "تریلیون", "کوادریلیون", "کوینتیلیون"}
)

// spell gives the words between which «و» stands, from the highest group of
// three digits down.
func spell(n uint64) []string {
	var words []string
	for scale := 0; n > 0; scale, n = scale+1, n/1000 {
		if group := spellGroup(int(n%1000), scale); group != "" {
			words = append([]string{group}, words...)
		}
	}
	return words
}

func spellGroup(n, scale int) string {
	switch {
	case n == 0:
		return ""
	case n == 1 && scale == 1:
		return scales[1] // هزار, not یک هزار
	}
	var words []string
	if n >= 100 {
		words = append(words, hundreds[n/100])
	}
	if n %= 100; n >= 20 {
		words, n = append(words, tens[n/10]), n%10
	}
	if n > 0 {
		words = append(words, ones[n])
	}
	return strings.TrimSpace(strings.Join(words, " و ") + " " + scales[scale])
}

func split(amount int64) (negative bool, magnitude uint64) {
	if amount < 0 {
		return true, -uint64(amount) // right for the smallest int64 too
	}
	return false, uint64(amount)
}
