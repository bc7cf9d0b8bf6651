package http

import "context"

// DevIssuer is the development issuer's public side.
type DevIssuer interface {
	Discovery() []byte // OpenID Connect Discovery 1.0 §3
	KeySet() []byte    // RFC 7517 §5
}

func (s *Server) declareDevIssuer() {
	s.declareDocument("get-dev-discovery", "/dev/oidc/.well-known/openid-configuration", s.DevIssuer.Discovery)
	s.declareDocument("get-dev-keys", "/dev/oidc/jwks", s.DevIssuer.KeySet)
}

func (s *Server) declareDocument(id, path string, document func() []byte) {
	op := Operation{ID: id, Method: "GET", Path: path, Type: "application/json", Hidden: true}
	PublicRaw(s, op, func(context.Context, *struct{}) (Raw, error) { return Raw{Body: document()}, nil })
}
