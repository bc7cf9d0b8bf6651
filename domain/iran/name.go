package iran

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest name in characters: ub-common-name of RFC 5280
// Appendix A.1, so that whoever is accepted can be certified.
const maxName = 64

// IsPersianName reports whether a name can stand on a Persian document: letters
// of the Arabic block, space, half space, hyphen, apostrophe and dot, 1 to 64
// characters in canonical form. Direction controls are refused, not ignored.
func IsPersianName(s string) bool {
	return isName(s, func(r rune) bool {
		return r >= '\u0600' && r <= '\u06ff' && unicode.IsLetter(r)
	}, " \u200c-'’.")
}

// IsLatinName reports whether a name can stand on a Latin document: Latin
// letters, space, hyphen, apostrophe and dot, 1 to 64 characters. The half
// space is refused: in Latin script it is invisible and says nothing.
func IsLatinName(s string) bool {
	return isName(s, func(r rune) bool {
		return r <= '\u024f' && unicode.Is(unicode.Latin, r)
	}, " -'’.")
}

func isName(s string, isLetter func(rune) bool, others string) bool {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, isBidiControl) {
		return false
	}
	s = Canonical(s)
	first, _ := utf8.DecodeRuneInString(s)
	if n := utf8.RuneCountInString(s); n < 1 || n > maxName || !isLetter(first) {
		return false
	}
	return !strings.HasSuffix(s, " ") && !strings.ContainsFunc(s, func(r rune) bool {
		return !isLetter(r) && !strings.ContainsRune(others, r)
	})
}

// SameName compares a name with a registry's (domain §3.7). Different names call
// for a review by a person, for registries spell in their own ways.
func SameName(a, b string) bool { return NameKey(a) == NameKey(b) }

// NameKey is the form in which a name is compared and searched: its key, without
// spaces, which people put where others have a half space, and without the title
// سید or سیده before it.
func NameKey(s string) string {
	words := strings.Fields(Key(s))
	if len(words) > 1 && (words[0] == "سید" || words[0] == "سیده") {
		words = words[1:]
	}
	return strings.Join(words, "")
}
