package http

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"govahi/adapters/web"
	"govahi/domain/fault"
)

// Problem is a refusal as the caller sees it (RFC 9457).
type Problem struct {
	Type        string         `json:"type" doc:"urn:govahi:problem: and the code"`
	Title       string         `json:"title" doc:"What kind of refusal it is, in the caller's language"`
	Status      int            `json:"status"`
	Detail      string         `json:"detail" doc:"What is wrong and the remedy, in the caller's language"`
	Code        string         `json:"code" doc:"Stable; clients may depend on it"`
	Field       string         `json:"field,omitempty" doc:"The field to blame, dots between its parts"`
	Pointer     string         `json:"pointer,omitempty" doc:"The same as a JSON Pointer (RFC 6901) into the request body"`
	Errors      []FieldProblem `json:"errors,omitempty" doc:"Every field to blame, if there are several; the first is also above"`
	Correlation string         `json:"correlation,omitempty" doc:"Name it when you report one of our own faults"`

	title, detail fault.Text
	wait          time.Duration
}

// FieldProblem is what is wrong with one field.
type FieldProblem struct {
	Code    string `json:"code"`
	Detail  string `json:"detail"`
	Field   string `json:"field,omitempty"`
	Pointer string `json:"pointer,omitempty"`

	detail fault.Text
}

// Error returns the code: safe for logs.
func (p *Problem) Error() string { return p.Code }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457 §6.1.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// answers says how each kind of fault is answered.
var answers = map[fault.Kind]struct {
	status int
	title  fault.Text
}{
	fault.Invalid:         {fiber.StatusUnprocessableEntity, fault.Text{Fa: "درخواست نادرست", En: "The request is not right"}},
	fault.Unauthenticated: {fiber.StatusUnauthorized, fault.Text{Fa: "هویت شما روشن نیست", En: "You are not known"}},
	fault.Forbidden:       {fiber.StatusForbidden, fault.Text{Fa: "اجازهٔ این کار را ندارید", En: "You may not do this"}},
	fault.NotFound:        {fiber.StatusNotFound, fault.Text{Fa: "یافت نشد", En: "Not found"}},
	fault.Conflict:        {fiber.StatusConflict, fault.Text{Fa: "وضعیت پرونده اجازه نمی\u200cدهد", En: "The record's state does not allow it"}},
	fault.TooMany:         {fiber.StatusTooManyRequests, fault.Text{Fa: "درخواست بیش از اندازه", En: "Too many requests"}},
	fault.Unavailable:     {fiber.StatusServiceUnavailable, fault.Text{Fa: "اکنون در دسترس نیست", En: "Not available now"}},
	fault.Erased:          {fiber.StatusGone, fault.Text{Fa: "حذف شده است", En: "Erased"}},
	fault.Internal:        {fiber.StatusInternalServerError, fault.Text{Fa: "خطای سامانه", En: "Our own fault"}},
}

// The refusals of the door itself.
var (
	errInternal = fault.New(fault.Internal, "internal",
		"خطایی از سوی سامانه رخ داد. شناسهٔ پیگیری همین پاسخ را به پشتیبانی بدهید.",
		"Something went wrong on our side. Report the correlation of this answer to support.")
	errTooSlow = fault.New(fault.Unavailable, "timed-out",
		"پاسخ بیش از اندازه طول کشید؛ با همان کلید دوباره بفرستید.",
		"The answer took too long; send again with the same key.")
)

// problem is the one place where errors become answers. What is no fault is
// ours: it is logged under a correlation, and nothing else of it leaks.
func (s *Server) problem(ctx context.Context, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	if f, ok := fault.Of(err); ok && f.Kind != fault.Internal {
		return shapeOf(ctx).blamed(f, fault.All(err))
	}
	var refused *fiber.Error
	switch {
	case errors.As(err, &refused) && refused.Code < fiber.StatusInternalServerError:
		return byStatus(refused.Code)
	case errors.Is(err, context.DeadlineExceeded):
		return problemOf(errTooSlow)
	}
	p = problemOf(errInternal)
	p.Correlation = rand.Text()
	s.Log.ErrorContext(ctx, "internal", slog.String("correlation", p.Correlation), slog.Any("error", err))
	return p
}

// blamed is the problem of a fault, with all others that name a field of the
// same request as wrong.
func (f shape) blamed(first *fault.Fault, all []*fault.Fault) *Problem {
	p := problemOf(first)
	p.Pointer = f.pointer(first.Field)
	var fields []FieldProblem
	for _, wrong := range all {
		if wrong.Kind == fault.Invalid && wrong.Field != "" {
			fields = append(fields, f.warning(wrong))
		}
	}
	if first.Kind == fault.Invalid && len(fields) > 1 {
		p.Errors = fields
	}
	return p
}

// warning is what a fault says of its field.
func (f shape) warning(about *fault.Fault) FieldProblem {
	return FieldProblem{Code: about.Code, Field: about.Field, Pointer: f.pointer(about.Field), detail: about.Text}
}

// pointer is where a field stands in the operation's body, empty if nowhere.
func (f shape) pointer(field string) string {
	if p := f.inBody(strings.Split(field, ".")); p.schema != nil {
		return p.pointer()
	}
	return ""
}

func problemOf(f *fault.Fault) *Problem {
	answer := answers[f.Kind]
	return &Problem{
		Type: "urn:govahi:problem:" + f.Code, Status: answer.status, Code: f.Code, Field: f.Field,
		title: answer.title, detail: f.Text, wait: f.Wait,
	}
}

// withStatus answers a fault under a more telling status than its kind's.
func withStatus(f *fault.Fault, status int) *Problem {
	p := problemOf(f)
	p.Status = status
	return p
}

// in returns the problem in one language, with the headers that belong to it.
func (p *Problem) in(english bool) (*Problem, http.Header) {
	q := *p
	var tag string
	q.Title, _ = say(p.title, english)
	q.Detail, tag = say(p.detail, english)
	q.Errors = inLanguage(p.Errors, english)
	return &q, p.headers(tag)
}

func inLanguage(fields []FieldProblem, english bool) []FieldProblem {
	told := slices.Clone(fields)
	for i, f := range told {
		told[i].Detail, _ = say(f.detail, english)
	}
	return told
}

func (p *Problem) headers(language string) http.Header {
	h := http.Header{}
	h.Set("Content-Language", language)
	h.Set("Vary", "Accept, Accept-Language")
	switch p.Status {
	case fiber.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge(p.Code))
	case fiber.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	case fiber.StatusTooManyRequests:
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.wait.Seconds()))))
	}
	return h
}

// retryAfter is in seconds.
const retryAfter = 2

// challenge names no error to who sent no token (RFC 6750 §3).
func challenge(code string) string {
	if code == errNoToken.Code {
		return `Bearer realm="govahi"`
	}
	return `Bearer realm="govahi", error="invalid_token"`
}

// translated is huma's hook before it writes a body.
func translated(ctx huma.Context, _ string, body any) (any, error) {
	english := inEnglish(ctx.Header("Accept-Language"))
	switch b := body.(type) {
	case *Problem:
		humafiber.UnwrapV2(ctx).Locals(problemKey, b)
		q, headers := b.in(english)
		for name := range headers {
			ctx.SetHeader(name, headers.Get(name))
		}
		return q, nil
	case Warned:
		return Warned{inLanguage(b.Warnings, english)}, nil
	}
	return body, nil
}

// refuse is Fiber's hook for what reached no operation, or broke on the way.
func (s *Server) refuse(c *fiber.Ctx, err error) error {
	p := s.problem(c.UserContext(), err)
	c.Locals(problemKey, p)
	q, headers := p.in(inEnglish(c.Get(fiber.HeaderAcceptLanguage)))
	for name := range headers {
		c.Set(name, headers.Get(name))
	}
	return c.Status(q.Status).JSON(q, problemType)
}

// paged turns a refusal into a page for who prefers one, such as a browser.
func paged(c *fiber.Ctx) error {
	p, refused := c.Locals(problemKey).(*Problem)
	if !refused || c.Accepts(jsonType, problemType, "text/html") != "text/html" {
		return nil
	}
	route, _ := c.Locals(routeKey).(string)
	page, err := Page(func(w io.Writer) error { return web.Refusal(w, p.page(route)) })
	if err != nil {
		return err
	}
	for name, value := range page.Header {
		c.Set(name, value)
	}
	c.Set(fiber.HeaderContentLanguage, "fa")
	c.Set(fiber.HeaderContentType, page.Type)
	return c.Send(page.Body)
}

// page is the problem in Persian, with the form that was filled in if there was
// one, empty.
func (p *Problem) page(route string) web.RefusalData {
	told, _ := p.in(false)
	page := web.RefusalData{Title: told.Title, Details: []string{told.Detail}, Correlation: told.Correlation}
	for _, f := range told.Errors {
		page.Details = append(page.Details, f.Detail)
	}
	switch route {
	case trackPage:
		page.Track = trackPage
	case verifyPage:
		page.Verify = verifyPage
	}
	return page
}
