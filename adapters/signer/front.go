package signer

import (
	"net/http"
	"sync/atomic"
)

// Front stands on the socket while there is no Server, and says why. Its zero
// value has no token yet.
type Front struct {
	now atomic.Pointer[http.HandlerFunc]
}

// Refuse answers everything with this fault; nothing is asked of the token.
func (f *Front) Refuse(why error) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { refuse(w, untried(why)) })
	f.now.Store(&h)
}

// Use lets the server answer from now on.
func (f *Front) Use(s *Server) {
	h := http.HandlerFunc(s.ServeHTTP)
	f.now.Store(&h)
}

// ServeHTTP answers a Client.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if now := f.now.Load(); now != nil {
		(*now)(w, r)
		return
	}
	refuse(w, untried(ErrToken))
}
