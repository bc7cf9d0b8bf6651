package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

// doors are a reverse proxy before the api processes: callers come by each in
// turn, but for a while not by one where nobody answered.
type doors struct {
	front  string // host:port
	sender http.RoundTripper

	mu    sync.Mutex
	at    []string
	next  int
	avoid map[string]time.Time // until when
}

const (
	commandWithin = 1500 * time.Millisecond // what a command may take at one door
	avoided       = time.Second
)

func openDoors(t *testing.T, front string) *doors {
	t.Helper()
	d := &doors{
		front: front, avoid: map[string]time.Time{},
		sender: &http.Transport{MaxIdleConnsPerHost: atOnce, IdleConnTimeout: 5 * time.Second},
	}
	l, err := net.Listen("tcp", front)
	must(t, err)
	server := &http.Server{Handler: &httputil.ReverseProxy{
		Transport: d,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: front}) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusServiceUnavailable) // whoever is not answered comes again
		},
	}}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return d
}

func (d *doors) add(at string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = append(d.at, at)
}

// RoundTrip tries one door.
func (d *doors) RoundTrip(r *http.Request) (*http.Response, error) {
	at, patience := d.choose(), tryWithin
	if r.Method != http.MethodGet {
		patience = commandWithin
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	r = r.Clone(ctx)
	r.URL.Host = at
	answer, err := d.sender.RoundTrip(r)
	if err == nil {
		err = whole(answer)
	}
	if err != nil || r.Method != http.MethodGet && answer.StatusCode == http.StatusServiceUnavailable {
		d.avoids(at)
	}
	return answer, err
}

// whole reads the answer while there is time for it.
func whole(answer *http.Response) error {
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

func (d *doors) choose() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next++
	for n := range d.at {
		at := d.at[(d.next+n)%len(d.at)]
		if time.Now().After(d.avoid[at]) {
			return at
		}
	}
	return d.at[d.next%len(d.at)]
}

func (d *doors) avoids(at string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.avoid[at] = time.Now().Add(avoided)
}
