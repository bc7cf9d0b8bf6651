package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/crypto/ocsp"

	"govahi/domain/certificate"
	"govahi/domain/event"
)

// ocsp measures answers that are signed and at hand, over HTTP, beside a bare
// Fiber that answers the same bytes; and how long a revocation takes until it is
// seen, in a whole house.
func (r *benchRun) ocsp(ctx context.Context) error {
	h, err := r.home(ctx, "ocsp", roleAPI)
	if err != nil {
		return err
	}
	if err := errors.Join(r.ocspOf(ctx, h), h.leave()); err != nil {
		return err
	}
	return r.revocations(ctx)
}

const (
	ocspCertificates = 50
	ocspClients      = 64
)

func (r *benchRun) ocspOf(ctx context.Context, h *home) error {
	issuer, end := h.authorities[0].Issuer(), now().AddDate(1, 0, 0)
	if err := h.tellAll(ctx, ocspCertificates, func(k int) []event.Event { return issuedTo(k, issuer, end) }); err != nil {
		return err
	}
	q, err := h.questions(ocspCertificates)
	if err != nil {
		return err
	}
	r.step("signing answers beforehand")
	if err := q.await(ctx, h); err != nil {
		return err
	}
	bare, closeBare, err := q.bare(h)
	if err != nil {
		return err
	}
	defer closeBare()
	r.step("OCSP from cache")
	rate := func(address string) func() (float64, error) {
		client := &fasthttp.HostClient{Addr: address, MaxConns: gunConnections, ReadTimeout: 20 * time.Second}
		return func() (float64, error) {
			return rateOf(ctx, ocspClients, r.each, func(context.Context, int) (bool, error) { return true, q.ask(client) })
		}
	}
	p, err := r.inTurn(8, r.profiled("ocsp", rate(h.instance.listen)), rate(bare))
	if err == nil {
		r.report.add(p.figure("ocsp", fmt.Sprintf("OCSP from cache, %d clients", ocspClients), "/s").atLeast(0.5).noted(
			"GET; the ceiling is a Fiber that answers the same bytes; the clients are in the same process"))
	}
	return err
}

// issuedTo is a certificate that nobody holds.
func issuedTo(k int, issuer string, end time.Time) []event.Event {
	serial := serialOf(k)
	return []event.Event{
		certificate.IssuanceIntended{Serial: serial, Profile: "cpmis-signature@1", Issuer: issuer, NotBefore: now(), NotAfter: end, TBSHash: "bench", At: now()},
		certificate.SigningStarted{Signer: "bench", At: now()},
		certificate.Issued{Serial: serial, Profile: "cpmis-signature@1", Fingerprint: serial, NotBefore: now(), NotAfter: end, Signer: "bench", At: now()},
	}
}

// questions are asked in turn.
type questions struct {
	der  [][]byte
	path []string
	next atomic.Int64
}

func (h *home) questions(count int) (*questions, error) {
	q := &questions{}
	for k := range count {
		der, err := h.question(serialOf(k))
		if err != nil {
			return nil, err
		}
		q.der = append(q.der, der)
		q.path = append(q.path, "/pki/ocsp/"+url.PathEscape(base64.StdEncoding.EncodeToString(der)))
	}
	return q, nil
}

// question asks about a serial of this house's issuer.
func (h *home) question(serial string) ([]byte, error) {
	ca := h.authorities[0].Certificate()
	der, err := ocsp.CreateRequest(ca, ca, nil)
	if err != nil {
		return nil, err
	}
	request, err := ocsp.ParseRequest(der)
	if err != nil {
		return nil, err
	}
	n, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		return nil, errors.New("no serial: " + serial)
	}
	request.SerialNumber = n
	return request.Marshal()
}

// await waits until all answers are at hand, and are what they should be.
func (q *questions) await(ctx context.Context, h *home) error {
	for _, der := range q.der {
		for {
			if a, ok := h.responders.Ready(der); ok {
				if s, err := ocsp.ParseResponse(a.Body, h.authorities[0].Certificate()); err != nil || s.Status != ocsp.Good {
					return fmt.Errorf("an answer is wrong: %w", err)
				}
				break
			}
			if pauseUntil(ctx, 10*time.Millisecond); ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

func (q *questions) ask(client *fasthttp.HostClient) error {
	request, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(answer)
	request.Header.SetHost(client.Addr)
	request.SetRequestURI(q.path[int(q.next.Add(1))%len(q.path)])
	if err := client.Do(request, answer); err != nil {
		return err
	}
	if answer.StatusCode() != fiber.StatusOK || len(answer.Body()) < 200 {
		return fmt.Errorf("OCSP: %d %x", answer.StatusCode(), answer.Body())
	}
	return nil
}

// bare is a Fiber that answers one of the answers to everything.
func (q *questions) bare(h *home) (address string, done func(), err error) {
	a, _ := h.responders.Ready(q.der[0])
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/pki/ocsp/*", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, "application/ocsp-response")
		return c.Send(a.Body)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	go func() { _ = app.Listener(l) }()
	return l.Addr().String(), func() { _ = app.Shutdown() }, nil
}

const revocationsRate = 100

// revocations are asked for over HTTP, and their serials' status until it is
// revoked, while relay, views, policies and lists are at work.
func (r *benchRun) revocations(ctx context.Context) error {
	i, err := r.instance(ctx, "revocations")
	if err != nil {
		return err
	}
	defer func() { _ = i.stop() }()
	s, done, err := i.story(ctx, "revocations", "")
	if err != nil {
		return err
	}
	defer done()
	token, err := s.client.token("ca-operator")
	if err != nil {
		return err
	}
	d := data{dir: i.dir}
	h := &home{house: &house{data: d}, instance: i}
	if h.authorities, err = openAuthorities(d.path("ca"), "http://"+i.listen, ""); err != nil {
		return err
	}
	stock := int(revocationsRate * r.within.Seconds() * 2)
	issuer, end := h.authorities[0].Issuer(), now().AddDate(1, 0, 0)
	if err := h.tellAll(ctx, stock, func(k int) []event.Event { return issuedTo(k, issuer, end) }); err != nil {
		return err
	}
	if err := i.quiet(ctx); err != nil {
		return err
	}
	r.step(fmt.Sprintf("%d revocations a second, open loop", revocationsRate))
	g := &gun{&fasthttp.HostClient{Addr: i.listen, MaxConns: 2 * gunConnections, ReadTimeout: 20 * time.Second}, "Bearer " + token}
	var next atomic.Int64
	seen, err := g.open(ctx, revocationsRate, r.within, func() error {
		k := int(next.Add(1)) - 1
		if k >= stock {
			return errUsedUp
		}
		return h.revokeAndSee(ctx, g, serialOf(k))
	})
	if err != nil {
		return err
	}
	r.report.add(figure{
		Row: "ocsp", What: fmt.Sprintf("revocation → OCSP, p99 at %d/s", revocationsRate), Unit: "ms", Ours: quantile(seen, 99),
		Note: fmt.Sprintf("%d revocations, each asked for over HTTP until OCSP says so: p50 %.1f ms, the longest %.1f ms", seen.TotalCount(), quantile(seen, 50), quantile(seen, 100)),
	}.atMost(1000))
	return nil
}

func (h *home) revokeAndSee(ctx context.Context, g *gun, serial string) error {
	if err := g.post("/certificates/"+serial+"/revocation", "bench-"+serial, `{"reason":"keyCompromise"}`); err != nil {
		return err
	}
	der, err := h.question(serial)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		body, err := g.status(der)
		if err != nil {
			return err
		}
		if s, err := ocsp.ParseResponse(body, h.authorities[0].Certificate()); err == nil && s.Status == ocsp.Revoked {
			return nil
		}
		pauseUntil(ctx, 10*time.Millisecond)
	}
	return ctx.Err()
}

// status asks by POST, which nobody on the way keeps.
func (g *gun) status(der []byte) ([]byte, error) {
	request, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(answer)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.SetRequestURI("/pki/ocsp")
	request.Header.SetHost(g.client.Addr)
	request.Header.SetContentType("application/ocsp-request")
	request.SetBody(der)
	if err := g.do(request, answer); err != nil {
		return nil, err
	}
	return append([]byte(nil), answer.Body()...), nil
}
