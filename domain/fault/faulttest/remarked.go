// Package faulttest looks at what is said to people in tests.
package faulttest

import (
	"fmt"
	"strings"
	"unicode"
)

// Remarked wants at least one remark on the field, and each in both languages,
// Persian first.
func Remarked(text, field string) error {
	n := 0
	for line := range strings.Lines(text) {
		said, ok := strings.CutPrefix(line, "  "+field+": ")
		if !ok {
			continue
		}
		if persian := strings.ContainsFunc(said, isPersian); persian != (n%2 == 0) || strings.TrimSpace(said) == "" {
			return fmt.Errorf("of %s in the wrong language, or nothing: %q", field, line)
		}
		n++
	}
	if n == 0 || n%2 == 1 || strings.Contains(text, "%!") {
		return fmt.Errorf("%d lines on %s, or one whose values are missing, in:\n%s", n, field, text)
	}
	return nil
}

func isPersian(r rune) bool { return unicode.Is(unicode.Arabic, r) }
