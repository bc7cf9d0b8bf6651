package main

import (
	"context"
	"fmt"
	"time"

	"govahi/adapters/http"
	"govahi/adapters/sso"
	"govahi/domain/fault"
	"govahi/projections"
)

// Parts says how each part of the house does.
func (h *house) Parts(ctx context.Context) []http.Part {
	limit, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	head, logErr := h.log.Head(limit)
	if logErr == nil {
		logErr = h.node.Full()
	}
	_, signerErr := h.signer.Info(limit)
	parts := []http.Part{
		part("log", logErr), part("signer", signerErr),
		part("postgres", h.views.Ping(limit)), part("vault", h.vaultDB.Ping(limit)),
		{Name: "relay", State: http.Ready, Lag: &http.Lag{At: h.relay.Position(), Head: head}},
	}
	if h.Mode != sso.Development {
		for _, name := range []string{"civil-registry", "mail-server"} {
			parts = append(parts, http.Part{Name: name, State: http.Ready, Detail: "not connected: what needs it waits"})
		}
	}
	for _, r := range h.policies {
		at, err := r.Status()
		p := part("policy:"+r.Name, err)
		p.Lag = &http.Lag{At: at, Head: head}
		if at == 0 && err == nil {
			p.State = http.Starting
		}
		parts = append(parts, p)
	}
	return append(parts, h.projectionParts(limit)...)
}

func (h *house) projectionParts(ctx context.Context) []http.Part {
	list, err := h.runner.Status(ctx)
	if err != nil {
		return []http.Part{part("projections", err)}
	}
	var parts []http.Part
	for _, s := range list {
		p := http.Part{
			Name: "projection:" + s.Name, State: http.Starting, Detail: s.Trouble,
			Lag: &http.Lag{At: s.Position, Head: s.Head},
		}
		if s.Parked > 0 {
			p.Detail = fmt.Sprintf("%d streams are parked: events that fail", s.Parked)
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

func part(name string, err error) http.Part {
	if err == nil {
		return http.Part{Name: name, State: http.Ready}
	}
	p := http.Part{Name: name, State: http.Failed, Detail: "does not answer"}
	if f, ok := fault.Of(err); ok {
		p.Detail = f.Code
	}
	return p
}
