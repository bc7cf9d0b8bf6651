package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"govahi/adapters/cms"

	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/http"
	"govahi/adapters/nats"
	"govahi/adapters/pki"
	"govahi/adapters/postgres"
	"govahi/adapters/signer"
	"govahi/adapters/sso"
	"govahi/adapters/vault"
	"govahi/commands"
	"govahi/commands/policies"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/projections"
	"govahi/queries"
)

// rooms connects what stands on the foundations.
func (h *house) rooms(ctx context.Context) error {
	if h.has(roleRelay) {
		h.relay = nats.NewRelay(h.bus, h.log, h.report)
	}
	if !h.opens() {
		h.openBareDoor()
		return nil
	}
	h.signer = signer.NewClient(h.data.signerSocket())
	if err := h.awaitSigner(ctx); err != nil {
		return err
	}
	if err := h.openPools(ctx); err != nil {
		return err
	}
	if err := h.makeApp(); err != nil {
		return err
	}
	if err := patiently(ctx, h.app.ClaimProfiles); err != nil {
		return err
	}
	if err := patiently(ctx, h.app.IntroduceIssuers); err != nil {
		return err
	}
	if err := patiently(ctx, h.compareEndings); err != nil {
		return err
	}
	if err := h.recordCeremonies(ctx); err != nil {
		return err
	}
	h.makeViews()
	if h.has(roleIssuer) {
		if err := patiently(ctx, h.renewResponder); err != nil {
			return err
		}
	}
	if !h.has(roleAPI) {
		h.openBareDoor()
		return nil
	}
	if err := patiently(ctx, h.openResponder); err != nil {
		return err
	}
	return h.openDoor()
}

// awaitSigner waits until the signer answers; it was started just now.
func (h *house) awaitSigner(ctx context.Context) error {
	err := patiently(ctx, func(ctx context.Context) error {
		info, err := h.signer.Info(ctx)
		if err == nil {
			h.ready("signer", info.Signer)
		}
		return err
	})
	if f, ok := fault.Of(err); ok {
		return fmt.Errorf("امضاکننده پاسخ نمی‌دهد: %s\nthe signer does not answer: %s (%w)", f.Text.Fa, f.Text.En, err)
	}
	return err
}

func (h *house) openPools(ctx context.Context) (err error) {
	if h.vaultDB, err = awaitPool(ctx, "GOVAHI_VAULT", h.vaultDSN(h.data)); err != nil {
		return err
	}
	if h.views, err = awaitPool(ctx, "GOVAHI_POSTGRES", h.viewsDSN(h.data)); err != nil {
		return err
	}
	err = patiently(ctx, func(ctx context.Context) (err error) {
		h.vault, err = vault.Open(ctx, h.vaultDB, h.signer, now)
		return err
	})
	if err == nil {
		h.ready("vault", "subject keys, wrapped by the token")
	}
	return err
}

// awaitPool waits for a server that is being started too.
func awaitPool(ctx context.Context, name, dsn string) (pool *pgxpool.Pool, err error) {
	err = patiently(ctx, func(ctx context.Context) error {
		if pool, err = postgres.Pool(ctx, dsn); err != nil {
			return errors.Join(vault.ErrUnavailable, err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return pool, nil
}

// compareEndings warns of an issuer that has ended by the CA's directory alone.
func (h *house) compareEndings(ctx context.Context) error {
	all, err := h.app.IssuerStandings(ctx)
	for _, of := range all {
		if of.Undeclared() {
			h.report.Warn("an issuer has ended by the CA's directory alone: it certifies nothing, and the rest waits until two operators declare it (docs/operations.md)",
				"issuer", of.Issuer, "directory", of.Directory, "log", of.Status)
		}
	}
	return err
}

// patiently asks again while a child that died is being started again.
func patiently(ctx context.Context, do func(context.Context) error) error {
	limit, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for why := error(nil); ; {
		err := do(limit)
		if why == nil || limit.Err() == nil { // else it says only that we wait no longer
			why = err
		}
		if f, ok := fault.Of(err); err == nil || !ok || f.Kind != fault.Unavailable {
			return err
		}
		select {
		case <-limit.Done():
			return why
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (h *house) makeApp() error {
	handler, err := h.data.handler()
	if err != nil {
		return err
	}
	gateways, err := h.gateways()
	if err != nil {
		return err
	}
	terms, err := h.terms()
	if err != nil {
		return err
	}
	h.app = &commands.App{
		Log: h.log, Keeper: h.vault, People: h.vault, Secrets: h.vault, Signer: h.signer, Signatures: cms.Verifier{},
		Registry: h.civilRegistry(), Gateways: gateways, CodeLimit: h.codeLimit(), Terms: terms, Standing: commands.NewStanding(h.log),
		Clock: now, Handler: handler, Step: crashing(h.Mode),
	}
	h.seat()
	h.publishers = commands.NewPublishers(h.app, func(of commands.Authority) commands.Publishing {
		return commands.Publishing{
			Authority: of, Signer: h.signer, Shelf: projections.NewShelf(h.views), Checker: of.(*pki.Authority).Checker(h.log), Pace: crlPace,
		}
	})
	mailer, err := h.mailServer()
	h.mailer = h.limitedMail(mailer)
	return errors.Join(err, h.openBounces())
}

// seat puts the issuers in their order: the newest issues.
func (h *house) seat() {
	newest := len(h.authorities) - 1
	h.app.Authority = h.authorities[newest]
	for _, elder := range slices.Backward(h.authorities[:newest]) {
		h.app.Elder = append(h.app.Elder, elder)
	}
}

// crlPace keeps many revocations from making as many lists: each is on one within
// a second.
const crlPace = 500 * time.Millisecond

func handlerID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// openResponder makes sure of a certificate for the OCSP responder's key, by each
// issuer.
func (h *house) openResponder(ctx context.Context) error {
	key, err := h.signer.ResponderKey(ctx)
	if err != nil {
		return err
	}
	h.standings = commands.NewStandings(h.log)
	h.responders = nil
	for _, a := range h.authorities {
		r, err := pki.NewResponder(a.Certificate(), key, http.Statuses{App: h.app, Issuer: a.Issuer()}, now)
		if err != nil {
			return err
		}
		h.responders = append(h.responders, r)
	}
	return h.renewResponder(ctx)
}

// renewResponder makes sure of the responder's certificates, and uses them where
// there is a responder.
func (h *house) renewResponder(ctx context.Context) error {
	info, err := h.signer.Info(ctx)
	if err != nil {
		return err
	}
	for n, of := range h.authorities {
		der, renewal := h.app.EnsureResponder(ctx, of, info.ResponderKey)
		if renewal == nil && der != nil && h.responders != nil {
			renewal = h.use(h.responders[n], der)
		}
		err = errors.Join(err, renewal)
	}
	return err
}

func (h *house) use(r *pki.Responder, der []byte) error {
	certificate, err := pki.ParseCertificate(der)
	if err == nil {
		r.Use(certificate)
	}
	return err
}

func (h *house) makeViews() {
	h.waiter = projections.NewWaiter(h.views)
	h.queries = &queries.Queries{Pool: h.views, Keeper: h.vault, Terms: h.vault}
	if h.has(roleProjector) {
		h.runner = projections.NewRunner(projections.Parts{
			Pool: h.views, Log: h.log, Feed: func(string) event.Feed { return h.bus.Feed() }, Keeper: h.vault, Terms: h.vault, Report: h.report,
		}, projections.All()...)
	}
	if h.has(rolePolicy) {
		h.react("record", policies.OfRecord())
		h.react("erasure", policies.OfErasure(h.vault))
	}
	if h.has(roleIssuer) {
		h.react("issuance", policies.OfIssuance())
		h.react("revocation", policies.OfRevocation(h.publishers))
	}
}

func (h *house) react(name string, list []policies.Policy) {
	h.policies = append(h.policies, &policies.Runner{
		Name: name, App: h.app, Feed: h.bus.Feed(), Checkpoints: projections.NewCheckpoints(h.views, h.log),
		Policies: list, Report: h.report,
	})
}

// openBareDoor answers for the health of a process that serves nobody else.
func (h *house) openBareDoor() {
	h.door = http.New(http.Config{Version: version, Health: h, Log: h.report, Limits: http.NoLimits(), Timed: h.metrics.timed()})
}

func (h *house) openDoor() (err error) {
	oidc := sso.Config{Issuer: h.OIDCIssuer, Audience: h.OIDCAudience, Clock: now}
	config := http.Config{
		Version: version, People: h.vault, Waiter: h.waiter, Head: h.app.Log.Head, Health: h, Limits: h.limits(), Log: h.report,
		Timed: h.metrics.timed(),
	}
	if config.Proxies, err = h.proxies(); err != nil {
		return err
	}
	if h.Mode == sso.Development {
		issuer, err := openIssuer(h.data, h.base(), h.OIDCAudience)
		if err != nil {
			return err
		}
		oidc.Issuer = devIssuer(h.base())
		config.DevIssuer, config.DevBank = issuer, h.banks.door()
		config.Verifier = sso.Static(oidc, issuer.PublicKey())
	} else {
		config.Verifier = sso.Remote(oidc, h.OIDCKeys)
	}
	h.door = http.New(config)
	http.Declare(h.door, http.House{
		App: h.app, Queries: h.queries, Authorities: h.authorities, Responder: h.responders, Standings: h.standings, Base: h.base(),
		Development: h.Mode == sso.Development,
	})
	return nil
}
