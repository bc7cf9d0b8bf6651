package profiles

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Refusal says in both languages what is wrong with a file as a whole, and what
// to do; whoever reads the file names it.
type Refusal struct {
	Fa, En string
	Cause  error // or nil
}

// Error is the text, a line for each language.
func (r Refusal) Error() string {
	text := "  " + r.Fa + "\n  " + r.En
	if r.Cause != nil {
		text += " (" + r.Cause.Error() + ")"
	}
	return text
}

// Unwrap is the cause.
func (r Refusal) Unwrap() error { return r.Cause }

var (
	errEmpty     = Refusal{Fa: "پرونده خالی است؛ آن را پر کنید یا بردارید.", En: "the file is empty: fill it in, or remove it"}
	errNoRegular = Refusal{Fa: "این پروندهٔ معمولی نیست (پوشه، لوله یا دستگاه است)؛ پرونده‌ای به جای آن بگذارید.", En: "it is no regular file but a directory, a pipe or a device: put a file there"}
	errBOM       = Refusal{Fa: "پرونده با نشان ترتیب بایت (BOM) آغاز می‌شود؛ آن را بی BOM ذخیره کنید.", En: "the file begins with a byte order mark: save it as UTF-8 without one"}
	errEncoding  = Refusal{Fa: "متن پرونده UTF-8 نیست؛ آن را با کدگذاری UTF-8 ذخیره کنید.", En: "the file is not in UTF-8: save it in that encoding"}
	errControl   = Refusal{Fa: "پرونده نویسهٔ کنترلی دارد؛ متن را دوباره و پاک بنویسید.", En: "the file has control characters: write it anew as plain text"}
	errSecret    = Refusal{Fa: "در پرونده کلید خصوصی هست؛ آن را از اینجا بردارید و اگر دیگری آن را دیده است، لو رفته بدانید.", En: "there is a private key in the file: take it away from here, and if others saw it hold it for compromised"}
	errAlias     = Refusal{Fa: "پرونده از نام مستعار YAML (& یا * یا <<) بهره می‌گیرد؛ هر مقدار را در جای خود بنویسید.", En: "the file uses YAML anchors, aliases or merges (&, *, <<): write every value where it belongs"}
	errDeep      = Refusal{Fa: "کروشه‌ها یا آکولادهای پرونده بیش از ۱۰ لایه در هم رفته‌اند؛ ساختار نمونه را به کار برید.", En: "brackets or braces are nested more than 10 deep: keep to the structure of the examples"}
	errNone      = Refusal{Fa: "در این پوشه نمایه‌ای نیست؛ پوشهٔ پرونده‌های NAME@VERSION.yaml را نام ببرید.", En: "it holds no profile: name a directory of NAME@VERSION.yaml files"}
	errSecond    = Refusal{Fa: "سند دومی در پی می‌آید؛ هر پرونده یک سند دارد.", En: "a second document follows: one file holds one"}
)

// largest is far above any file that is read here, or any certificate.
const largest = 64 << 10

// ReadPath is ReadFile of whatever somebody names.
func ReadPath(path string) ([]byte, error) {
	return ReadFile(os.DirFS(filepath.Dir(path)), filepath.Base(path), largest)
}

// ReadFile reads a file of at most so many bytes, and no more of a longer one;
// what is no regular file it does not even open.
func ReadFile(files fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(files, name)
	switch {
	case err != nil:
		return nil, unreadable(err)
	case !info.Mode().IsRegular():
		return nil, errNoRegular
	case info.Size() > most:
		return nil, tooLong(most)
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, unreadable(err)
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	switch err = errors.Join(err, f.Close()); {
	case err != nil:
		return nil, unreadable(err)
	case int64(len(text)) > most:
		return nil, tooLong(most)
	case len(text) == 0:
		return nil, errEmpty
	}
	return text, nil
}

func unreadable(err error) error {
	return Refusal{Fa: "خوانده نمی‌شود؛ بودن آن، پیوندها و دسترسی‌اش را بازبینی کنید.", En: "it cannot be read: check that it is there, its links and its permissions", Cause: err}
}

func tooLong(most int64) error {
	return Refusal{
		Fa: fmt.Sprintf("پرونده بلندتر از %d بایت است که هیچ نمونهٔ درستی نیست؛ پروندهٔ دیگری را به جای آن گرفته‌اید.", most),
		En: fmt.Sprintf("the file is longer than %d bytes, which none of its kind is: another file was taken for it", most),
	}
}

// Decode reads the one YAML document of a file. It refuses fields that nobody
// knows, fields that stand twice, and a second document behind the first: what
// was not read was not checked. A whole number is whole. An alias is refused before
// anything follows it, for a few lines of them unfold to more than memory holds.
func Decode(text []byte, into any) error { return decode(text, into, misread) }

// DecodeDiscreetly does so for a file in which somebody may have put a secret that
// belongs elsewhere: a refusal repeats nothing of it.
func DecodeDiscreetly(text []byte, into any) error { return decode(text, into, discreetly) }

func decode(text []byte, into any, refuse func(error) error) error {
	if err := plain(text); err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	switch err := d.Decode(into); {
	case errors.Is(err, io.EOF):
		return errEmpty
	case err != nil:
		return refuse(err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return errSecond
	}
	if err := allWhole(text, into); err != nil {
		return refuse(err)
	}
	return nil
}

// deepest is how far brackets may be nested; a profile's are two deep.
const deepest = 10

// plain looks at the text before a parser does.
func plain(text []byte) error {
	switch {
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return errBOM
	case !utf8.Valid(text):
		return errEncoding
	case bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f }):
		return errControl
	case bytes.Contains(text, []byte("PRIVATE KEY-----")):
		return errSecret
	}
	depth := 0
	for _, t := range lexer.Tokenize(string(text)) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return errAlias
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if depth > deepest {
			return errDeep
		}
	}
	return nil
}
