package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"govahi/domain/fault"
)

// The refusals of bodies that are no JSON of one meaning (RFC 8259, RFC 7493).
var (
	errNoBody = fault.New(fault.Invalid, "body-missing",
		"درخواست بدنه ندارد؛ آن را به شکل JSON بفرستید.", "The request has no body; send one in JSON.")
	errBodyUnexpected = fault.New(fault.Invalid, "body-unexpected",
		"این درخواست بدنه\u200cای نمی\u200cخواهد؛ بدون بدنه بفرستید.", "This request takes no body; send none.")
	errMalformed = fault.New(fault.Invalid, "request-malformed",
		"درخواست خوانده نشد؛ آن را به شکل JSON درست بفرستید.",
		"The request cannot be read; send well-formed JSON.")
	errTrailing = fault.New(fault.Invalid, "json-trailing-data",
		"پس از پایان JSON چیز دیگری آمده است؛ تنها یک JSON بفرستید.",
		"Something follows the end of the JSON; send one JSON text alone.")
	errByteOrderMark = fault.New(fault.Invalid, "json-byte-order-mark",
		"JSON نباید با نشان ترتیب بایت (BOM) آغاز شود؛ آن را بردارید.",
		"JSON must not begin with a byte order mark; remove it.")
	errNotUTF8 = fault.New(fault.Invalid, "json-not-utf8",
		"متن درخواست UTF-8 درست نیست؛ آن را با رمزگذاری UTF-8 بفرستید.",
		"The request is not valid UTF-8; encode it as UTF-8.")
	errLoneSurrogate = fault.New(fault.Invalid, "json-lone-surrogate",
		"در متن، نیمهٔ تنهای یک جفت ‎\\u‎ هست؛ هر دو نیمه یا خود نویسه را بفرستید.",
		"A text has one half of a \\u surrogate pair; send both halves or the character itself.")
	errNUL = fault.New(fault.Invalid, "json-nul-character",
		"در متن، نویسهٔ ‎U+0000‎ هست؛ آن را بردارید.", "A text has the character U+0000; remove it.")
	errDuplicateKey = fault.New(fault.Invalid, "json-duplicate-key",
		"یک نام در یک شیء دو بار آمده است؛ یکی را بردارید.",
		"A name stands twice in one object; remove one of them.")
	errTooDeep = fault.New(fault.Invalid, "json-too-deep",
		"JSON بیش از ۳۲ لایه تودرتو دارد؛ آن را ساده\u200cتر کنید.",
		"The JSON is nested more than 32 deep; make it flatter.")
)

// maxDepth is in nested objects and arrays.
const maxDepth = 32

// formed lets in only bodies of the declared media type that all readers
// understand alike. It looks at the bytes before huma decodes them: encoding/json
// mends broken UTF-8 and lone surrogates, and takes the last of equal names.
func (s *Server) formed(ctx huma.Context, next func(huma.Context)) {
	request := humafiber.UnwrapV2(ctx).Request()
	if p := shapeOf(ctx.Context()).refusal(ctx.Header(fiber.HeaderContentType), request.Body()); p != nil {
		s.stopAt(ctx, p)
		return
	}
	next(ctx)
}

func (f shape) refusal(contentType string, body []byte) *Problem {
	declared := f.op.RequestBody
	switch {
	case declared == nil && len(body) == 0:
		return nil
	case declared == nil:
		return malformed(errBodyUnexpected)
	case len(body) == 0:
		return malformed(errNoBody)
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	switch {
	case err != nil || declared.Content[media] == nil || charset != "" && !strings.EqualFold(charset, "utf-8"):
		return malformed(f.otherMedia())
	case media == jsonType:
		return f.unclear(body)
	}
	return nil
}

// otherMedia names the media types that the operation does take.
func (f shape) otherMedia() *fault.Fault {
	var taken []string
	for media := range f.op.RequestBody.Content {
		taken = append(taken, media)
	}
	list := strings.Join(taken, ", ")
	return fault.New(fault.Invalid, errMedia.Code,
		"شکل بدنه پذیرفته نیست؛ آن را به شکل "+list+" و UTF-8 بفرستید.",
		"The body's media type is not accepted; send "+list+" in UTF-8.")
}

// malformed is a refusal of what is not of the operation's form.
func malformed(f *fault.Fault) *Problem { return withStatus(f, fiber.StatusBadRequest) }

// unclear says what in a JSON text different readers would read differently, or
// could not hold.
func (f shape) unclear(body []byte) *Problem {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for begun := false; ; begun = true {
		ended := begun && d.StackDepth() == 0
		token, err := d.ReadToken()
		switch {
		case err == io.EOF && ended:
			return nil
		case err == io.EOF:
			return malformed(errNoBody) // nothing but blanks
		case ended:
			return malformed(errTrailing)
		case err != nil:
			return f.broken(body, err)
		case d.StackDepth() > maxDepth:
			return f.refuseAt(d.StackPointer(), errTooDeep)
		}
		if p := f.unfit(d, token); p != nil {
			return p
		}
	}
}

// broken tells why the decoder stopped. What encoding/json would have taken can
// only be a lone surrogate, once the rest is excluded.
func (f shape) broken(body []byte, err error) *Problem {
	var at jsontext.Pointer
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		at = syntax.JSONPointer
	}
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return malformed(errByteOrderMark)
	case errors.Is(err, jsontext.ErrDuplicateName):
		return f.refuseAt(at, errDuplicateKey)
	case !utf8.Valid(body):
		return f.refuseAt(at, errNotUTF8)
	case json.Valid(body):
		return f.refuseAt(at, errLoneSurrogate)
	}
	return f.refuseAt(at, errMalformed)
}

func (f shape) refuseAt(at jsontext.Pointer, refused *fault.Fault) *Problem {
	p, where := malformed(refused), f.inBody(slices.Collect(at.Tokens()))
	p.Field, p.Pointer = where.field(), where.pointer()
	return p
}

// unfit finds a value that no Go type of the handler could hold, where huma's
// own check, by float64 and by more layouts of time than one, would not see it.
func (f shape) unfit(d *jsontext.Decoder, token jsontext.Token) *Problem {
	at, text := d.StackPointer(), token.String()
	if token.Kind() == '"' && strings.ContainsRune(text, 0) {
		return f.refuseAt(at, errNUL)
	}
	where := f.inBody(slices.Collect(at.Tokens()))
	if where.schema == nil || isName(d) {
		return nil
	}
	if broken := breaks(token.Kind(), text, where.schema); broken != "" {
		p := malformed(errInvalid)
		p.blame([]FieldProblem{where.problem(ruleWith(broken), "")})
		return p
	}
	return nil
}

// isName tells whether the latest token names a member: they and their values
// alternate.
func isName(d *jsontext.Decoder) bool {
	in, count := d.StackIndex(d.StackDepth())
	return in == '{' && count%2 == 1
}

// breaks is the code of the rule that a value breaks, or empty. A null is no
// value left out.
func breaks(kind jsontext.Kind, text string, s *huma.Schema) string {
	switch kind {
	case 'n':
		if !s.Nullable {
			return fieldType
		}
	case '"':
		if s.Format == "date-time" && (!rfc3339.MatchString(text) || new(time.Time).UnmarshalText([]byte(text)) != nil) {
			return fieldFormat
		}
	case '0':
		return breaksNumber(text, s)
	}
	return ""
}

// rfc3339 is stricter than the time package, which takes a comma and one digit.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)

func breaksNumber(text string, s *huma.Schema) string {
	_, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return fieldOutOfRange
	case s.Type != huma.TypeInteger:
		return "" // huma tells
	case strings.ContainsAny(text, ".eE"):
		return fieldType
	case !fits(text, s):
		return fieldOutOfRange
	}
	return ""
}

// fits knows unsigned numbers by their minimum, as huma declares them.
func fits(text string, s *huma.Schema) bool {
	bits := 64
	if s.Format == "int32" {
		bits = 32
	}
	var err error
	if s.Minimum != nil && *s.Minimum >= 0 {
		_, err = strconv.ParseUint(text, 10, bits)
	} else {
		_, err = strconv.ParseInt(text, 10, bits)
	}
	return err == nil
}
