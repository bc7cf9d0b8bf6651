package eventnode

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// User may call a node from outside.
type User struct{ Name, Password string }

// open are the methods by which clients find a node and learn what it can do:
// they call them before they show who they are.
var open = map[string]bool{
	gossip.Gossip_Read_FullMethodName:                                true,
	serverfeatures.ServerFeatures_GetSupportedMethods_FullMethodName: true,
}

var (
	errWrongCredentials = status.Error(codes.Unauthenticated, "the user name or the password is wrong")
	errTooManyGuesses   = status.Error(codes.Unauthenticated, "too many wrong passwords came from this address: wait a moment")
	errAccessDenied     = &refusal{
		code: codes.PermissionDenied, text: "Access Denied",
		exception: []string{"exception", "access-denied"}, detail: &shared.AccessDenied{},
	}
)

// guard knows who may call. Whoever comes by a Unix socket needs no password:
// the mode of its file has let him in. Wrong credentials are refused even where
// none would pass, because their bearer believes that somebody checks them.
type guard struct {
	salt    []byte // of this process: hashes that leak tell nothing of another one
	users   map[string][]byte
	guesses guesses
}

func newGuard(users []User) *guard {
	g := &guard{salt: make([]byte, 32), users: map[string][]byte{}, guesses: guesses{paid: map[string]time.Time{}}}
	_, _ = rand.Read(g.salt) // never fails
	for _, u := range users {
		g.users[u.Name] = g.hash(u.Password)
	}
	return g
}

func (g *guard) hash(password string) []byte {
	h := hmac.New(sha256.New, g.salt)
	h.Write([]byte(password))
	return h.Sum(nil)
}

// knows takes the same time for a name that nobody has.
func (g *guard) knows(name, password string) bool {
	want, known := g.users[name]
	if !known {
		want = make([]byte, sha256.Size)
	}
	return hmac.Equal(g.hash(password), want) && known
}

// admit judges a call by the method and the credentials that came with it.
func (g *guard) admit(ctx context.Context, method string) error {
	caller, _ := peer.FromContext(ctx)
	if caller != nil && caller.Addr.Network() == "unix" {
		return nil
	}
	shown := metadata.ValueFromIncomingContext(ctx, "authorization")
	switch {
	case len(shown) == 0 && (len(g.users) == 0 || open[method]):
		return nil
	case len(shown) == 0:
		return errAccessDenied
	case len(shown) > 1 || caller == nil:
		return errWrongCredentials
	}
	return g.check(caller.Addr, shown[0])
}

// check judges the value of an authorization header (RFC 7617).
func (g *guard) check(from net.Addr, header string) error {
	host, proven := whose(from)
	if !proven && !g.guesses.allowed(host) {
		return errTooManyGuesses
	}
	if name, password, ok := parseBasic(header); !ok || !g.knows(name, password) {
		g.guesses.wrong(host)
		return errWrongCredentials
	}
	prove(from)
	return nil
}

func parseBasic(header string) (name, password string, ok bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	return strings.Cut(string(text), ":")
}

func (g *guard) stream(server any, call grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	err := g.admit(call.Context(), info.FullMethod)
	if err == nil {
		err = next(server, call)
	}
	call.SetTrailer(trailers(err))
	return err
}

func (g *guard) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := g.admit(ctx, info.FullMethod); err != nil {
		_ = grpc.SetTrailer(ctx, trailers(err)) // fails only where there is no call
		return nil, err
	}
	return next(ctx, request)
}

// web refuses wrong credentials on HTTP/1; what it serves needs none.
func (g *guard) web(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if shown := r.Header.Get("Authorization"); shown != "" {
			if err := g.check(calledFrom(r), shown); err != nil {
				w.Header().Set("WWW-Authenticate", `Basic realm="govahi"`)
				http.Error(w, status.Convert(err).Message(), http.StatusUnauthorized)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// A host may guess so often at once, and then once a second. Connections that
// have shown a right password before are not counted.
const (
	guessesAtOnce = 20
	guessers      = 4096 // hosts remembered
)

// guesses remembers, of each host, when it has waited for its wrong passwords.
type guesses struct {
	mu   sync.Mutex
	paid map[string]time.Time
}

func (g *guesses) allowed(host string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Until(g.paid[host]) < guessesAtOnce*time.Second
}

func (g *guesses) wrong(host string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if len(g.paid) >= guessers {
		clear(g.paid) // so many hosts are not slowed down by counting them
	}
	if g.paid[host].Before(now) {
		g.paid[host] = now
	}
	g.paid[host] = g.paid[host].Add(time.Second)
}

// ParseUser reads NAME:PASSWORD. The error does not repeat what it read.
func ParseUser(text string) (User, error) {
	name, password, ok := strings.Cut(text, ":")
	if !ok || name == "" || password == "" {
		return User{}, errors.New("eventnode: a user is NAME:PASSWORD, and neither is empty")
	}
	return User{name, password}, nil
}
