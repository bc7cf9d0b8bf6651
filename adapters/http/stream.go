package http

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Watch declares a question as Query does and, under its path and /stream, the
// answer as it changes (server-sent events, HTML Standard §9.2).
//
// Tell is what is so, asked for once for all who follow the same question. May
// says whether one of them may know it, and asks for it only if that depends on
// it. Without may, the answer is the person's own and shared with nobody.
func Watch[I, O any](s *Server, op Operation, tell func(context.Context, Identity, *I) (O, error), may func(context.Context, Identity, *I, func() (O, error)) error) {
	Query(s, op, func(ctx context.Context, id Identity, in *I) (O, error) {
		told := sync.OnceValues(func() (O, error) { return tell(ctx, id, in) })
		if may != nil {
			if err := may(ctx, id, in, told); err != nil {
				var none O
				return none, err
			}
		}
		return told()
	})
	stream(s, op, func(id Identity, in *I) matter {
		m := matter{key: string(question(op.ID, in)), views: strings.Fields(op.View)}
		if may == nil {
			m.key += " " + string(id.Person)
		} else {
			m.may = func(ctx context.Context, id Identity, told func() (any, error)) error {
				return may(ctx, id, in, func() (O, error) {
					answer, err := told()
					typed, _ := answer.(O)
					return typed, err
				})
			}
		}
		m.tell = func(ctx context.Context) (any, error) { return tell(ctx, id, in) }
		return m
	})
}

// matter is what a stream is about.
type matter struct {
	key   string // equal for all who may share the answer
	views []string
	tell  func(context.Context) (any, error)
	may   func(context.Context, Identity, func() (any, error)) error // nil: whoever it is about
}

// shown refuses who may not know an answer, as the question itself would.
func (m matter) shown(ctx context.Context, id Identity, told func() reply) error {
	if m.may != nil {
		if err := m.may(ctx, id, func() (any, error) { t := told(); return t.answer, t.err }); err != nil {
			return err
		}
	}
	return told().err
}

const streamType = "text/event-stream"

const aboutStreams = "The answer, at once and then whenever it changed, at most about once a second: `event: answer`, with the JSON of %s as `data` " +
	"and the position of the views in `id`. Who comes back with that as Last-Event-ID gets it at once only if it is another by then. " +
	"Rights are looked at again at each sending; `event: end` tells by its problem why the stream ends. Comments come while nothing changes."

// stream declares the answer as it changes.
func stream[I any](s *Server, op Operation, about func(Identity, *I) matter) {
	_, noun, _ := strings.Cut(op.ID, "-")
	op.Text = strings.Replace(aboutStreams, "%s", op.ID, 1)
	op.ID, op.Path, op.Summary, op.Type = "follow-"+noun, op.Path+"/stream", op.Summary+", as it changes", streamType
	d := describeRaw(op)
	s.identified(&d)
	s.positioned(&d)
	s.resumed(&d)
	declare(s, d, func(ctx context.Context, in *I) (*rawAnswer, error) {
		id, last := identity(ctx), seenBefore(ctx)
		err := s.wait(ctx, op.View)
		if err == nil {
			err = s.reach(ctx, op.View, last.at)
		}
		if err != nil {
			return nil, err
		}
		f, err := s.streams.enter(id, about(id, in))
		if err != nil {
			return nil, err
		}
		told := sync.OnceValue(func() reply { return f.topic.now(s.streams, f.about, f.began) })
		if err := f.about.shown(ctx, id, told); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		f.shape, f.seen = shapeOf(ctx), last
		return &rawAnswer{func(ctx huma.Context) { s.begin(ctx, f) }}, nil
	})
}

// seen is an answer that was sent: a place in the log and a digest, both in its id.
type seen struct {
	at     event.Position
	digest string
}

func (a seen) String() string { return a.at.String() + "-" + a.digest }

type seenKey struct{}

func seenBefore(ctx context.Context) seen {
	last, _ := ctx.Value(seenKey{}).(seen)
	return last
}

// resumed lets a stream go on where an earlier one ended.
func (s *Server) resumed(d *huma.Operation) {
	d.Parameters = append(d.Parameters, &huma.Param{
		Name: "Last-Event-ID", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "The id of the latest answer that came: it is not sent again, nor any that is older.",
	})
	d.Middlewares = append(d.Middlewares, s.takeLast)
}

// takeLast ignores what is no id of ours, or of another log.
func (s *Server) takeLast(ctx huma.Context, next func(huma.Context)) {
	at, digest, _ := strings.Cut(ctx.Header("Last-Event-ID"), "-")
	if p, err := event.ParsePosition(at); err == nil && !s.ahead(ctx.Context(), p) {
		ctx = huma.WithValue(ctx, seenKey{}, seen{p, digest})
	}
	next(ctx)
}

// begin hands the connection to the stream, which the server reads as long as
// it lasts. A proxy must pass on each event as it comes.
func (s *Server) begin(ctx huma.Context, f *follower) {
	c := humafiber.UnwrapV2(ctx)
	f.server, f.route = s, ctx.Operation().Path
	f.authorization, f.english = ctx.Header("Authorization"), inEnglish(ctx.Header("Accept-Language"))
	ctx.SetHeader(fiber.HeaderContentType, streamType)
	ctx.SetHeader("X-Accel-Buffering", "no")
	ctx.SetStatus(fiber.StatusOK)
	if c.Context().IsHead() { // the library would write the end of a body that is left out
		_ = f.Close()
		return
	}
	f.take(c.Context().Conn())
	c.Context().SetBodyStream(f, -1)
}

// encoded is a text as the door writes it, in one line.
func encoded(body any) ([]byte, error) {
	var text bytes.Buffer
	err := huma.DefaultJSONFormat.Marshal(&text, body)
	return bytes.TrimSpace(text.Bytes()), err
}

// timeless is an answer that the clock alone makes another.
type timeless interface{ Lasting() any }

// lasting is what of an answer is compared.
func lasting(answer any) ([]byte, error) {
	if t, ok := answer.(timeless); ok {
		answer = t.Lasting()
	}
	return json.Marshal(answer)
}

// temporary tells of trouble that may be over when one asks again.
func temporary(err error) bool {
	f, ok := fault.Of(err)
	return ok && f.Kind == fault.Unavailable || errors.Is(err, context.DeadlineExceeded)
}
