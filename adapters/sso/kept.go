package sso

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"time"
)

// keysKeptFor is how long the issuer is not asked again. The library asks for
// every token that no known key has signed, so that whoever forges tokens could
// have us flood the issuer.
const keysKeptFor = 10 * time.Second

// maxKeys bounds the issuer's document.
const maxKeys = 1 << 20

// keptAnswer asks once and gives the same answer for a while. Failures are not
// kept.
type keptAnswer struct {
	clock func() time.Time
	mu    sync.Mutex
	head  http.Response
	body  []byte
	asked time.Time // last, with success
}

// RoundTrip is http.RoundTripper's. It serves one address.
func (k *keptAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock()
	if since := now.Sub(k.asked); since >= 0 && since < keysKeptFor { // a clock may be put back
		return k.answer(), nil
	}
	fresh, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(fresh.Body, maxKeys))
	_ = fresh.Body.Close()
	if err != nil {
		return nil, err
	}
	k.head, k.body = *fresh, body
	if fresh.StatusCode == http.StatusOK {
		k.asked = now
	}
	return k.answer(), nil
}

func (k *keptAnswer) answer() *http.Response {
	again := k.head
	again.Body = io.NopCloser(bytes.NewReader(k.body))
	return &again
}
