package http

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"govahi/domain/fault"
)

// init replaces huma's errors by ours, for they would repeat what was
// submitted; the library has this hook for the whole process only. Field names
// are taken as they are declared: encoding/json would let "Role" pass as "role".
func init() {
	huma.NewError = humaProblem
	huma.ValidateStrictCasing = true
}

// The refusals of requests that no operation understood.
var (
	errInvalid = fault.New(fault.Invalid, "request-invalid",
		"بخش\u200cهایی از درخواست درست نیست؛ موردهای نام\u200cبرده را درست کنید.",
		"Parts of the request are not right; correct those that are named.")
	errMalformed = fault.New(fault.Invalid, "request-malformed",
		"درخواست خوانده نشد؛ آن را به شکل JSON درست بفرستید.",
		"The request cannot be read; send well-formed JSON.")
	errNoBody = fault.New(fault.Invalid, "body-missing",
		"درخواست بدنه ندارد؛ آن را به شکل JSON بفرستید.", "The request has no body; send one in JSON.")
	errNoRoute = fault.New(fault.NotFound, "route-not-found",
		"چنین نشانی\u200cای نیست؛ فهرست نشانی\u200cها در ‎/docs‎ است.", "There is no such address; /docs lists them.")
	errMethod = fault.New(fault.Invalid, "method-not-allowed",
		"این نشانی با این روش پاسخ نمی\u200cدهد.", "This address does not answer this method.")
	errAccept = fault.New(fault.Invalid, "not-acceptable",
		"پاسخ به شکلی که خواسته\u200cاید نیست؛ application/json بخواهید.", "The answer has no such form; accept application/json.")
	errSlowRequest = fault.New(fault.Invalid, "request-too-slow",
		"درخواست به\u200cموقع نرسید؛ دوباره بفرستید.", "The request did not arrive in time; send again.")
	errTooLarge = fault.New(fault.Invalid, "body-too-large",
		"درخواست بزرگ\u200cتر از یک مگابایت است.", "The request is larger than 1 MiB.")
	errHeaders = fault.New(fault.Invalid, "headers-too-large",
		"سرآیندهای درخواست بیش از اندازه بزرگ است.", "The request's headers are too large.")
	errMedia = fault.New(fault.Invalid, "media-type-unsupported",
		"شکل بدنه پذیرفته نیست؛ application/json بدون فشرده\u200cسازی بفرستید.",
		"The body's media type or coding is not accepted; send plain application/json.")
)

var statuses = map[int]*fault.Fault{
	fiber.StatusBadRequest:                  errMalformed,
	fiber.StatusNotFound:                    errNoRoute,
	fiber.StatusMethodNotAllowed:            errMethod,
	fiber.StatusNotAcceptable:               errAccept,
	fiber.StatusRequestTimeout:              errSlowRequest,
	fiber.StatusRequestEntityTooLarge:       errTooLarge,
	fiber.StatusUnsupportedMediaType:        errMedia,
	fiber.StatusUnprocessableEntity:         errInvalid,
	fiber.StatusRequestHeaderFieldsTooLarge: errHeaders,
}

// byStatus is the problem of a request that a library refused.
func byStatus(status int) *Problem {
	if f, ok := statuses[status]; ok {
		return withStatus(f, status)
	}
	return problemOf(errInternal)
}

// humaProblem is huma.NewError: a problem of ours passes, what a field lacks is
// named, and of all else the status alone speaks.
func humaProblem(status int, message string, errs ...error) huma.StatusError {
	var p *Problem
	for _, err := range errs {
		if errors.As(err, &p) {
			return p
		}
	}
	if status == fiber.StatusBadRequest && message == "request body is required" {
		return withStatus(errNoBody, status)
	}
	p = byStatus(status)
	if status == fiber.StatusUnprocessableEntity {
		p.blame(fieldProblems(errs))
	}
	return p
}

// blame lets the first field speak for all, so that who shows one text shows a
// telling one.
func (p *Problem) blame(fields []FieldProblem) {
	if len(fields) == 0 {
		return
	}
	first := fields[0]
	p.Code, p.Field, p.Pointer, p.detail = first.Code, first.Field, first.Pointer, first.detail
	p.Type = "urn:govahi:problem:" + first.Code
	if len(fields) > 1 {
		p.Errors = fields
	}
}

func fieldProblems(errs []error) []FieldProblem {
	var fields []FieldProblem
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			fields = append(fields, fieldProblem(d))
		}
	}
	slices.SortStableFunc(fields, func(a, b FieldProblem) int { return cmp.Compare(a.Field, b.Field) })
	return fields
}

// fieldProblem never passes on d.Value, nor messages that may quote it.
func fieldProblem(d *huma.ErrorDetail) FieldProblem {
	rule, limit := ruleOf(d.Message)
	parts := path(d.Location)
	if rule.code == fieldRequired && limit != "" {
		parts, limit = append(parts, limit), ""
	}
	p := FieldProblem{Code: rule.code, detail: rule.text}
	if limit != "" {
		p.detail = fault.Text{Fa: rule.text.Fa + " (" + limit + ")", En: rule.text.En + " (" + limit + ")"}
	}
	if len(parts) > 1 {
		p.Field = strings.Join(parts[1:], ".")
	}
	if len(parts) > 0 && parts[0] == "body" {
		p.Pointer = "/" + strings.Join(parts[1:], "/")
	}
	return p
}

// path splits huma's location, body.items[3].name, and hides a name that the
// caller invented: it is a submitted text like any other.
func path(location string) []string {
	parts := strings.FieldsFunc(location, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	for i, part := range parts {
		if !plainName.MatchString(part) {
			parts[i] = "*"
		}
	}
	return parts
}

var plainName = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_-]{0,39}|[0-9]{1,4})$`)
