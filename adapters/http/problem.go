package http

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

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
	Errors      []FieldProblem `json:"errors,omitempty" doc:"Every field to blame, if there are several"`
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
		return problemOf(f)
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
	q.Errors = make([]FieldProblem, len(p.Errors))
	for i, e := range p.Errors {
		e.Detail, _ = say(e.detail, english)
		q.Errors[i] = e
	}
	return &q, p.headers(tag)
}

func (p *Problem) headers(language string) http.Header {
	h := http.Header{}
	h.Set("Content-Language", language)
	h.Set("Vary", "Accept-Language")
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
	p, ok := body.(*Problem)
	if !ok {
		return body, nil
	}
	q, headers := p.in(inEnglish(ctx.Header("Accept-Language")))
	for name := range headers {
		ctx.SetHeader(name, headers.Get(name))
	}
	return q, nil
}

// refuse is Fiber's hook for what reached no operation, or broke on the way.
func (s *Server) refuse(c *fiber.Ctx, err error) error {
	q, headers := s.problem(c.UserContext(), err).in(inEnglish(c.Get(fiber.HeaderAcceptLanguage)))
	for name := range headers {
		c.Set(name, headers.Get(name))
	}
	return c.Status(q.Status).JSON(q, problemType)
}
