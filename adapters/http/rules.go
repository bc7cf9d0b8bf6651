package http

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"govahi/domain/fault"
)

// rule is what a field was found to break.
type rule struct {
	message string // huma's, up to the limit that it names
	code    string
	text    fault.Text
	named   bool // the limit comes from the declaration and may be shown
}

// Codes of rules that the door itself names.
const (
	fieldRequired   = "field-required"
	fieldUnknown    = "field-unknown"
	fieldType       = "field-type"
	fieldFormat     = "field-format"
	fieldPattern    = "field-pattern"
	fieldOutOfRange = "field-out-of-range"
)

const (
	unknownParameter  = "unknown query parameter"
	repeatedParameter = "repeated query parameter"
	illegalCharacters = "illegal characters"
)

// rules are tried in order; the last takes what no other took.
var rules = []rule{
	{upTo(validation.MsgExpectedRequiredProperty), fieldRequired, text("این بخش را بنویسید.", "This field is needed."), true},
	{"required ", fieldRequired, text("این بخش را بنویسید.", "This parameter is needed."), false},
	{upTo(validation.MsgUnexpectedProperty), fieldUnknown, text("بخشی آمده که در این درخواست نیست؛ آن را بردارید.", "There is a field that this request does not have; remove it."), false},
	{unknownParameter, fieldUnknown, text("پارامتری آمده که این نشانی ندارد؛ آن را بردارید.", "There is a parameter that this address does not have; remove it."), false},
	{repeatedParameter, "parameter-repeated", text("این پارامتر بیش از یک بار آمده است؛ تنها یکی بفرستید.", "This parameter is given more than once; send one alone."), false},
	{illegalCharacters, "parameter-characters", text("نویسه\u200cای دارد که UTF-8 درست نیست یا نویسهٔ کنترلی است؛ آن را بردارید.", "It has a character that is no valid UTF-8, or a control character; remove it."), false},
	{upTo(validation.MsgExpectedMinLength), "field-too-short", text("کوتاه\u200cتر از اندازه است.", "It is too short."), true},
	{upTo(validation.MsgExpectedMaxLength), "field-too-long", text("بلندتر از اندازه است.", "It is too long."), true},
	{upTo(validation.MsgExpectedMinItems), "field-too-few", text("شمار آن کمتر از اندازه است.", "There are too few."), true},
	{upTo(validation.MsgExpectedMaxItems), "field-too-many", text("شمار آن بیشتر از اندازه است.", "There are too many."), true},
	{upTo(validation.MsgExpectedOneOf), "field-not-listed", text("یکی از مقدارهای فهرست را برگزینید.", "Choose one of the list."), true},
	{"expected number ", fieldOutOfRange, text("بیرون از بازهٔ پذیرفته است.", "It is out of range."), true},
	{"expected string to match", fieldPattern, text("شکل آن درست نیست.", "It has not the expected form."), false},
	{"expected string to be", fieldFormat, text("شکل آن درست نیست.", "It has not the expected form."), false},
	{"invalid date/time", fieldFormat, text("تاریخ یا زمان درست نیست.", "The date or time is not right."), false},
	{"expected ", fieldType, text("نوع آن درست نیست.", "It is of the wrong type."), false},
	{"invalid ", fieldType, text("نوع آن درست نیست.", "It is of the wrong type."), false},
	{"", "field-invalid", text("درست نیست.", "It is not right."), false},
}

func text(fa, en string) fault.Text { return fault.Text{Fa: fa, En: en} }

// upTo is a message's text before its first verb.
func upTo(format string) string {
	before, _, _ := strings.Cut(format, "%")
	return before
}

// ruleOf finds the rule and the limit that a message names, such as a length.
func ruleOf(message string) (rule, string) {
	for _, r := range rules {
		rest, found := strings.CutPrefix(message, r.message)
		if !found {
			continue
		}
		if !r.named {
			rest = ""
		}
		return r, strings.Trim(strings.TrimSuffix(rest, " to be present"), `"`)
	}
	panic("http: the last rule takes all")
}

// ruleWith is the rule of a code.
func ruleWith(code string) rule {
	for _, r := range rules {
		if r.code == code {
			return r
		}
	}
	panic("http: no rule " + code)
}

// hint is what would have been right, in the words of the declaration: the
// names, the type, or the form by an example. A regular expression helps nobody.
func (r rule) hint(p place) fault.Text {
	switch s := p.schema; {
	case r.code == fieldUnknown:
		return both(strings.Join(p.known, ", "))
	case s == nil:
		return fault.Text{}
	case r.code == fieldType:
		return types[s.Type]
	case r.code == fieldOutOfRange:
		return both(bounds(s))
	case r.code == fieldFormat || r.code == fieldPattern:
		return both(example(s))
	}
	return fault.Text{}
}

func both(word string) fault.Text { return fault.Text{Fa: word, En: word} }

var types = map[string]fault.Text{
	huma.TypeString:  text("متن", "a text"),
	huma.TypeInteger: text("عدد درست", "a whole number"),
	huma.TypeNumber:  text("عدد", "a number"),
	huma.TypeBoolean: text("true یا false", "true or false"),
	huma.TypeArray:   text("فهرست", "a list"),
	huma.TypeObject:  text("شیء", "an object"),
}

func example(s *huma.Schema) string {
	if len(s.Examples) > 0 {
		return fmt.Sprint(s.Examples[0])
	}
	if s.Format == "date-time" {
		return "2026-11-22T10:30:00Z"
	}
	return cmp.Or(s.Description, s.PatternDescription)
}

func bounds(s *huma.Schema) string {
	var parts []string
	if s.Minimum != nil {
		parts = append(parts, fmt.Sprintf(">= %.0f", *s.Minimum))
	}
	if s.Maximum != nil {
		parts = append(parts, fmt.Sprintf("<= %.0f", *s.Maximum))
	}
	return strings.Join(parts, ", ")
}

// with is the rule's text and the hint after it.
func (r rule) with(limit string, p place) fault.Text {
	hint := both(limit)
	if limit == "" {
		hint = r.hint(p)
	}
	if hint.Fa == "" {
		return r.text
	}
	return fault.Text{Fa: r.text.Fa + " (" + hint.Fa + ")", En: r.text.En + " (" + hint.En + ")"}
}
