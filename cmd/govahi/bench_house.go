package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"govahi/adapters/sso"
	"govahi/domain/event"
)

// instance starts a whole house as a process of its own; see `govahi up`.
func (r *benchRun) instance(ctx context.Context, name string) (*instance, error) {
	var said io.Writer = io.Discard
	if r.Profile != "" { // it tells how long each part took
		f, err := os.Create(filepath.Join(r.Profile, name+".txt"))
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		said = f
	}
	return startInstance(ctx, filepath.Join(r.dir, name), said, "GOVAHI_LIMITS=off", profileHook+"="+r.dir)
}

// home is a house in this process with some of its roles only: what the others
// would do meanwhile is measured elsewhere.
type home struct {
	*house
	*instance // the same, for whoever speaks to it over HTTP
	leave     func() error
}

func (r *benchRun) home(ctx context.Context, name string, roles ...string) (*home, error) {
	h, err := r.empty(name, roles...)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.run(running) }()
	if err := h.awaitReady(ctx, ended); err != nil {
		stop()
		return nil, err
	}
	return &home{h, &instance{dir: h.data.dir, listen: h.Listen}, func() error {
		stop()
		err := <-ended
		return errors.Join(err, h.data.lock.Close())
	}}, nil
}

// empty is a house in which nothing was started yet.
func (r *benchRun) empty(name string, roles ...string) (*house, error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := settings{
		Data: filepath.Join(r.dir, name), Listen: listen, Mode: sso.Development, Limits: "off", OIDCAudience: "govahi",
	}
	d, err := openData(s.Data, s.Mode)
	if err != nil {
		return nil, err
	}
	h := &house{settings: s, roles: roles, data: d, report: slog.New(slog.DiscardHandler), ready: func(string, string) {}}
	return h, h.listen()
}

// still is a house that can issue certificates, with log, vault and signer, and
// does nothing by itself: whoever measures asks its handlers.
func (r *benchRun) still(ctx context.Context, name string) (*home, error) {
	h, err := r.empty(name, roleIssuer)
	if err != nil {
		return nil, err
	}
	children, stop := context.WithCancel(context.WithoutCancel(ctx))
	kept := make(chan struct{})
	leave := func() error {
		stop()
		<-kept
		h.close()
		return h.data.lock.Close()
	}
	if err := h.foundations(ctx); err != nil {
		close(kept)
		return nil, errors.Join(err, stopPostgres(h.postgres), leave())
	}
	go func() { defer close(kept); h.keepChildren(children) }()
	if err := h.rooms(ctx); err != nil {
		return nil, errors.Join(err, leave())
	}
	return &home{h, &instance{dir: h.data.dir, listen: h.Listen}, leave}, nil
}

// quiet waits until views and policies have dealt with all that the log holds.
func (i *instance) quiet(ctx context.Context) error {
	c := newClient("http://"+i.listen, nil)
	for ctx.Err() == nil {
		var health struct {
			Parts []struct {
				Name string
				Lag  *struct{ At, Head event.Position }
			}
		}
		behind := false
		if err := c.get(ctx, "", "/health/ready", &health); err != nil {
			return err
		}
		for _, p := range health.Parts {
			behind = behind || p.Lag != nil && p.Lag.At < p.Lag.Head
		}
		if !behind {
			return nil
		}
		pauseUntil(ctx, 50*time.Millisecond)
	}
	return ctx.Err()
}
