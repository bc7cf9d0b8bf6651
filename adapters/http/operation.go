package http

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"govahi/commands"
	"govahi/domain/event"
)

// Operation says what is asked for and where. Who may ask follows from the
// function that declares it.
type Operation struct {
	ID      string // of the OpenAPI operation: verb-noun
	Method  string
	Path    string // with {parameters}; a last * takes the rest, slashes included
	Tag     string // groups operations on the documentation page
	Summary string
	Text    string // more, in Markdown; may be empty
	Status  int    // of success; else 200, and 202 for a command
	View    string // the projections that a Query answers from, for ?after=; spaces between
	Type    string // content type of a raw answer
	Hidden  bool   // left out of the OpenAPI document
	Open    bool   // its query is somebody else's, and may hold anything
	Limit   Limit
}

// Limit is what of an operation is counted by the caller's network.
type Limit int

// The limits.
const (
	Unlimited Limit = iota
	Guesses         // wrong codes
	Lookups         // what found nothing
	Letters         // messages that it causes
	Reports         // of false information, by who did not sign in
)

// Nothing is the answer to a command that needs no more than its position.
type Nothing struct{}

// Command declares a command: the caller is known by a bearer token and names
// the question by an Idempotency-Key; the answer carries Govahi-Position.
func Command[I, O any](s *Server, op Operation, do func(context.Context, commands.Caller, *I) (commands.Receipt, O, error)) {
	if op.Status == 0 {
		op.Status = fiber.StatusAccepted
	}
	d := describe(op)
	s.identified(&d)
	s.keyed(&d)
	s.counted(&d, op.Limit)
	declare(s, d, func(ctx context.Context, in *I) (*written[O], error) {
		c := caller(ctx)
		c.Question = question(op.ID, in)
		receipt, body, err := do(ctx, c, in)
		return &written[O]{Position: receipt.Position, Body: body}, err
	})
}

// question is what a key names: the operation and its input as it was
// understood, so that the order of a body's fields does not matter.
func question(operation string, in any) []byte {
	input, err := json.Marshal(in)
	if err != nil {
		panic("http: the input of " + operation + ": " + err.Error())
	}
	return append([]byte(operation+" "), input...)
}

type written[O any] struct {
	Position event.Position `header:"Govahi-Position" doc:"Where the facts stand in the log; hand it to ?after= to read your own write."`
	Body     O
}

// Query declares a question that a known person may ask.
func Query[I, O any](s *Server, op Operation, ask func(context.Context, Identity, *I) (O, error)) {
	d := describe(op)
	s.identified(&d)
	s.positioned(&d)
	declare(s, d, func(ctx context.Context, in *I) (*read[O], error) {
		if err := s.wait(ctx, op.View); err != nil {
			return nil, err
		}
		body, err := ask(ctx, identity(ctx), in)
		return &read[O]{body}, err
	})
}

// Public declares a question that anybody may ask, without a token.
func Public[I, O any](s *Server, op Operation, ask func(context.Context, *I) (O, error)) {
	d := describe(op)
	s.positioned(&d)
	s.counted(&d, op.Limit)
	declare(s, d, func(ctx context.Context, in *I) (*read[O], error) {
		if err := s.wait(ctx, op.View); err != nil {
			return nil, err
		}
		body, err := ask(ctx, in)
		return &read[O]{body}, err
	})
}

type read[O any] struct{ Body O }

// counted declares an operation's limit.
func (s *Server) counted(d *huma.Operation, l Limit) {
	switch l {
	case Guesses:
		d.Middlewares = append(d.Middlewares, s.limited(s.Limits.Guesses, right))
	case Lookups:
		d.Middlewares = append(d.Middlewares, s.limited(s.Limits.Lookups, right))
	case Letters:
		d.Middlewares = append(d.Middlewares, s.limited(s.Limits.Letters, refused))
	case Reports:
		d.Middlewares = append(d.Middlewares, s.limited(s.Limits.Reports, refused))
	}
}

// openQuery marks an operation whose query may hold anything.
const openQuery = "govahi-open-query"

// describe is the OpenAPI side of an operation.
func describe(op Operation) huma.Operation {
	return huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: op.Path, Tags: []string{op.Tag}, Summary: op.Summary,
		Description: op.Text, DefaultStatus: op.Status, Hidden: op.Hidden, Responses: map[string]*huma.Response{},
		Metadata:     map[string]any{openQuery: op.Open},
		MaxBodyBytes: bodyLimit + 1, // huma refuses from there on, Fiber above bodyLimit
	}
}

// declare registers the handler with its refusals, and marks the route.
func declare[I, O any](s *Server, d huma.Operation, handle func(context.Context, *I) (*O, error)) {
	s.declared[d.Method+" "+fiberPath(d.Path)] = true
	d.Middlewares = slices.Concat(huma.Middlewares{s.marked}, d.Middlewares, huma.Middlewares{s.knowing, s.formed})
	huma.Register(s.api, d, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
}

var fiberPath = strings.NewReplacer("{", ":", "}", "").Replace
