package iran

import (
	"strings"
	"unicode"

	"govahi/domain/fault"
)

// ErrEmail reports what is no e-mail address that a certificate may carry.
var ErrEmail = fault.New(fault.Invalid, "email-invalid",
	"نشانی پست الکترونیکی درست نیست. آن را با حروف لاتین و به شکل name@example.ir وارد کنید.",
	"The e-mail address is wrong. Enter it in Latin letters, in the form name@example.ir.")

// Email returns a mailbox with its domain in lower case, or ErrEmail. It takes
// the dot-string form of RFC 5321 §4.1.2 in ASCII within §4.5.3.1's lengths and
// a domain with a dot: no quoted names, no address literals, no international
// names, for the address goes into a certificate's rfc822Name (RFC 5280
// §4.2.1.6) and into letters. That mail arrives there must still be proved.
func Email(input string) (string, error) {
	address := strings.TrimSpace(strings.Map(dropInvisible, input))
	local, domain, found := strings.Cut(address, "@")
	domain = strings.ToLower(domain)
	if !found || !isASCII(address) || len(address) > 254 || !isLocalPart(local) || !isDomain(domain) {
		return "", ErrEmail
	}
	return local + "@" + domain, nil
}

func isLocalPart(s string) bool {
	if len(s) > 64 {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, isNotAtext) {
			return false
		}
	}
	return true
}

// isNotAtext is RFC 5322 §3.2.3's atext, turned around.
func isNotAtext(r rune) bool {
	return !isAlphanumeric(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return false
		}
	}
	top := labels[len(labels)-1]
	return len(labels) > 1 && len(top) > 1 && !strings.ContainsFunc(top, isNotLetter)
}

// isLabel is a letter-digit-hyphen label (RFC 1123 §2.1), and not an
// international one in disguise (RFC 5890 §2.3.2.1).
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || strings.HasPrefix(s, "xn--") || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r != '-' && !isAlphanumeric(r) })
}

// isASCII is asked before cases are folded: the Kelvin sign's lower case is k.
func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func isNotLetter(r rune) bool { return r < 'a' || r > 'z' }
