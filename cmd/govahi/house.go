package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/adapters/http"
	"govahi/adapters/nats"
	"govahi/adapters/pki"
	"govahi/adapters/postgres"
	"govahi/adapters/signer"
	"govahi/adapters/sso"
	"govahi/adapters/vault"
	"govahi/commands"
	"govahi/commands/policies"
	"govahi/domain/fault"
	"govahi/projections"
	"govahi/queries"
)

// house is a whole instance in one process and its two children, PostgreSQL and
// the signer.
type house struct {
	settings
	data   data
	report *slog.Logger
	ready  func(part, detail string) // announces a part

	listener net.Listener
	node     *eventnode.Node
	log      *eventstore.Log
	server   *nats.Server
	bus      *nats.Bus
	relay    *nats.Relay
	postgres *postgres.Server
	signing  *child
	signer   *signer.Client
	vaultDB  *pgxpool.Pool
	views    *pgxpool.Pool
	vault    *vault.Vault

	authority *pki.Authority
	responder *pki.Responder
	app       *commands.App
	publisher *commands.Publisher
	runner    *projections.Runner
	waiter    *projections.Waiter
	policies  []*policies.Runner
	queries   *queries.Queries
	mailer    commands.Mailer
	issuer    *sso.Issuer
	door      *http.Server
}

// settings come from flags and the environment.
type settings struct {
	Data   string   `env:"GOVAHI_DATA" default:"var" help:"Directory that holds everything of the instance."`
	Listen string   `env:"GOVAHI_LISTEN" default:"127.0.0.1:8080" help:"Address of the HTTP door."`
	Base   string   `env:"GOVAHI_BASE" help:"Public http URL of the door, as certificates will cite it; default: http:// and the address."`
	Mode   sso.Mode `env:"GOVAHI_MODE" default:"development" enum:"development,production" help:"Whether invented people may sign in."`

	OIDCIssuer   string `env:"GOVAHI_OIDC_ISSUER" help:"Issuer of bearer tokens, outside development mode."`
	OIDCKeys     string `env:"GOVAHI_OIDC_KEYS" help:"URL of its key set."`
	OIDCAudience string `env:"GOVAHI_OIDC_AUDIENCE" default:"govahi" help:"Audience that tokens must name."`
}

// check refuses what could not run, before anything is touched.
func (s settings) check() error {
	if u, err := url.Parse(s.base()); err != nil || u.Scheme != "http" || u.Host == "" {
		return errors.New("GOVAHI_BASE is the public http URL of the door, such as http://pki.example.ir: certificates cite it (RFC 5280 §8 warns against https here)")
	}
	if s.Mode != sso.Development && (s.OIDCIssuer == "" || s.OIDCKeys == "") {
		return errors.New("outside development mode GOVAHI_OIDC_ISSUER and GOVAHI_OIDC_KEYS name who signs bearer tokens: set both")
	}
	return nil
}

func (s settings) base() string {
	if s.Base != "" {
		return s.Base
	}
	return "http://" + s.Listen
}

// run keeps the house until the context ends. The parts that others need come
// first; everything that runs stops with the context.
func (h *house) run(ctx context.Context) error {
	defer h.close()
	if err := h.foundations(ctx); err != nil {
		return errors.Join(err, stopPostgres(h.postgres))
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	keeping, keep := errgroup.WithContext(running)
	children, stopChildren := context.WithCancel(context.WithoutCancel(ctx))
	defer stopChildren()
	kept := make(chan struct{})
	go func() { defer close(kept); h.keepChildren(children) }()
	err := h.rooms(ctx)
	if err == nil {
		h.runParts(keep, keeping)
		err = h.door.Serve(keep, h.listener)
	}
	stop()
	err = errors.Join(err, ignoreCancel(keeping.Wait()))
	stopChildren()
	<-kept
	return err
}

func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// listen takes the address first: nothing starts on a machine where it is taken.
func (h *house) listen() (err error) {
	h.listener, err = net.Listen("tcp", h.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: another program has the address; stop it, or choose another with GOVAHI_LISTEN", err)
	case err != nil:
		return fmt.Errorf("%w: GOVAHI_LISTEN is host:port, such as 127.0.0.1:8080", err)
	}
	return os.WriteFile(h.data.path(doorFile), []byte(h.base()+"\n"), 0o644)
}

// foundations start what needs nothing else, abreast.
func (h *house) foundations(ctx context.Context) error {
	if err := h.data.makeSockets(); err != nil {
		return err
	}
	var all errgroup.Group
	all.Go(h.openLog)
	all.Go(h.openBus)
	all.Go(func() error { return h.openCA(ctx) })
	all.Go(func() error { return h.startPostgres(ctx) })
	return all.Wait()
}

func (h *house) openLog() (err error) {
	if h.node, err = eventnode.Open(h.data.path("log"), eventnode.Options{Logger: h.report}); err != nil {
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

func (h *house) openBus() (err error) {
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
	dir := h.data.path("ca")
	if _, err := os.Stat(filepath.Join(dir, "issuer.pem")); errors.Is(err, os.ErrNotExist) {
		if h.Mode != sso.Development {
			return fmt.Errorf("%s holds no CA: hold a ceremony first (govahi-signer ceremony --help)", dir)
		}
		out, err := exec.CommandContext(ctx, beside("govahi-signer"), "ceremony", "--dir", dir).CombinedOutput()
		if err != nil {
			return fmt.Errorf("the CA's ceremony failed: %w: %s", err, out)
		}
	}
	issuer, err := os.ReadFile(filepath.Join(dir, "issuer.pem"))
	if err != nil {
		return err
	}
	root, err := os.ReadFile(filepath.Join(dir, "root.pem"))
	if err != nil {
		return err
	}
	h.authority, err = pki.Open(issuer, root, pki.Under(h.base()))
	if err == nil {
		h.ready("ca", "token, root and issuing certificate in "+dir)
	}
	return err
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

func (h *house) startPostgres(ctx context.Context) (err error) {
	cluster := postgres.Cluster{Dir: h.data.path("postgres"), SocketDir: h.data.postgresSocket(), Log: h.report}
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

// keepChildren keeps both children alive until the context ends, then stops
// them, abreast.
func (h *house) keepChildren(ctx context.Context) {
	h.signing = &child{
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
	both.Go(func() error { return h.signing.keep(ctx) })
	both.Go(func() error { return h.keepPostgres(ctx) })
	_ = both.Wait()
}

func (h *house) keepPostgres(ctx context.Context) error {
	cluster := postgres.Cluster{Dir: h.data.path("postgres"), SocketDir: h.data.postgresSocket(), Log: h.report}
	server := h.postgres
	for {
		select {
		case <-ctx.Done():
			return stopPostgres(server)
		case <-server.Done():
			h.report.Warn("postgres died; starting it again", "error", server.Wait())
		}
		for next, err := postgres.Start(ctx, cluster); ; next, err = postgres.Start(ctx, cluster) {
			if err == nil {
				server = next
				break
			}
			if ctx.Err() != nil {
				return nil
			}
			h.report.Error("postgres does not start", "error", err)
			time.Sleep(again)
		}
	}
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

// rooms connects what stands on the foundations.
func (h *house) rooms(ctx context.Context) error {
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
	if err := patiently(ctx, h.openResponder); err != nil {
		return err
	}
	h.makeViews()
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
	if err != nil {
		return fmt.Errorf("the signer does not answer: %w", err)
	}
	return nil
}

func (h *house) openPools(ctx context.Context) (err error) {
	if h.vaultDB, err = postgres.Pool(ctx, h.postgres.DSN("vault")); err != nil {
		return err
	}
	if h.views, err = postgres.Pool(ctx, h.postgres.DSN("views")); err != nil {
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

// patiently asks again while a child that died is being started again.
func patiently(ctx context.Context, do func(context.Context) error) error {
	limit, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for {
		err := do(limit)
		if f, ok := fault.Of(err); err == nil || !ok || f.Kind != fault.Unavailable {
			return err
		}
		select {
		case <-limit.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func now() time.Time { return time.Now().UTC() }

func (h *house) makeApp() error {
	handler, err := h.data.handler()
	if err != nil {
		return err
	}
	h.app = &commands.App{
		Log: h.log, Keeper: h.vault, People: h.vault, Secrets: h.vault, Authority: h.authority, Signer: h.signer,
		Registry: h.civilRegistry(), Clock: now, Handler: handler, Step: crashing(h.Mode),
	}
	h.publisher = commands.NewPublisher(h.app)
	return nil
}

func handlerID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// openResponder makes sure of a certificate for the OCSP responder's key.
func (h *house) openResponder(ctx context.Context) error {
	key, err := h.signer.ResponderKey(ctx)
	if err != nil {
		return err
	}
	h.responder, err = pki.NewResponder(h.authority.Certificate(), key, http.Statuses{App: h.app}, now)
	if err != nil {
		return err
	}
	return h.renewResponder(ctx)
}

func (h *house) renewResponder(ctx context.Context) error {
	info, err := h.signer.Info(ctx)
	if err != nil {
		return err
	}
	der, err := h.app.EnsureResponder(ctx, info.ResponderKey)
	if err != nil {
		return err
	}
	certificate, err := pki.ParseCertificate(der)
	if err == nil {
		h.responder.Use(certificate)
	}
	return err
}

func (h *house) makeViews() {
	h.relay = nats.NewRelay(h.bus, h.log, h.report)
	h.runner = projections.NewRunner(projections.Parts{
		Pool: h.views, Log: h.log, Feed: h.bus.Feed, Keeper: h.vault, Terms: h.vault, Report: h.report,
	}, projections.All()...)
	h.waiter = projections.NewWaiter(h.views)
	h.queries = &queries.Queries{Pool: h.views, Keeper: h.vault, Terms: h.vault}
	checkpoints := projections.NewCheckpoints(h.views)
	for name, list := range map[string][]policies.Policy{
		"record": policies.OfRecord(), "issuance": policies.OfIssuance(),
		"revocation": policies.OfRevocation(h.publisher), "erasure": policies.OfErasure(h.vault),
	} {
		h.policies = append(h.policies, &policies.Runner{
			Name: name, App: h.app, Feed: h.bus.Feed("policy-" + name), Checkpoints: checkpoints, Policies: list, Report: h.report,
		})
	}
}

func (h *house) openDoor() error {
	oidc := sso.Config{Issuer: h.OIDCIssuer, Audience: h.OIDCAudience, Clock: now}
	config := http.Config{
		Version: version, People: h.vault, Waiter: h.waiter, Health: h, Log: h.report,
	}
	if h.Mode == sso.Development {
		issuer, err := openIssuer(h.data, h.base(), h.OIDCAudience)
		if err != nil {
			return err
		}
		oidc.Issuer = devIssuer(h.base())
		h.issuer, config.DevIssuer = issuer, issuer
		config.Verifier = sso.Static(oidc, issuer.PublicKey())
	} else {
		config.Verifier = sso.Remote(oidc, h.OIDCKeys)
	}
	mailer, err := h.mailServer()
	if err != nil {
		return err
	}
	h.mailer = mailer
	h.door = http.New(config)
	http.Declare(h.door, http.House{
		App: h.app, Queries: h.queries, Authority: h.authority, Responder: h.responder, Base: h.base(),
		Development: h.Mode == sso.Development,
	})
	return nil
}

// runParts starts everything that goes on by itself.
func (h *house) runParts(ctx context.Context, all *errgroup.Group) {
	all.Go(func() error { return h.relay.Run(ctx) })
	all.Go(func() error { return h.runner.Run(ctx) })
	all.Go(func() error { return h.waiter.Run(ctx) })
	for _, r := range h.policies {
		all.Go(func() error { return r.Run(ctx) })
	}
	for _, w := range h.workers() {
		all.Go(func() error { return w.Run(ctx) })
	}
	all.Go(func() error { return h.daily(ctx) })
}

func (h *house) workers() []policies.Worker {
	inquire := policies.Worker{Name: "inquire", Due: h.queries.DueInquiries, Do: h.app.AskRegistry, Clock: now, Report: h.report}
	post := policies.Worker{
		Name: "post", Due: h.queries.DueNotifications, Clock: now, Report: h.report,
		Do: func(ctx context.Context, c commands.Caller, id string) error {
			return h.app.SendNotification(ctx, c, h.mailer, id)
		},
	}
	return []policies.Worker{inquire, post}
}

// daily looks every minute whether a revocation list or the responder's
// certificate is due, and sooner after trouble: a house that was never without
// trouble would have no list at all.
func (h *house) daily(ctx context.Context) error {
	for {
		next := time.Minute
		c := commands.Caller{Policy: "daily-crl", Key: now().Format(time.RFC3339)}
		if err := errors.Join(h.publisher.Publish(ctx, c), h.renewResponder(ctx)); err != nil && ctx.Err() == nil {
			h.report.Warn("the daily work waits", "error", err)
			next = time.Second
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(next):
		}
	}
}

// close lets go of what the children and the log served.
func (h *house) close() {
	if h.vault != nil {
		h.vault.Close()
	}
	for _, pool := range []*pgxpool.Pool{h.views, h.vaultDB} {
		if pool != nil {
			pool.Close()
		}
	}
	if h.bus != nil {
		h.bus.Close()
	}
	if h.server != nil {
		h.server.Close()
	}
	if h.log != nil {
		_ = h.log.Close()
	}
	if h.node != nil {
		_ = h.node.Close()
	}
	if h.listener != nil {
		_ = h.listener.Close()
	}
}
