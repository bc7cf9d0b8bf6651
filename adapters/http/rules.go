package http

import (
	"strings"

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

const fieldRequired = "field-required"

// rules are tried in order; the last takes what no other took.
var rules = []rule{
	{upTo(validation.MsgExpectedRequiredProperty), fieldRequired, text("این بخش را بنویسید.", "This field is needed."), true},
	{"required ", fieldRequired, text("این بخش را بنویسید.", "This parameter is needed."), false},
	{upTo(validation.MsgUnexpectedProperty), "field-unknown", text("چنین بخشی در این درخواست نیست؛ آن را بردارید.", "This request has no such field; remove it."), false},
	{"unknown query parameter", "field-unknown", text("چنین پارامتری نیست؛ آن را بردارید.", "There is no such parameter; remove it."), false},
	{upTo(validation.MsgExpectedMinLength), "field-too-short", text("کوتاه\u200cتر از اندازه است.", "It is too short."), true},
	{upTo(validation.MsgExpectedMaxLength), "field-too-long", text("بلندتر از اندازه است.", "It is too long."), true},
	{upTo(validation.MsgExpectedMinItems), "field-too-few", text("شمار آن کمتر از اندازه است.", "There are too few."), true},
	{upTo(validation.MsgExpectedMaxItems), "field-too-many", text("شمار آن بیشتر از اندازه است.", "There are too many."), true},
	{upTo(validation.MsgExpectedOneOf), "field-not-listed", text("یکی از مقدارهای فهرست را برگزینید.", "Choose one of the list."), true},
	{"expected number ", "field-out-of-range", text("بیرون از بازهٔ پذیرفته است.", "It is out of range."), true},
	{"expected string to match", "field-pattern", text("شکل آن درست نیست.", "It has not the expected form."), false},
	{"expected string to be", "field-format", text("شکل آن درست نیست.", "It has not the expected form."), false},
	{"invalid date/time", "field-format", text("تاریخ یا زمان درست نیست.", "The date or time is not right."), false},
	{"expected ", "field-type", text("نوع آن درست نیست.", "It is of the wrong type."), false},
	{"invalid ", "field-type", text("نوع آن درست نیست.", "It is of the wrong type."), false},
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
