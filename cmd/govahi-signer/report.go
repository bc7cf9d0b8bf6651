package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"govahi/domain/fault"
	"govahi/domain/iran"
)

// report is every finding, in order.
type report struct {
	Sound    bool      `json:"sound"`
	Findings []finding `json:"findings"`
}

type finding struct {
	What     string `json:"what"`
	Sound    bool   `json:"sound"`
	Detail   string `json:"detail"`
	WhatFa   string `json:"whatFa"`
	DetailFa string `json:"detailFa"`
}

// row is what a finding is about, and what to do where it is not so.
type row struct{ name, remedy fault.Text }

// of is the row of an issuer. Of the first nothing is said before it; of a further
// one its number.
func (w row) of(s seat) row {
	if s.number > 1 {
		w.name.En = fmt.Sprintf("%d: %s", s.number, w.name.En)
		w.name.Fa = iran.PersianDigits(fmt.Sprint(s.number)) + ": " + w.name.Fa
	}
	return w
}

// line finds what a place holds, or what is wrong with it.
func (r *report) line(w row, where string, err error, detail fault.Text) {
	if err != nil {
		detail = w.wrong(where, err)
	}
	r.Findings = append(r.Findings, finding{w.name.En, err == nil, detail.En, w.name.Fa, detail.Fa})
}

// wrong says what, where and what to do. What is known in English alone, such as a
// word of the token's, leaves the Persian to the remedy.
func (w row) wrong(where string, err error) fault.Text {
	why := told(err)
	return fault.Text{Fa: strings.Join(strings.Fields(where+": "+why.Fa+" "+w.remedy.Fa), " "), En: why.En + "; " + w.remedy.En}
}

// told parts what an error says by its languages, each in one line; a fault's
// error is but its code.
func told(err error) (t fault.Text) {
	if f, ok := fault.Of(err); ok {
		return f.Text
	}
	var fa, en []string
	for line := range strings.Lines(err.Error()) {
		if strings.ContainsFunc(line, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) {
			fa = append(fa, strings.Fields(line)...)
		} else {
			en = append(en, strings.Fields(line)...)
		}
	}
	return fault.Text{Fa: strings.Join(fa, " "), En: strings.Join(en, " ")}
}

// print writes two rows a finding, Persian first.
func (r *report) print(to io.Writer, asJSON bool) error {
	r.Sound = true
	for _, f := range r.Findings {
		r.Sound = r.Sound && f.Sound
	}
	if asJSON {
		e := json.NewEncoder(to)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	table := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	for _, f := range r.Findings {
		fa, en := "درست", "ok"
		if !f.Sound {
			fa, en = "نادرست", "WRONG"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n%s\t%s\t%s\n", f.WhatFa, fa, f.DetailFa, f.What, en, f.Detail)
	}
	return table.Flush()
}
