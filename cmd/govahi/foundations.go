package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/adapters/nats"
	"govahi/adapters/pki"
	pkiprofiles "govahi/adapters/pki/profiles"
	"govahi/adapters/postgres"
	"govahi/adapters/sso"
	"govahi/domain/fault"
	"govahi/domain/issuer"
	certprofile "govahi/domain/profile"
)

// foundations start what needs nothing else, abreast.
func (h *house) foundations(ctx context.Context) error {
	if err := h.data.makeSockets(); err != nil {
		return err
	}
	var all errgroup.Group
	all.Go(func() error { return h.openLog(ctx) })
	if h.feeds() {
		all.Go(h.openBus)
	}
	if h.opens() {
		all.Go(func() error { return h.openCA(ctx) })
		all.Go(func() error { return h.startPostgres(ctx) })
	}
	return all.Wait()
}

func (h *house) openLog(ctx context.Context) (err error) {
	if h.Log != "" {
		return h.joinLog(ctx)
	}
	if h.node, err = eventnode.Open(ctx, h.data.path("log"), eventnode.Options{Logger: h.report}); err != nil {
		return err
	}
	l, err := eventnode.ListenUnix(h.data.logSocket())
	if err != nil {
		return err
	}
	go func() { _ = h.node.Serve(l) }()
	if h.log, err = eventstore.Open(h.data.logSocket()); err != nil {
		return err
	}
	h.ready("log", "embedded event node on "+h.data.logSocket())
	return nil
}

// joinLog asks once, so that a wrong connection string is known at the start.
func (h *house) joinLog(ctx context.Context) (err error) {
	if h.log, err = eventstore.Open(h.Log); err != nil {
		return fmt.Errorf("GOVAHI_LOG: %w", err)
	}
	err = patiently(ctx, func(ctx context.Context) error {
		_, err := h.log.Head(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("GOVAHI_LOG: %w", err)
	}
	h.ready("log", "EventStoreDB, by GOVAHI_LOG")
	return nil
}

func (h *house) openBus() (err error) {
	if h.NATS != "" {
		if h.bus, err = nats.Connect(h.NATS); err != nil {
			return fmt.Errorf("GOVAHI_NATS: %w", err)
		}
		h.ready("bus", "JetStream, by GOVAHI_NATS")
		return nil
	}
	if h.server, err = nats.StartServer(h.data.path("nats")); err != nil {
		return err
	}
	if h.bus, err = h.server.Connect(); err == nil {
		h.ready("bus", "embedded JetStream")
	}
	return err
}

// openCA holds the ceremony of a new instance, and reads its certificates.
func (h *house) openCA(ctx context.Context) error {
	dir := h.caDir(h.data)
	if _, err := os.Stat(filepath.Join(dir, "issuer.pem")); errors.Is(err, os.ErrNotExist) {
		if err := h.found(ctx, dir); err != nil {
			return err
		}
	}
	authorities, err := openAuthorities(dir, h.base(), h.Profiles)
	if err == nil {
		h.authorities = authorities
		h.ready("ca", fmt.Sprintf("token, root and %d issuing certificates in %s", len(authorities), dir))
	}
	return err
}

// found holds development's ceremony where there is no CA, or says what is missing.
func (h *house) found(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "issuer.csr")); err == nil && !h.data.served() {
		return fault.Remark(dir, "درخواست گواهی مرکز صدور (issuer.csr) نزد ریشهٔ بیرونی است و گواهی هنوز وارد نشده است؛ آن را وارد کنید (govahi-signer ceremony import --help).",
			"the CA's request (issuer.csr) went out to its root, and no certificate was taken in yet: take it in (govahi-signer ceremony import --help)")
	}
	if h.Mode != sso.Development {
		return fault.Remark(dir, "مرکز صدوری در این پوشه نیست؛ نخست آیین کلید را برگزار کنید (govahi-signer ceremony --help).",
			"it holds no CA: hold a ceremony first (govahi-signer ceremony --help)")
	}
	if h.data.served() {
		return fault.Remark(dir, "گواهی مرکز صدور این سامانه (issuer.pem) در این پوشه نیست و سامانه پیش‌تر با آن کار کرده است؛ پوشهٔ همان مرکز را بازگردانید، یا آن را با GOVAHI_CA نام ببرید.",
			"the certificate of this house's CA (issuer.pem) is not there, and the house has worked with it: put that CA's directory back, or name it with GOVAHI_CA")
	}
	out, err := exec.CommandContext(ctx, beside("govahi-signer"), "ceremony", "--dir", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("the CA's ceremony failed: %w: %s", err, out)
	}
	return nil
}

// openAuthorities opens every issuer of a CA's directory, the first first.
func openAuthorities(dir, base, profiles string) (all []*pki.Authority, err error) {
	set, err := pkiprofiles.Load(profiles)
	if err != nil {
		return nil, fmt.Errorf("GOVAHI_PROFILES: %w", err)
	}
	seats, err := seatsOf(dir)
	if err != nil {
		return nil, err
	}
	for n, seat := range seats {
		a, err := openAuthority(seat, base, set, n == 0)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// seatsOf are the directories of issuers whose certificate is there, as the
// ceremonies left them, in the order of their numbers.
func seatsOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "issuers"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var numbers []int
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || n < 2 {
			continue // a ceremony that was interrupted
		}
		if _, err := os.Stat(filepath.Join(dir, "issuers", e.Name(), "issuer.pem")); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	seats := []string{dir}
	for _, n := range numbers {
		seats = append(seats, filepath.Join(dir, "issuers", strconv.Itoa(n)))
	}
	return seats, nil
}

func openAuthority(seat, base string, set certprofile.Set, first bool) (*pki.Authority, error) {
	certificate, err := os.ReadFile(filepath.Join(seat, "issuer.pem"))
	if err != nil {
		return nil, err
	}
	root, err := os.ReadFile(filepath.Join(seat, "root.pem"))
	if err != nil {
		return nil, err
	}
	config := pki.Under(base)
	if !first {
		if config, err = pki.Beside(base, certificate); err != nil {
			return nil, err
		}
	}
	config.Profiles = set
	ended, err := os.ReadFile(filepath.Join(seat, "ended"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	config.Ended = issuer.Ending(strings.TrimSpace(string(ended)))
	return pki.Open(certificate, root, config)
}

// programs is where the other programs stand: beside this one.
var programs = func() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Dir(self)
}()

func beside(name string) string { return filepath.Join(programs, name) }

// cluster is the instance's private PostgreSQL, at its start and whenever it
// died.
func (h *house) cluster() postgres.Cluster {
	return postgres.Cluster{Dir: h.data.path("postgres"), SocketDir: h.data.postgresSocket(), Log: h.report}
}

// startPostgres starts the private cluster for the databases that stand nowhere
// else.
func (h *house) startPostgres(ctx context.Context) (err error) {
	if !h.embedsPostgres() {
		return nil
	}
	cluster := h.cluster()
	if h.postgres, err = postgres.Start(ctx, cluster); err != nil {
		return err
	}
	for _, name := range []string{"vault", "views"} {
		if err := h.postgres.CreateDatabase(ctx, name); err != nil {
			return err
		}
	}
	h.ready("postgres", "private cluster in "+cluster.Dir)
	return nil
}
