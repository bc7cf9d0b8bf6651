package http

import (
	"context"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
)

// shape is the form of an operation's requests, as the OpenAPI document has it.
// The zero shape is that of what reached no operation.
type shape struct {
	op      *huma.Operation
	schemas huma.Registry
}

type shapeKey struct{}

// shapeOf is the form of the operation that is being answered.
func shapeOf(ctx context.Context) shape {
	f, _ := ctx.Value(shapeKey{}).(shape)
	return f
}

// marked notes the operation for the access log and for refusals.
func (s *Server) marked(ctx huma.Context, next func(huma.Context)) {
	c := humafiber.UnwrapV2(ctx)
	c.Locals(routeKey, ctx.Operation().Path)
	c.Locals(operationKey, ctx.Operation().OperationID)
	next(huma.WithValue(ctx, shapeKey{}, shape{ctx.Operation(), s.api.OpenAPI().Components.Schemas}))
}

const jsonType = "application/json"

// body is the schema of the JSON body, nil if the operation takes none.
func (f shape) body() *huma.Schema {
	if f.op == nil || f.op.RequestBody == nil || f.op.RequestBody.Content[jsonType] == nil {
		return nil
	}
	return f.resolved(f.op.RequestBody.Content[jsonType].Schema)
}

func (f shape) resolved(s *huma.Schema) *huma.Schema {
	for s != nil && s.Ref != "" {
		s = f.schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// inside is the schema of a member or an element, nil if there can be none.
func (f shape) inside(s *huma.Schema, part string) *huma.Schema {
	switch {
	case s == nil:
		return nil
	case s.Type == huma.TypeArray:
		return f.resolved(s.Items)
	}
	return f.resolved(s.Properties[part])
}

// parameter is a parameter as it was declared, nil if it was not.
func (f shape) parameter(in, name string) *huma.Param {
	if f.op == nil {
		return nil
	}
	for _, p := range f.op.Parameters {
		if p.In == in && p.Name == name {
			return p
		}
	}
	return nil
}

// place is where in a request something is wrong. Names that were not declared
// are the caller's invention, a submitted text like any other: a star stands
// for them.
type place struct {
	in     string // body, query, path or header
	names  []string
	known  []string     // the names that could have stood last, if that is none of them
	schema *huma.Schema // of what stands there, nil if nothing can
}

const invented = "*"

func (f shape) place(in string, parts []string) place {
	if in == "body" {
		return f.inBody(parts)
	}
	p := place{in: in, names: []string{invented}}
	if declared := f.parameter(in, strings.Join(parts, ".")); declared != nil {
		p.names[0], p.schema = declared.Name, declared.Schema
	} else if f.op != nil {
		p.known = namesOf(in, f.op.Parameters)
	}
	return p
}

func (f shape) inBody(parts []string) place {
	p := place{in: "body", schema: f.body()}
	for _, part := range parts {
		parent := p.schema
		if p.schema = f.inside(parent, part); p.schema == nil {
			part, p.known = invented, propertiesOf(parent)
		}
		p.names = append(p.names, part)
	}
	return p
}

func namesOf(in string, parameters []*huma.Param) []string {
	var names []string
	for _, p := range parameters {
		if p.In == in {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

func propertiesOf(s *huma.Schema) []string {
	if s == nil {
		return nil
	}
	var names []string
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// field is the place with dots between its parts.
func (p place) field() string { return strings.Join(p.names, ".") }

// pointer is the place as a JSON Pointer (RFC 6901), empty outside the body and
// for the body as a whole.
func (p place) pointer() string {
	if p.in != "body" || len(p.names) == 0 {
		return ""
	}
	return "/" + strings.Join(p.names, "/")
}
