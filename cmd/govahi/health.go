package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/metrics"
	"strings"
	"sync"
	"time"

	"govahi/adapters/http"
	"govahi/adapters/sso"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/projection"
	"govahi/projections"
)

// askWithin is what a part may take to say how it does; health answers within
// three seconds, whatever hangs.
const askWithin = 2 * time.Second

// Parts says how each part of the house does. All are asked abreast, so that
// one that hangs costs no other its time.
func (h *house) Parts(ctx context.Context) []http.Part {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var head event.Position
	all := []struct {
		here bool
		ask  func() []http.Part
	}{
		{true, func() []http.Part { var p http.Part; head, p = h.askLog(ctx); return []http.Part{p} }},
		{h.opens(), func() []http.Part { _, err := h.signer.Info(ctx); return []http.Part{part("signer", err)} }},
		{h.opens(), func() []http.Part { return []http.Part{part("postgres", h.views.Ping(ctx))} }},
		{h.opens(), func() []http.Part { return []http.Part{part("vault", h.vaultDB.Ping(ctx))} }},
		{h.feeds(), func() []http.Part { return []http.Part{part("bus", h.bus.Check(ctx))} }},
		{h.has(roleRelay), func() []http.Part { return []http.Part{h.relayPart()} }},
		{h.has(rolePolicy), h.outsideParts},
		{h.callsBanks(), func() []http.Part { return h.bankParts(ctx) }},
		{h.has(rolePolicy), func() []http.Part { return []http.Part{h.auditPart()} }},
		{h.hasDaily(), func() []http.Part { return []http.Part{h.dailyPart(ctx)} }},
		{h.has(rolePolicy, roleIssuer), h.policyParts},
		{h.has(roleProjector), func() []http.Part { return h.projectionParts(ctx) }},
		{true, func() []http.Part { return []http.Part{processPart()} }},
	}
	var asks []func() []http.Part
	for _, p := range all {
		if p.here {
			asks = append(asks, p.ask)
		}
	}
	parts := abreast(asks)
	for _, p := range parts {
		if p.Lag != nil {
			p.Lag.Head = head
		}
	}
	return parts
}

// abreast asks all at once and keeps their order.
func abreast(asks []func() []http.Part) (parts []http.Part) {
	answers := make([][]http.Part, len(asks))
	var all sync.WaitGroup
	for i, ask := range asks {
		all.Go(func() { answers[i] = ask() })
	}
	all.Wait()
	for _, a := range answers {
		parts = append(parts, a...)
	}
	return parts
}

func (h *house) askLog(ctx context.Context) (event.Position, http.Part) {
	head, err := h.log.Head(ctx)
	if err == nil && h.node != nil {
		err = cmp.Or(h.node.Corrupt(), h.node.Full())
	}
	return head, part("log", err)
}

func (h *house) relayPart() http.Part {
	at, err := h.relay.Status()
	p := part("relay", err)
	p.Lag = &http.Lag{At: at}
	return p
}

// outsideParts are servers that are not ours. What needs them waits for them;
// the house serves on.
func (h *house) outsideParts() []http.Part {
	parts := []http.Part{outsidePart("civil-registry", &h.registryHeard), outsidePart("mail-server", &h.mailHeard)}
	defer func() { parts[1].Detail = h.withBounces(parts[1].Detail) }()
	if h.Mode != sso.Development {
		for i, p := range parts {
			parts[i] = http.Part{Name: p.Name, State: http.Ready, Detail: "not connected: what needs it waits", Outside: true}
		}
	}
	return parts
}

// withBounces adds how many reports wait for a person's look.
func (h *house) withBounces(detail string) string {
	if h.bounces == nil {
		return detail
	}
	n, err := h.bounces.Aside()
	switch {
	case err != nil:
		n, detail = 0, strings.TrimPrefix(detail+"; the directory of bounces cannot be read", "; ")
	case n > 0:
		detail = strings.TrimPrefix(detail+fmt.Sprintf("; reports of bounces set aside: %d", n), "; ")
	}
	return detail
}

func outsidePart(name string, heard *outcome) http.Part {
	p := http.Part{Name: name, State: http.Ready, Outside: true}
	if _, err := heard.last(); err != nil {
		p.State, p.Detail = http.Failed, "its last call failed: what needs it waits"
	}
	return p
}

// listsWithin is how long after the last good look a revocation list may be in
// trouble that nobody noticed.
const listsWithin = 5 * time.Minute

// dailyPart tells whether lists are issued in time: each is looked at every
// minute and issued a day before the last one ends. A house that begins anew has
// the present ones to hand out while it reads through its log.
func (h *house) dailyPart(ctx context.Context) http.Part {
	good, err := h.daily.last()
	p := part("crl", err)
	switch {
	case err != nil && p.Detail == silent:
		p.Detail = "a list or the responder's certificate is due and cannot be issued"
	case err == nil && good.IsZero() && !h.hasLists(ctx):
		p.State = http.Starting
	case err == nil && !good.IsZero() && time.Since(good) > listsWithin:
		p.State, p.Detail = http.Failed, "the daily work hangs"
	}
	return p
}

// hasLists tells whether a present list of each issuer lies at hand.
func (h *house) hasLists(ctx context.Context) bool {
	for _, of := range h.authorities {
		if list, err := h.queries.List(ctx, of.Issuer()); err != nil || !now().Before(list.NextUpdate) {
			return false
		}
	}
	return len(h.authorities) > 0
}

// parkedDetail says how many streams wait behind an event that fails.
const parkedDetail = "streams parked behind an event that fails: %d"

func (h *house) policyParts() (parts []http.Part) {
	for _, r := range h.policies {
		at, err := r.Status()
		p := part(projection.NameOf(r.Name), err)
		p.Lag = &http.Lag{At: at}
		if n := r.Parked(); n > 0 && p.Detail == "" {
			p.Detail = fmt.Sprintf(parkedDetail, n)
		}
		if at == 0 && err == nil {
			p.State = http.Starting
		}
		parts = append(parts, p)
	}
	return parts
}

func (h *house) projectionParts(ctx context.Context) (parts []http.Part) {
	list, _ := h.runner.Status(ctx) // its error is the log's, which speaks for itself
	for _, s := range list {
		p := http.Part{Name: "projection:" + s.Name, State: http.Starting, Detail: s.Trouble, Lag: &http.Lag{At: s.Position}}
		if s.Parked > 0 {
			p.Detail = fmt.Sprintf(parkedDetail, s.Parked)
		}
		switch s.State {
		case projections.Following:
			p.State = http.Ready
		case projections.Waiting:
			p.State = http.Failed
		}
		parts = append(parts, p)
	}
	return parts
}

// processPart shows what this process holds, by which a leak is seen. The heap
// is what lived at the last collection.
func processPart() http.Part {
	held := []metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(held)
	return http.Part{
		Name: "process", State: http.Ready,
		Detail: fmt.Sprintf("goroutines %d, heap %d MiB", held[0].Value.Uint64(), held[1].Value.Uint64()>>20),
	}
}

// silent is said of a part that fails without a code.
const silent = "does not answer"

func part(name string, err error) http.Part {
	if err == nil {
		return http.Part{Name: name, State: http.Ready}
	}
	p := http.Part{Name: name, State: http.Failed, Detail: silent}
	if f, ok := fault.Of(err); ok && !errors.Is(err, context.DeadlineExceeded) {
		p.Detail = f.Code
	}
	return p
}

// outcome remembers how the last call of something went.
type outcome struct {
	mu   sync.Mutex
	err  error
	good time.Time // of the last success
}

func (o *outcome) note(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err = err; err == nil {
		o.good = time.Now()
	}
}

// last is when the last success was, zero if never, and the last call's error.
func (o *outcome) last() (good time.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.good, o.err
}
