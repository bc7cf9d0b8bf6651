package main

import (
	"context"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/adapters/postgres"
	"govahi/adapters/sso"
)

// keepChildren keeps both children alive until the context ends, then stops
// them, abreast.
func (h *house) keepChildren(ctx context.Context) {
	signing := &child{
		name: "govahi-signer", pid: h.data.path("signer.pid"), log: h.report,
		start: func() *exec.Cmd {
			args := []string{"serve", "--dir", h.data.path("ca"), "--socket", h.data.signerSocket(), "--log", h.data.logSocket(), "--tethered"}
			if h.Mode == sso.Development {
				args = append(args, "--development")
			}
			if module := os.Getenv("GOVAHI_PKCS11_MODULE"); module != "" {
				args = append(args, "--module", module)
			}
			return exec.Command(beside("govahi-signer"), args...)
		},
	}
	var both errgroup.Group
	both.Go(func() error { return signing.keep(ctx) })
	both.Go(func() error { return h.keepPostgres(ctx) })
	_ = both.Wait()
}

func (h *house) keepPostgres(ctx context.Context) error {
	return stopPostgres(postgres.Keep(ctx, h.cluster(), h.postgres))
}

// stopPostgres is as quick as the promise to stop within five seconds needs,
// even behind callers who were still being answered: a server that takes longer
// is cut off, and recovers at the next start.
func stopPostgres(s *postgres.Server) error {
	if s == nil {
		return nil
	}
	limit, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.Stop(limit)
}
