package http

import (
	"golang.org/x/text/language"

	"govahi/domain/fault"
)

// languages are those in which the door speaks, the first by default.
var languages = language.NewMatcher([]language.Tag{language.Persian, language.English})

// inEnglish tells whether a caller prefers English (RFC 9110 §12.5.4).
func inEnglish(acceptLanguage string) bool {
	_, index := language.MatchStrings(languages, acceptLanguage)
	return index == 1
}

// say picks the text, and names its language for Content-Language.
func say(t fault.Text, english bool) (text, tag string) {
	if english {
		return t.En, "en"
	}
	return t.Fa, "fa"
}
