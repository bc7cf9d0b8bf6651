// Package usage says in both languages what is wrong with a command line.
package usage

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// Parse is kong.Parse: it ends the program with what is wrong, in both languages.
func Parse(cli any, options ...kong.Option) *kong.Context {
	parser := kong.Must(cli, options...)
	app, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(told(parser.Model.Name, err))
	return app
}

// persian says what kong says in English. What follows its words there, a name or
// names, is repeated.
var persian = []struct{ english, words string }{
	{"unknown flag ", "گزینهٔ %s شناخته نیست"},
	{"unexpected argument ", "%s در اینجا جایی ندارد"},
	{"missing flags: ", "این گزینه‌ها نیامده‌اند: %s"},
	{"missing positional arguments ", "این‌ها نیامده‌اند: %s"},
	{"expected one of ", "فرمان نیامده است؛ یکی از این‌ها را بنویسید: %s"},
	{"expected ", "این نیامده است: %s"},
	{"--", "مقدار گزینهٔ ‎--%s پذیرفته نیست"},
}

// guess is what kong adds of its own.
var guess = regexp.MustCompile(`, did you mean .*\?$`)

// told is the Persian beside kong's English, and where to read on. What speaks
// Persian itself stays as it is.
func told(program string, err error) error {
	if err == nil || strings.ContainsFunc(err.Error(), func(r rune) bool { return r >= 'آ' && r <= 'ی' }) {
		return err
	}
	return fmt.Errorf("%s؛ راهنما: ‎%s --help\n%w; see %s --help", inPersian(err.Error()), program, err, program)
}

func inPersian(english string) string {
	for _, p := range persian {
		if rest, ok := strings.CutPrefix(english, p.english); ok {
			if p.english == "--" { // --name=WHAT: why not
				rest, _, _ = strings.Cut(rest, ": ")
			}
			return fmt.Sprintf(p.words, guess.ReplaceAllString(rest, ""))
		}
	}
	return "فرمان یا یکی از گزینه‌هایش درست نیست؛ علت به انگلیسی در پی می‌آید"
}
