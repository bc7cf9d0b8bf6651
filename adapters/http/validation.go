package http

import (
	"cmp"
	"errors"
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
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return shape{}.humaProblem(status, errs...)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		return shapeOf(ctx.Context()).humaProblem(status, errs...)
	}
	huma.ValidateStrictCasing = true
}

// The refusals of requests that no operation understood.
var (
	errInvalid = fault.New(fault.Invalid, "request-invalid",
		"بخش\u200cهایی از درخواست درست نیست؛ موردهای نام\u200cبرده را درست کنید.",
		"Parts of the request are not right; correct those that are named.")
	errQuery = fault.New(fault.Invalid, "query-malformed",
		"پارامترهای نشانی خوانده نشد؛ نویسه\u200cهای ویژه را با %\u200e کدگذاری کنید.",
		"The address's parameters cannot be read; percent-encode special characters.")
	errNoRoute = fault.New(fault.NotFound, "route-not-found",
		"چنین نشانی\u200cای نیست؛ فهرست نشانی\u200cها در ‎/docs‎ است.", "There is no such address; /docs lists them.")
	errMethod = fault.New(fault.Invalid, "method-not-allowed",
		"این نشانی با این روش پاسخ نمی\u200cدهد.", "This address does not answer this method.")
	errAccept = fault.New(fault.Invalid, "not-acceptable",
		"پاسخ به شکلی که خواسته\u200cاید نیست؛ application/json بخواهید.", "The answer has no such form; accept application/json.")
	errSlowRequest = fault.New(fault.Invalid, "request-too-slow",
		"درخواست به\u200cموقع نرسید؛ دوباره بفرستید.", "The request did not arrive in time; send again.")
	errTooLarge = fault.New(fault.Invalid, "body-too-large",
		"درخواست بزرگ\u200cتر از یک مگابایت است؛ آن را کوتاه کنید.", "The request is larger than 1 MiB; shorten it.")
	errHeaders = fault.New(fault.Invalid, "headers-too-large",
		"سرآیندهای درخواست بیش از اندازه بزرگ است.", "The request's headers are too large.")
	errMedia = fault.New(fault.Invalid, "media-type-unsupported",
		"شکل بدنه پذیرفته نیست؛ آن را بدون فشرده\u200cسازی بفرستید.",
		"The body's coding is not accepted; send it uncompressed.")
)

// byLibrary is what a library's status means, and the status that we answer
// with: whatever is not of the operation's form is 400.
var byLibrary = map[int]struct {
	fault  *fault.Fault
	status int
}{
	fiber.StatusBadRequest:                  {errMalformed, fiber.StatusBadRequest},
	fiber.StatusNotFound:                    {errNoRoute, fiber.StatusNotFound},
	fiber.StatusMethodNotAllowed:            {errMethod, fiber.StatusMethodNotAllowed},
	fiber.StatusNotAcceptable:               {errAccept, fiber.StatusNotAcceptable},
	fiber.StatusRequestTimeout:              {errSlowRequest, fiber.StatusRequestTimeout},
	fiber.StatusRequestEntityTooLarge:       {errTooLarge, fiber.StatusBadRequest},
	fiber.StatusUnsupportedMediaType:        {errMedia, fiber.StatusBadRequest},
	fiber.StatusUnprocessableEntity:         {errInvalid, fiber.StatusBadRequest},
	fiber.StatusRequestHeaderFieldsTooLarge: {errHeaders, fiber.StatusRequestHeaderFieldsTooLarge},
}

// byStatus is the problem of a request that a library refused.
func byStatus(status int) *Problem {
	if known, ok := byLibrary[status]; ok {
		return withStatus(known.fault, known.status)
	}
	return problemOf(errInternal)
}

// humaProblem is huma.NewError: a problem of ours passes, what a field lacks is
// named, and of all else the status alone speaks.
func (f shape) humaProblem(status int, errs ...error) huma.StatusError {
	var p *Problem
	for _, err := range errs {
		if errors.As(err, &p) {
			return p
		}
	}
	p = byStatus(status)
	if status == fiber.StatusUnprocessableEntity {
		p.blame(f.problems(errs))
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

func (f shape) problems(errs []error) []FieldProblem {
	var fields []FieldProblem
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			fields = append(fields, f.problem(d))
		}
	}
	slices.SortStableFunc(fields, func(a, b FieldProblem) int { return cmp.Compare(a.Field, b.Field) })
	return fields
}

// problem never passes on d.Value, nor messages that may quote it.
func (f shape) problem(d *huma.ErrorDetail) FieldProblem {
	rule, limit := ruleOf(d.Message)
	in, parts := located(d.Location)
	if rule.code == fieldRequired && limit != "" {
		parts, limit = append(parts, limit), ""
	}
	return f.place(in, parts).problem(rule, limit)
}

func (p place) problem(r rule, limit string) FieldProblem {
	if r.code == fieldFormat && p.schema != nil && p.schema.Pattern != "" {
		r = ruleWith(fieldPattern) // huma says "to be", if the pattern has a description
	}
	return FieldProblem{Code: r.code, Field: p.field(), Pointer: p.pointer(), detail: r.with(limit, p)}
}

// located splits huma's location, body.items[3].name.
func located(location string) (in string, parts []string) {
	all := strings.FieldsFunc(location, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	if len(all) == 0 {
		return "", nil
	}
	return all[0], all[1:]
}
