package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/iran"
)

// words are what the pages say things with.
var words = template.FuncMap{
	"fa":     func(v any) string { return iran.PersianDigits(fmt.Sprint(v)) },
	"digits": digits,
	"code":   code,
	"groups": groups,
	"named":  named,
	"day":    day,
	"moment": moment,
	"civil":  civil,
	"since":  since,
	"reason": certificate.Reason.Persian,
	"qr":     qrPath,
	"rial":   iran.Rial,
	"words":  iran.RialWords,
}

// code keeps a code in its own order inside right-to-left text.
func code(text string) template.HTML { return isolated("code", text) }

// named is what people call a thing, with its code beside it; the code alone, if
// they have no name for it.
func named(title, text string) template.HTML {
	if title == "" {
		return code(text)
	}
	return "<bdi>" + template.HTML(template.HTMLEscapeString(title)) + "</bdi> (" + code(text) + ")"
}

func isolated(class, text string) template.HTML {
	return template.HTML(`<bdi dir="ltr" class="`+class+`">`) + template.HTML(template.HTMLEscapeString(text)) + `</bdi>`
}

// digits is a code of decimal digits, shown in Persian; a long one in fours.
func digits(text string) template.HTML {
	if len(text) == 12 {
		text = iran.GroupTrackingCode(text)
	}
	return isolated("digits", iran.PersianDigits(text))
}

// groups is a hexadecimal text in fours, as it is read over the telephone. What
// else somebody typed in its place stays as it is.
func groups(text string) template.HTML {
	if strings.Trim(text, "0123456789abcdefABCDEF") != "" {
		return code(text)
	}
	var parts []string
	text = strings.ToUpper(text)
	for len(text) > 4 {
		parts, text = append(parts, text[:4]), text[4:]
	}
	return code(strings.Join(append(parts, text), " "))
}

// day is a Jalali day with the Gregorian one as its tooltip (domain §6.1).
func day(t time.Time) template.HTML { return dated(t, iran.FromTime(t).Long()) }

// moment is a day and the time of day in Tehran.
func moment(t time.Time) template.HTML {
	clock := t.In(iran.Tehran()).Format("15:04")
	return dated(t, iran.FromTime(t).Long()+"، ساعت "+iran.PersianDigits(clock))
}

func dated(t time.Time, persian string) template.HTML {
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `" title="` + gregorian(t) + `">` + persian + `</time>`)
}

// civil is the Gregorian day in clear, for paper has no tooltips.
func civil(t time.Time) template.HTML { return isolated("code date", gregorian(t)) }

func gregorian(t time.Time) string { return t.In(iran.Tehran()).Format(time.DateOnly) }

// since is a length of time in its two greatest units, or less than a minute.
func since(d time.Duration) string {
	minutes := int(d.Minutes())
	parts := []struct {
		n    int
		unit string
	}{{minutes / 1440, "روز"}, {minutes / 60 % 24, "ساعت"}, {minutes % 60, "دقیقه"}}
	var said []string
	for _, p := range parts {
		if p.n > 0 && len(said) < 2 {
			said = append(said, iran.PersianDigits(fmt.Sprint(p.n))+" "+p.unit)
		}
	}
	if len(said) == 0 {
		return "کمتر از یک دقیقه"
	}
	return strings.Join(said, " و ")
}
