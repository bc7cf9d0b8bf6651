package profiles

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"govahi/domain/fault"
)

// misread says where the parser stopped, and why; the parser's own words are
// English, and with them the lines in question.
func misread(err error) error {
	where, text, at := spot(err)
	why := reason(at, strconv.Quote(text))
	said := yaml.FormatError(err, false, true)
	if wrong, ok := at.(*yaml.TypeError); ok { // the parser's words are Go's
		said = yaml.FormatErrorWithToken(why.En, wrong.Token, false, true)
	}
	return stopped("  "+where+why.Fa, indented(said))
}

// discreetly says as much without a word of the file.
func discreetly(err error) error {
	where, _, at := spot(err)
	why := reason(at, "…")
	return stopped("  "+where+why.Fa, "  "+where+why.En)
}

func stopped(fa, en string) error {
	return Refusal{
		Fa: "ساختار پرونده درست نیست؛ سطر و ستون و علت:\n" + fa,
		En: "its structure is not right; line, column and why:\n" + en,
	}
}

// spot is where an error arose, and what stands there.
func spot(err error) (where, text string, at yaml.Error) {
	if errors.As(err, &at) && at.GetToken() != nil {
		p := at.GetToken().Position
		where, text = fmt.Sprintf("[%d:%d] ", p.Line, p.Column), at.GetToken().Value
	}
	return where, text, at
}

// reason is why, with what stands there as it may be shown.
func reason(err yaml.Error, shown string) fault.Text {
	switch e := err.(type) {
	case *yaml.UnknownFieldError:
		return fault.Text{
			Fa: fmt.Sprintf("خانه‌ای به نام %s شناخته نیست؛ نام آن را درست کنید یا آن را بردارید.", shown),
			En: fmt.Sprintf("there is no field %s: mend its name, or remove it", shown),
		}
	case *yaml.TypeError:
		k := kind(e.DstType.Kind().String())
		return fault.Text{
			Fa: fmt.Sprintf("%s مقدار درستی نیست؛ به جای آن %s بنویسید.", shown, k.Fa),
			En: fmt.Sprintf("%s is no right value: write %s", shown, k.En),
		}
	case *yaml.OverflowError:
		return fault.Text{
			Fa: fmt.Sprintf("عدد %s بیش از اندازه بزرگ است؛ عدد درست را بنویسید.", shown),
			En: fmt.Sprintf("the number %s is too large: write the right one", shown),
		}
	case *yaml.UnexpectedNodeTypeError:
		is, want := kind(e.Actual.YAMLName()), kind(e.Expected.YAMLName())
		return fault.Text{
			Fa: fmt.Sprintf("%s آمده و جای %s است؛ ساختار نمونه را به کار برید.", is.Fa, want.Fa),
			En: fmt.Sprintf("here is %s where %s belongs: keep to the structure of the examples", is.En, want.En),
		}
	case *yaml.SyntaxError:
		if strings.Contains(e.Message, "already defined") {
			return fault.Text{
				Fa: fmt.Sprintf("خانهٔ %s دو بار آمده است؛ یکی را بردارید.", shown),
				En: fmt.Sprintf("the field %s stands twice: remove one", shown),
			}
		}
	}
	return fault.Text{
		Fa: "نگارش YAML درست نیست؛ تورفتگی، کروشه، آکولاد و نقل‌قول را بازبینی کنید.",
		En: "it is no YAML: see to indentation, brackets, braces and quotes",
	}
}

// kind is what people call the sort of a value; the rarer ones keep their names.
func kind(name string) fault.Text {
	return cmp.Or(map[string]fault.Text{
		"int": {Fa: "عدد صحیح", En: "a whole number"}, "string": {Fa: "متن", En: "a text"}, "bool": {Fa: "true یا false", En: "true or false"},
		"mapping": {Fa: "«نام: مقدار» (mapping)", En: "a mapping"}, "sequence": {Fa: "فهرست (sequence)", En: "a list"}, "null": {Fa: "هیچ (null)", En: "nothing"},
	}[name], fault.Text{Fa: name, En: name})
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}
