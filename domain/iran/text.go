package iran

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	zwnj         = '\u200c' // the half space between the parts of a Persian word
	tatweel      = '\u0640' // stretches a word; carries no meaning
	nbsp         = '\u00a0'
	alefMaksura  = '\u0649' // ى
	arabicYeh    = '\u064a' // ي
	arabicKaf    = '\u0643' // ك
	persianYeh   = '\u06cc' // ی
	persianKaf   = '\u06a9' // ک
	persianZero  = '\u06f0' // ۰
	arabicZero   = '\u0660' // ٠
	superAlef    = '\u0670'
	firstHarakat = '\u064b'
	lastHarakat  = '\u0655' // hamza below: the marks that أ, ؤ and ۀ lose in a key
)

// Canonical is the form in which text is stored and shown (domain §3.7): NFC,
// Persian yeh and kaf, no tatweel, no direction controls, and the half space
// only inside a word. Digits and spaces stay as typed.
func Canonical(s string) string {
	s = strings.Map(dropInvisible, strings.ToValidUTF8(s, "\ufffd"))
	// Dropping comes first: a removed character may have kept a letter and its
	// mark apart, which NFC then joins.
	return foldYehAndKaf(norm.NFC.String(trimHalfSpaces(s)))
}

// Key is the form in which text is searched and compared, never shown (domain
// §3.7). Texts with the same canonical form have the same key.
func Key(s string) string {
	// NFKC runs before letters are folded, for it turns presentation forms into
	// the Arabic yeh and kaf; and after, for folding may leave a pair to join.
	s = Canonical(norm.NFKC.String(strings.ToValidUTF8(s, "\ufffd")))
	return norm.NFKC.String(strings.Map(foldForSearch, s))
}

// Digits prepares a typed code: Persian and Arabic-Indic digits become ASCII;
// spaces, dashes, half spaces and direction controls go. What else was typed
// stays, for the parser to refuse. The tatweel goes too: Persian keyboards have
// it where others have a dash.
func Digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r == tatweel || isHiddenOrBlank(r) || unicode.Is(unicode.Pd, r) || r == '\u2212' {
			return -1
		}
		return asciiDigit(r)
	}, s)
}

// Hexadecimal prepares a typed serial or fingerprint as Digits does a code; the
// colons go too, with which browsers show them, and letters become small.
func Hexadecimal(s string) string {
	return strings.ToLower(strings.ReplaceAll(Digits(s), ":", ""))
}

// PersianDigits shows ASCII and Arabic-Indic digits as Persian ones.
func PersianDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r = asciiDigit(r); r >= '0' && r <= '9' {
			return r - '0' + persianZero
		}
		return r
	}, s)
}

func asciiDigit(r rune) rune {
	switch {
	case r >= persianZero && r <= persianZero+9:
		return r - persianZero + '0'
	case r >= arabicZero && r <= arabicZero+9:
		return r - arabicZero + '0'
	}
	return r
}

// isBidiControl lists the characters that turn the direction of text around
// and could make one name look like another (Unicode property Bidi_Control).
func isBidiControl(r rune) bool {
	return r == '\u061c' || r == '\u200e' || r == '\u200f' ||
		r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

func isHiddenOrBlank(r rune) bool {
	return unicode.IsSpace(r) || isBidiControl(r) || r == zwnj || r == '\u200d' || r == '\ufeff'
}

func dropInvisible(r rune) rune {
	switch {
	case r == tatweel || isBidiControl(r):
		return -1
	case r == nbsp:
		return ' '
	}
	return r
}

// trimHalfSpaces keeps one ZWNJ between two characters of a word, and none
// where a word begins or ends.
func trimHalfSpaces(s string) string {
	if !strings.ContainsRune(s, zwnj) {
		return s
	}
	var out strings.Builder
	previous, pending := rune(0), false
	for _, r := range s {
		if r == zwnj {
			pending = true
			continue
		}
		if pending && inWord(previous) && inWord(r) {
			out.WriteRune(zwnj)
		}
		out.WriteRune(r)
		previous, pending = r, false
	}
	return out.String()
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

// foldYehAndKaf makes the letters Persian. An alef maksura inside a word is
// left alone: there it is Arabic and quoted.
func foldYehAndKaf(s string) string {
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case r == arabicYeh, r == alefMaksura && endsWord(runes[i+1:]):
			runes[i] = persianYeh
		case r == arabicKaf:
			runes[i] = persianKaf
		}
	}
	return string(runes)
}

func endsWord(rest []rune) bool {
	for _, r := range rest {
		if !unicode.IsMark(r) {
			return !unicode.IsLetter(r)
		}
	}
	return true
}

func foldForSearch(r rune) rune {
	switch r {
	case 'أ', 'إ', 'آ', 'ٱ':
		return 'ا'
	case 'ؤ':
		return 'و'
	case 'ئ', alefMaksura:
		return persianYeh
	case 'ة', 'ۀ':
		return 'ه'
	case zwnj, superAlef:
		return -1
	}
	if r >= firstHarakat && r <= lastHarakat {
		return -1
	}
	return unicode.ToLower(asciiDigit(r))
}
