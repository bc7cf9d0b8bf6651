package event

import (
	"strings"
	"unicode/utf8"
)

// plain reads a JSON object of texts as encoding/json writes it: these names in
// this order, of which the last may be left out, without spaces or escapes. What
// is not plain may be as right, and is for encoding/json to read, which looks at
// every byte several times.
func plain(data []byte, names ...string) (values []string, ok bool) {
	if !unescaped(data) {
		return nil, false
	}
	rest, before := string(data), "{"
	values = make([]string, 0, len(names))
	for _, name := range names {
		after, found := strings.CutPrefix(rest, before+`"`+name+`":"`)
		if !found {
			break
		}
		value, after, found := strings.Cut(after, `"`)
		if !found {
			return nil, false
		}
		values, rest, before = append(values, value), after, ","
	}
	return values, rest == "}" && len(values) >= len(names)-1
}

// unescaped says that texts stand in the JSON as they are.
func unescaped(data []byte) bool {
	for _, b := range data {
		if b < ' ' || b == '\\' {
			return false
		}
	}
	return utf8.Valid(data)
}
