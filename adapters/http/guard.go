package http

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// What a request leaves for the access log.
const (
	routeKey     = "govahi-route"     // the template of the operation that took it
	operationKey = "govahi-operation" // its ID
	problemKey   = "govahi-problem"   // the refusal, if it was refused
)

// NoOperation stands for the ID, or the route, of what reached no operation.
const NoOperation = "none"

// logged writes the access log: by the route's template, for paths and queries
// hold tracking codes and user names.
func (s *Server) logged(c *fiber.Ctx) error {
	start, method := time.Now(), c.Method()
	if err := c.Next(); err != nil {
		return err
	}
	s.note(c, method, start)
	return nil
}

// unread answers and logs what no operation could see: a request that cannot be
// read, or of a method that nobody knows.
func (s *Server) unread(c *fiber.Ctx, err error) error {
	start := time.Now()
	if err := s.refuse(c, err); err != nil {
		return err
	}
	s.note(c, "none", start)
	return nil
}

// known keeps methods that Fiber does not know from its own plain answer, and
// ends the connection after a request whose own end is in doubt.
func (s *Server) known(handle fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(request *fasthttp.RequestCtx) {
		if s.atOnce(request) {
			return
		}
		switch {
		case twoLengths(&request.Request.Header):
			request.SetConnectionClose()
			s.turnAway(request, fiber.ErrBadRequest)
		case !slices.Contains(fiber.DefaultMethods, string(request.Method())):
			s.turnAway(request, fiber.ErrMethodNotAllowed)
		default:
			handle(request)
		}
	}
}

func (s *Server) turnAway(request *fasthttp.RequestCtx, refused error) {
	c := s.app.AcquireCtx(request)
	defer s.app.ReleaseCtx(c)
	if err := s.unread(c, refused); err != nil {
		request.SetStatusCode(fiber.StatusInternalServerError)
	}
}

func (s *Server) note(c *fiber.Ctx, method string, start time.Time) {
	route, operation, took := local(c, routeKey), local(c, operationKey), time.Since(start)
	said := []slog.Attr{slog.String("method", method), slog.String("route", route), slog.Int("status", c.Response().StatusCode())}
	if p, refused := c.Locals(problemKey).(*Problem); refused {
		said = append(said, slog.String("code", p.Code))
	}
	s.Log.LogAttrs(c.UserContext(), slog.LevelInfo, "request", append(said, slog.Int64("ms", took.Milliseconds()))...)
	if s.Timed != nil {
		s.Timed(operation, c.Response().StatusCode(), took)
	}
}

// local is what the operation left under a key, if one took the request.
func local(c *fiber.Ctx, key string) string {
	if text, ok := c.Locals(key).(string); ok {
		return text
	}
	return NoOperation
}

// refusing answers errors, and shows a browser a page.
func (s *Server) refusing(c *fiber.Ctx) error {
	if err := c.Next(); err != nil {
		if err := s.refuse(c, err); err != nil {
			return err
		}
	}
	return paged(c)
}

// headed answers HEAD as GET, whose body the server then leaves out (RFC 9110
// §9.3.2).
func headed(c *fiber.Ctx) error {
	if c.Method() == fiber.MethodHead {
		c.Method(fiber.MethodGet)
	}
	return c.Next()
}

// guarded bounds a request's time and turns a panic into our own fault.
func (s *Server) guarded(c *fiber.Ctx) (err error) {
	ctx, cancel := context.WithTimeout(c.UserContext(), doneWithin)
	defer cancel()
	c.SetUserContext(ctx)
	defer caught(&err)
	return c.Next()
}

// caught is deferred, and makes a panic the error.
func caught(err *error) {
	if value := recover(); value != nil {
		*err = panicked(value)
	}
}

// panicked tells where, and of the value only what the runtime itself says:
// anything else may quote what was submitted.
func panicked(value any) error {
	what := fmt.Sprintf("%T", value)
	if broken, ok := value.(runtime.Error); ok {
		what = broken.Error()
	}
	return fmt.Errorf("panic: %s\n%s", what, debug.Stack())
}

// hardened sets the headers that hold for every answer unless it says otherwise.
func hardened(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderContentSecurityPolicy, noContent)
	return c.Next()
}

// noContent keeps what is no page from doing anything.
const noContent = "default-src 'none'; frame-ancestors 'none'"

// knowing refuses parameters that cannot be read, and those of the query that
// were not declared or come twice: a mistyped filter must not look like an answer.
func (s *Server) knowing(ctx huma.Context, next func(huma.Context)) {
	c, f := humafiber.UnwrapV2(ctx), shapeOf(ctx.Context())
	query, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		s.stopAt(ctx, malformed(errQuery))
		return
	}
	if ctx.Operation().Metadata[openQuery] == true {
		query = nil
	}
	wrong := f.wrongParameters(query, c.AllParams())
	if len(wrong) > 0 {
		s.stopAt(ctx, f.humaProblem(fiber.StatusUnprocessableEntity, wrong...))
		return
	}
	next(ctx)
}

func (f shape) wrongParameters(query url.Values, path map[string]string) []error {
	var wrong []error
	blame := func(message, location string) {
		wrong = append(wrong, &huma.ErrorDetail{Message: message, Location: location})
	}
	for name, values := range query {
		switch {
		case f.parameter("query", name) == nil:
			blame(unknownParameter, "query."+name)
		case len(values) > 1:
			blame(repeatedParameter, "query."+name)
		case illegal(values[0]):
			blame(illegalCharacters, "query."+name)
		}
	}
	for name, value := range path {
		if unescaped, err := url.PathUnescape(value); err != nil || illegal(unescaped) {
			blame(illegalCharacters, "path."+name)
		}
	}
	return wrong
}

// illegal finds what no table could hold.
func illegal(value string) bool {
	return !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl)
}

// stopAt answers with a refusal before the operation is reached.
func (s *Server) stopAt(ctx huma.Context, err error) {
	p := s.problem(ctx.Context(), err)
	if err := huma.WriteErr(s.api, ctx, p.Status, p.Code, p); err != nil {
		panic(errors.Join(errInternal, err))
	}
}
