package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"
)

// gun sends commands of one person. It keeps its connections, and is made to
// cost little beside what it measures.
type gun struct {
	client *fasthttp.HostClient
	bearer string
}

const gunConnections = 512

func newGun(address string, token func(string) (string, error)) (*gun, error) {
	t, err := token("applicant")
	return &gun{&fasthttp.HostClient{Addr: address, MaxConns: gunConnections, ReadTimeout: 20 * time.Second}, "Bearer " + t}, err
}

// submit submits a request, or tells why not.
func (g *gun) submit(code string) error {
	return g.post("/requests/"+code+"/submission", "bench-"+code, `{"office":"`+sampleOffice+`"}`)
}

func (g *gun) post(path, key, body string) error {
	request, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(answer)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.SetRequestURI(path)
	request.Header.SetHost(g.client.Addr)
	request.Header.SetContentType("application/json")
	request.Header.Set("Authorization", g.bearer)
	request.Header.Set("Idempotency-Key", key)
	request.SetBodyString(body)
	return g.do(request, answer)
}

func (g *gun) do(request *fasthttp.Request, answer *fasthttp.Response) error {
	if err := g.client.Do(request, answer); err != nil {
		return err
	}
	if answer.StatusCode() >= 300 {
		return fmt.Errorf("%s: %d %s", request.RequestURI(), answer.StatusCode(), answer.Body())
	}
	return nil
}

// idleRate is what the generator itself can do: the same requests to a handler
// that answers at once.
func (g *gun) idleRate(ctx context.Context, clients int, each time.Duration) (float64, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := &fasthttp.Server{Handler: func(c *fasthttp.RequestCtx) { c.SetStatusCode(fasthttp.StatusAccepted) }}
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Shutdown() }()
	idle := &gun{&fasthttp.HostClient{Addr: l.Addr().String(), MaxConns: gunConnections}, g.bearer}
	defer idle.client.CloseIdleConnections()
	return rateOf(ctx, clients, each, func(context.Context, int) (bool, error) { return true, idle.submit("000000000000") })
}

// open fires at moments of its own for a while, so many times a second on
// average, whatever became of the shots before. It tells in microseconds from
// the moment at which each should have gone off, so that waiting counts too.
func (g *gun) open(ctx context.Context, rate float64, within time.Duration, fire func() error) (*hdrhistogram.Histogram, error) {
	due := make(chan time.Time, int(rate*within.Seconds())*2)
	var mu sync.Mutex
	var failed error
	h := hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
	var all sync.WaitGroup
	for range gunConnections {
		all.Go(func() {
			for at := range due {
				err := fire()
				mu.Lock()
				_ = h.RecordValue(time.Since(at).Microseconds()) // a minute is beyond every time limit
				if failed == nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	dice := rand.New(rand.NewPCG(1, 2))
	began := time.Now()
	for at := began; at.Sub(began) < within && ctx.Err() == nil; {
		at = at.Add(time.Duration(dice.ExpFloat64() / rate * float64(time.Second)))
		pauseUntil(ctx, time.Until(at))
		due <- at
	}
	close(due)
	all.Wait()
	return h, failed
}

// quantile is in milliseconds, by percent, of a histogram in microseconds.
func quantile(h *hdrhistogram.Histogram, percent float64) float64 {
	return float64(h.ValueAtQuantile(percent)) / 1000
}
