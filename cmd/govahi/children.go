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
			args := []string{"serve", "--dir", h.caDir(h.data), "--socket", h.data.signerSocket(), "--tethered"}
			if h.Mode == sso.Development {
				args = append(args, "--development")
			}
			if h.Profiles != "" {
				args = append(args, "--profiles", h.Profiles)
			}
			if module := os.Getenv("GOVAHI_PKCS11_MODULE"); module != "" {
				args = append(args, "--module", module)
			}
			cmd := exec.Command(beside("govahi-signer"), args...)
			cmd.Env = append(os.Environ(), "GOVAHI_LOG="+h.logTarget(h.data)) // it may hold a password
			return cmd
		},
	}
	var both errgroup.Group
	if h.opens() {
		both.Go(func() error { return signing.keep(ctx) })
	}
	if h.postgres != nil {
		both.Go(func() error { return h.keepPostgres(ctx) })
	}
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
