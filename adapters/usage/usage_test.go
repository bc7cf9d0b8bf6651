package usage

import (
	"errors"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"govahi/domain/fault/faulttest"
)

type grammar struct {
	Serve struct {
		Dir   string `required:""`
		Count int
		File  string `arg:""`
	} `cmd:""`
	Check struct{} `cmd:""`
}

// TestAWrongCommandLineIsToldInBothLanguages: what, where, and where to read on.
func TestAWrongCommandLineIsToldInBothLanguages(t *testing.T) {
	for line, want := range map[string]struct{ named, words string }{
		"":                               {`"serve", "check"`, "فرمان نیامده"},
		"check --nope":                   {"--nope", "شناخته نیست"},
		"chek":                           {"chek", "جایی ندارد"},
		"serve a":                        {"--dir=STRING", "نیامده‌اند"},
		"serve --dir=x":                  {"<file>", "نیامده است"},
		"serve a --dir=x --count=many":   {"--count", "پذیرفته نیست"},
		"serve a --dir=x --count=1 more": {"more", "جایی ندارد"},
	} {
		parser, err := kong.New(&grammar{}, kong.Name("program"))
		if err != nil {
			t.Fatal(err)
		}
		_, cause := parser.Parse(strings.Fields(line))
		if cause == nil {
			t.Fatalf("%q is taken", line)
		}
		err = told("program", cause)
		fa, en, _ := strings.Cut(err.Error(), "\n")
		if !strings.Contains(fa, want.named) || !strings.Contains(fa, want.words) || !strings.Contains(fa, "program --help") || strings.Contains(fa, "did you mean") {
			t.Errorf("%q: %s", line, fa)
		}
		if !strings.Contains(en, cause.Error()) || !strings.Contains(en, "; see program --help") || faulttest.HasPersian(en) || !errors.Is(err, cause) {
			t.Errorf("%q: %s", line, en)
		}
	}
}

// TestWhatSpeaksPersianItselfStaysAsItIs, and nothing wrong stays nothing.
func TestWhatSpeaksPersianItselfStaysAsItIs(t *testing.T) {
	own := errors.New("این پوشه نیست\nit is no directory")
	if err := told("program", own); err != own {
		t.Errorf("%v", err)
	}
	if err := told("program", nil); err != nil {
		t.Errorf("%v", err)
	}
	if err := told("program", errors.New("something else")); !faulttest.HasPersian(err.Error()) {
		t.Errorf("%v", err)
	}
}
