package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/adapters/http"
	"govahi/adapters/mail"
	"govahi/adapters/nats"
	"govahi/adapters/pki"
	pkiprofiles "govahi/adapters/pki/profiles"
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
// the signer; or those rooms of one that its roles need.
type house struct {
	settings
	roles  []string
	data   data
	report *slog.Logger
	ready  func(part, detail string) // announces a part

	listener net.Listener
	metrics  *meter          // nil if nobody reads them
	node     *eventnode.Node // nil, like server and postgres, if it stands elsewhere
	log      *eventstore.Log
	server   *nats.Server
	bus      *nats.Bus
	relay    *nats.Relay
	postgres *postgres.Server
	signer   *signer.Client
	vaultDB  *pgxpool.Pool
	views    *pgxpool.Pool
	vault    *vault.Vault

	authorities []*pki.Authority // every issuer, the first first
	responders  pki.Responders   // in the same order
	standings   *commands.Standings
	app         *commands.App
	publishers  commands.Publishers
	runner      *projections.Runner
	waiter      *projections.Waiter
	policies    []*policies.Runner
	queries     *queries.Queries
	mailer      commands.Mailer
	bounces     *mail.Bounces // nil if none come
	door        *http.Server

	registryHeard, mailHeard, daily outcome // for health
	audits                          audits
	banks                           banks // simulated
	banksHeard                      map[string]*outcome
}

// settings come from flags and the environment.
type settings struct {
	connections
	Data    string   `env:"GOVAHI_DATA" default:"var" help:"Directory that holds everything of the instance."`
	Listen  string   `env:"GOVAHI_LISTEN" default:"127.0.0.1:8080" help:"Address of the HTTP door."`
	Base    string   `env:"GOVAHI_BASE" help:"Public http URL of the door, as certificates will cite it; default: http:// and the address."`
	Metrics string   `env:"GOVAHI_METRICS" placeholder:"HOST:PORT" help:"Address where Prometheus reads GET /metrics, without authentication: of a private network, never a public one; none if empty."`
	Mode    sso.Mode `env:"GOVAHI_MODE" default:"development" enum:"development,production" help:"Whether invented people may sign in."`

	Gateways    string        `env:"GOVAHI_GATEWAYS" placeholder:"FILE" help:"YAML file of the banks' gateways where fees are paid online; simulated ones in development if empty, none elsewhere."`
	PaymentLook time.Duration `env:"GOVAHI_PAYMENT_LOOK" default:"5m" help:"After it the bank is asked about a payment that nobody reported."`
	PaymentEnd  time.Duration `env:"GOVAHI_PAYMENT_END" default:"14m" help:"After it no payment is verified any more: less than the time after which a bank gives back what was not."`
	Profiles    string        `env:"GOVAHI_PROFILES" type:"path" placeholder:"DIR" help:"Directory of certificate profiles, NAME@VERSION.yaml each; those that come with the program if empty."`

	Limits  string `env:"GOVAHI_LIMITS" default:"on" enum:"on,off" help:"Limits on tries and one-time codes; off is for load in development."`
	Proxies string `env:"GOVAHI_PROXIES" help:"Networks of trusted proxies, whose X-Forwarded-For tells where a request comes from."`

	Bounces string `env:"GOVAHI_BOUNCES" placeholder:"DIR" help:"Maildir into which the mail server delivers its reports of what came back; in development by default bounces in the data directory."`

	Terms string `env:"GOVAHI_TERMS" placeholder:"FILE" help:"YAML file of the times of a certificate's life: longest suspension, acceptance, reminders, re-inquiry."`

	AuditAfter time.Duration `env:"GOVAHI_AUDIT_AFTER" default:"10m" help:"Time from the start to the first audit of the certificates; then one is made each day."`

	OIDCIssuer   string `env:"GOVAHI_OIDC_ISSUER" help:"Issuer of bearer tokens, outside development mode."`
	OIDCKeys     string `env:"GOVAHI_OIDC_KEYS" help:"URL of its key set."`
	OIDCAudience string `env:"GOVAHI_OIDC_AUDIENCE" default:"govahi" help:"Audience that tokens must name."`
}

// check refuses what could not run, before anything is touched.
func (s settings) check() error {
	w := &fault.Remarks{}
	u, err := url.Parse(s.base())
	w.Need(err == nil && u.Scheme == "http" && u.Host != "", "GOVAHI_BASE",
		"نشانی همگانی سامانه را با http بنویسید، مانند http://pki.example.ir؛ گواهی‌ها به آن ارجاع می‌دهند (RFC 5280 §8 در اینجا از https بازمی‌دارد).",
		"it is the public http URL of the door, such as http://pki.example.ir: certificates cite it (RFC 5280 §8 warns against https here)")
	if s.Mode != sso.Development {
		s.checkDoors(w)
	}
	s.checkPayments(w)
	_, proxies := s.proxies()
	_, terms := s.terms()
	_, profiles := pkiprofiles.Load(s.Profiles)
	if profiles != nil {
		profiles = fmt.Errorf("GOVAHI_PROFILES: %w", profiles)
	}
	return unsettled(errors.Join(w.Err(), proxies, s.connections.check(s.Mode), refuseHooks(s.Mode), terms, profiles, s.checkGateways()))
}

// unsettled names all settings with which nothing is started.
func unsettled(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("با این تنظیم‌ها چیزی آغاز نشد؛ نام و علت:\nnothing was started with these settings:\n%w", err)
}

// checkDoors is about who comes in where people are real.
func (s settings) checkDoors(w *fault.Remarks) {
	w.Need(!s.unlimited(), "GOVAHI_LIMITS", "مقدار off تنها برای development است؛ این تنظیم را بردارید.", "off is for development only: leave it out")
	for _, one := range [][2]string{{"GOVAHI_OIDC_ISSUER", s.OIDCIssuer}, {"GOVAHI_OIDC_KEYS", s.OIDCKeys}} {
		w.Need(one[1] != "", one[0], "بیرون از development، صادرکنندهٔ نشان‌های ورود و کلیدهای او با GOVAHI_OIDC_ISSUER و GOVAHI_OIDC_KEYS نام برده می‌شوند؛ هر دو را تعیین کنید.",
			"outside development mode GOVAHI_OIDC_ISSUER and GOVAHI_OIDC_KEYS name who signs bearer tokens: set both")
	}
	w.Need(s.OIDCKeys == "" || trustworthy(s.OIDCKeys), "GOVAHI_OIDC_KEYS", "نشانی باید https باشد؛ هر که این کلیدها را در راه عوض کند، به نام هر کسی وارد می‌شود.",
		"it must be an https URL: whoever could change these keys on their way could sign in as anybody")
}

// trustworthy tells whether nobody stands between us and a URL: http is for this
// machine alone.
func trustworthy(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && err == nil && ip.IsLoopback()
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
	if h.listener, err = listenAt("GOVAHI_LISTEN", h.Listen); err != nil {
		return err
	}
	if h.metrics, err = listenMetrics(h.Metrics); err != nil {
		return err
	}
	return os.WriteFile(h.data.path(doorFile), []byte(h.base()+"\n"), 0o644)
}

// listenAt takes the address of a setting.
func listenAt(setting, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("برنامهٔ دیگری این نشانی را گرفته است؛ آن را ببندید یا با %[2]s نشانی دیگری بدهید.\n%[1]w: another program has the address; stop it, or choose another with %[2]s", err, setting)
	case err != nil:
		return nil, fmt.Errorf("%w: %s is host:port, such as 127.0.0.1:8080", err, setting)
	}
	return l, nil
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
