package http

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
)

// routeKey holds the template of the operation that took the request.
const routeKey = "govahi-route"

// marked notes the operation for the access log.
func marked(ctx huma.Context, next func(huma.Context)) {
	humafiber.UnwrapV2(ctx).Locals(routeKey, ctx.Operation().Path)
	next(ctx)
}

// logged writes the access log: by the route's template, for paths and queries
// hold tracking codes and user names.
func (s *Server) logged(c *fiber.Ctx) error {
	start := time.Now()
	if err := c.Next(); err != nil {
		if err := s.refuse(c, err); err != nil {
			return err
		}
	}
	route, ok := c.Locals(routeKey).(string)
	if !ok {
		route = "none"
	}
	s.Log.LogAttrs(c.UserContext(), slog.LevelInfo, "request", slog.String("method", c.Method()),
		slog.String("route", route), slog.Int("status", c.Response().StatusCode()),
		slog.Int64("ms", time.Since(start).Milliseconds()))
	return nil
}

// guarded bounds a request's time and turns a panic into our own fault.
func (s *Server) guarded(c *fiber.Ctx) (err error) {
	ctx, cancel := context.WithTimeout(c.UserContext(), doneWithin)
	defer cancel()
	c.SetUserContext(ctx)
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	return c.Next()
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
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	return c.Next()
}

// uncompressed refuses coded bodies: the limit on a body is checked before it
// would be unpacked, and a mebibyte can unpack to a thousand.
func uncompressed(c *fiber.Ctx) error {
	if c.Get(fiber.HeaderContentEncoding) != "" {
		return fiber.ErrUnsupportedMediaType
	}
	return c.Next()
}

// knowing refuses query parameters that were not declared: a mistyped filter
// must not look like an answer.
func (s *Server) knowing(ctx huma.Context, next func(huma.Context)) {
	known := map[string]bool{}
	for _, p := range ctx.Operation().Parameters {
		known[p.Name] = p.In == "query" || known[p.Name]
	}
	var unknown []error
	url := ctx.URL()
	for name := range url.Query() {
		if !known[name] {
			unknown = append(unknown, &huma.ErrorDetail{Message: "unknown query parameter", Location: "query." + name})
		}
	}
	if len(unknown) > 0 {
		s.stopAt(ctx, humaProblem(fiber.StatusUnprocessableEntity, "", unknown...))
		return
	}
	next(ctx)
}

// stopAt answers with a refusal before the operation is reached.
func (s *Server) stopAt(ctx huma.Context, err error) {
	p := s.problem(ctx.Context(), err)
	if err := huma.WriteErr(s.api, ctx, p.Status, p.Code, p); err != nil {
		panic(errors.Join(errInternal, err))
	}
}
