package http

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"govahi/commands"
	"govahi/domain/event"
	"govahi/domain/fault"
)

// Verifier checks a bearer token and returns the national or foreigner's code
// that it attests, or a fault. Nothing else of the token is believed.
type Verifier interface {
	Verify(ctx context.Context, token string) (code string, err error)
}

// People gives whoever has a code his pseudonym.
type People interface {
	Person(ctx context.Context, code string) (event.Subject, error)
}

// Identity is who asks. What he may do follows from his appointments.
type Identity struct{ Person event.Subject }

// The refusals.
var (
	errNoToken = fault.New(fault.Unauthenticated, "token-missing",
		"نخست وارد شوید: توکن ورود در سرآیند Authorization نیست.",
		"Sign in first: the Authorization header carries no bearer token.")
	errNoKey = fault.New(fault.Invalid, "idempotency-key-missing",
		"هر دستور سرآیند Idempotency-Key می\u200cخواهد: ۱ تا ۱۲۸ نویسهٔ ASCII بدون فاصله که همین درخواست را بشناساند.",
		"A command needs the header Idempotency-Key: 1 to 128 visible ASCII characters that name this very request.").
		At("Idempotency-Key")
)

const bearerScheme = "bearer"

// identified lets in only callers with a good token.
func (s *Server) identified(d *huma.Operation) {
	d.Security = []map[string][]string{{bearerScheme: {}}}
	d.Middlewares = append(d.Middlewares, s.identify)
}

type callerKey struct{}

func (s *Server) identify(ctx huma.Context, next func(huma.Context)) {
	person, err := s.person(ctx.Context(), ctx.Header("Authorization"))
	if err != nil {
		s.stopAt(ctx, err)
		return
	}
	next(huma.WithValue(ctx, callerKey{}, commands.Caller{Person: person}))
}

// person asks the vault each time: after an erasure the same code is another
// person, and a remembered pseudonym would bring the erased one back.
func (s *Server) person(ctx context.Context, authorization string) (event.Subject, error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, bearerScheme) || token == "" {
		return "", errNoToken
	}
	code, err := s.Verifier.Verify(ctx, token)
	if err != nil {
		return "", err
	}
	return s.People.Person(ctx, code)
}

// keyed lets in only commands that can be told from one another.
func (s *Server) keyed(d *huma.Operation) {
	low, high := 1, maxKey
	d.Parameters = append(d.Parameters, &huma.Param{
		Name: "Idempotency-Key", In: "header", Required: true,
		Description: "Names this very request: the same key from the same person is answered as the first time.",
		Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &low, MaxLength: &high, Pattern: "^[!-~]+$"},
	})
	d.Middlewares = append(d.Middlewares, s.takeKey)
}

// maxKey is in bytes.
const maxKey = 128

func (s *Server) takeKey(ctx huma.Context, next func(huma.Context)) {
	key := ctx.Header("Idempotency-Key")
	if key == "" || len(key) > maxKey || strings.ContainsFunc(key, invisible) {
		s.stopAt(ctx, withStatus(errNoKey, 400))
		return
	}
	c := caller(ctx.Context())
	c.Key = key
	next(huma.WithValue(ctx, callerKey{}, c))
}

func invisible(r rune) bool { return r < '!' || r > '~' }

func caller(ctx context.Context) commands.Caller {
	return ctx.Value(callerKey{}).(commands.Caller) // identify was declared with the operation
}

func identity(ctx context.Context) Identity { return Identity{caller(ctx).Person} }
