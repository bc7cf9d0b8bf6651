package http

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"govahi/adapters/web"
)

// Raw is an answer that is not JSON: a certificate, a CRL, a page.
type Raw struct {
	Status int               // else the operation's
	Type   string            // content type; else the operation's
	Cache  string            // Cache-Control; else no-store
	Header map[string]string // others, such as ETag
	Body   []byte
}

// Page renders an HTML page with the policy that keeps it to itself.
func Page(render func(io.Writer) error) (Raw, error) {
	var body bytes.Buffer
	err := render(&body)
	return Raw{
		Type: pageType, Body: body.Bytes(), Header: map[string]string{fiber.HeaderContentSecurityPolicy: web.Policy},
	}, err
}

const pageType = "text/html; charset=utf-8"

// QueryRaw is Query with an answer that is not JSON.
func QueryRaw[I any](s *Server, op Operation, ask func(context.Context, Identity, *I) (Raw, error)) {
	d := describeRaw(op)
	s.identified(&d)
	declareRaw(s, d, op, func(ctx context.Context, in *I) (Raw, error) { return ask(ctx, identity(ctx), in) })
}

// PublicRaw is Public with an answer that is not JSON.
func PublicRaw[I any](s *Server, op Operation, ask func(context.Context, *I) (Raw, error)) {
	d := describeRaw(op)
	s.counted(&d, op.Limit)
	declareRaw(s, d, op, ask)
}

func describeRaw(op Operation) huma.Operation {
	op.Status = cmp.Or(op.Status, fiber.StatusOK)
	d := describe(op)
	schema := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	d.Responses[strconv.Itoa(op.Status)] = &huma.Response{
		Description: op.Summary, Content: map[string]*huma.MediaType{op.Type: {Schema: schema}},
	}
	return d
}

type rawAnswer struct{ Body func(huma.Context) }

func declareRaw[I any](s *Server, d huma.Operation, op Operation, ask func(context.Context, *I) (Raw, error)) {
	if op.Type == "" {
		panic("http: " + op.ID + " does not say its content type")
	}
	s.positioned(&d)
	declare(s, d, func(ctx context.Context, in *I) (*rawAnswer, error) {
		if err := s.wait(ctx, op.View); err != nil {
			return nil, err
		}
		raw, err := ask(ctx, in)
		return &rawAnswer{func(ctx huma.Context) { raw.write(ctx, d.DefaultStatus, op.Type) }}, err
	})
}

func (r Raw) write(ctx huma.Context, status int, contentType string) {
	for name, value := range r.Header {
		ctx.SetHeader(name, value)
	}
	if r.Cache != "" {
		ctx.SetHeader(fiber.HeaderCacheControl, r.Cache)
	}
	ctx.SetHeader(fiber.HeaderContentType, cmp.Or(r.Type, contentType))
	ctx.SetStatus(cmp.Or(r.Status, status))
	_, _ = ctx.BodyWriter().Write(r.Body) // into the response's buffer: cannot fail
}
