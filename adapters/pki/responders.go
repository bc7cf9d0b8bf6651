package pki

import (
	"context"

	"golang.org/x/crypto/ocsp"
)

// Responders answer for several issuers, at any of their addresses: the CertID in
// the request says for which (RFC 6960 §4.1.1).
type Responders []*Responder

// Answer is the answer of the issuer's own responder.
func (all Responders) Answer(ctx context.Context, request []byte) Answer {
	asked, err := parseRequest(request)
	if err != nil {
		return Answer{Body: ocsp.MalformedRequestErrorResponse}
	}
	for _, r := range all {
		if r.isOurs(asked) {
			return r.Answer(ctx, request)
		}
	}
	return Answer{Body: ocsp.UnauthorizedErrorResponse}
}

// Ready is the answer if it is signed and at hand.
func (all Responders) Ready(request []byte) (Answer, bool) {
	for _, r := range all {
		if a, ok := r.Ready(request); ok {
			return a, true
		}
	}
	return Answer{}, false
}
