// Package faulttest looks in tests at what is said to people about their files.
package faulttest

import (
	"fmt"
	"strings"
	"unicode"
)

// Remarked wants at least one remark on the field, and each in both languages,
// Persian first. Of what is said about a whole file some Persian words are given
// for the field.
func Remarked(text, field string) error {
	if HasPersian(field) {
		return refused(text, field)
	}
	n := 0
	for line := range strings.Lines(text) {
		said, ok := strings.CutPrefix(strings.TrimLeft(line, " "), field+": ")
		if !ok || !strings.HasPrefix(line, "  ") { // a program may indent it further
			continue
		}
		if persian := HasPersian(said); persian != (n%2 == 0) || strings.TrimSpace(said) == "" {
			return fmt.Errorf("of %s in the wrong language, or nothing: %q", field, line)
		}
		n++
	}
	if n == 0 || n%2 == 1 || strings.Contains(text, "%!") {
		return fmt.Errorf("%d lines on %s, or one whose values are missing, in:\n%s", n, field, text)
	}
	return nil
}

// refused wants an English line behind the Persian one.
func refused(text, words string) error {
	_, behind, found := strings.Cut(text, words)
	_, behind, _ = strings.Cut(behind, "\n")
	english, _, _ := strings.Cut(behind, "\n")
	if !found || !strings.HasPrefix(english, "  ") || HasPersian(english) {
		return fmt.Errorf("no %q, and English behind it, in:\n%s", words, text)
	}
	return nil
}

// Translated wants a Persian line before the one with the English words.
func Translated(text, words string) error {
	before, _, found := strings.Cut(text, words)
	lines := strings.Split(before, "\n")
	if !found || len(lines) < 2 || !HasPersian(lines[len(lines)-2]) {
		return fmt.Errorf("no %q, and Persian before it, in:\n%s", words, text)
	}
	return nil
}

// HasPersian tells a text that is Persian, or holds some, from an English one.
func HasPersian(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Arabic, r) })
}
