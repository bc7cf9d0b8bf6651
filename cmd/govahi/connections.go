package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/adapters/sso"
	"govahi/domain/fault"
)

// connections name what this process shares with others. What is not named is
// embedded, and this process's alone. They may hold passwords: the environment
// is the place for them, for a command line is seen by everybody on the machine.
type connections struct {
	Log      string `env:"GOVAHI_LOG" placeholder:"URL" help:"EventStoreDB: esdb://… or esdb+discover://…; embedded if empty."`
	NATS     string `env:"GOVAHI_NATS" placeholder:"URLS" help:"NATS with JetStream: nats://… or tls://…, several by commas; embedded if empty."`
	Postgres string `env:"GOVAHI_POSTGRES" placeholder:"URL" help:"PostgreSQL database of the read views: postgres://…; embedded if empty."`
	Vault    string `env:"GOVAHI_VAULT" placeholder:"URL" help:"PostgreSQL database of the vault, never that of the views: postgres://…; embedded if empty."`
	CA       string `env:"GOVAHI_CA" placeholder:"DIR" help:"Directory that the key ceremony made; ca in the data directory if empty."`
}

func (c connections) logTarget(d data) string { return cmp.Or(c.Log, d.logSocket()) }
func (c connections) viewsDSN(d data) string  { return cmp.Or(c.Postgres, dsn(d, "views")) }
func (c connections) vaultDSN(d data) string  { return cmp.Or(c.Vault, dsn(d, "vault")) }
func (c connections) caDir(d data) string     { return cmp.Or(c.CA, d.path("ca")) }

// embedsPostgres says that a private cluster is needed for one of the databases.
func (c connections) embedsPostgres() bool { return c.Postgres == "" || c.Vault == "" }

func dsn(d data, database string) string {
	return fmt.Sprintf("postgres://govahi@/%s?host=%s&port=5432&sslmode=disable", database, d.postgresSocket())
}

var verified = fault.Text{Fa: "بنویسید sslmode=verify-full", En: "write sslmode=verify-full"}

// check refuses what cannot be meant, and in production what could be read, or
// answered by somebody else, on its way. The texts may hold passwords, and are
// not repeated.
func (c connections) check(mode sso.Mode) error {
	w := &fault.Remarks{}
	// What may be dropped at any time is kept apart from what must never be lost.
	w.Need(c.Vault == "" || c.Vault != c.Postgres, "GOVAHI_VAULT",
		"همان پایگاه دادهٔ GOVAHI_POSTGRES است؛ نماها را هر زمان می‌توان کنار گذاشت و دادهٔ شخصی هرگز نباید گم شود، پس به هر یک پایگاه دادهٔ خود را بدهید.",
		"it names the same database as GOVAHI_POSTGRES: the views may be dropped at any time, the vault must never be lost; give each its own")
	for _, link := range []struct {
		name, text string
		how        fault.Text
		private    func(string) (bool, error)
	}{
		{"GOVAHI_LOG", c.Log, fault.Text{Fa: "tls=false و tlsVerifyCert=false را بردارید", En: "leave tls=false and tlsVerifyCert=false out"}, privateLog},
		{"GOVAHI_NATS", c.NATS, fault.Text{Fa: "به جای nats:// بنویسید tls://", En: "write tls:// for nats://"}, privateNATS},
		{"GOVAHI_POSTGRES", c.Postgres, verified, privatePostgres},
		{"GOVAHI_VAULT", c.Vault, verified, privatePostgres},
	} {
		if link.text == "" {
			continue
		}
		safe, err := link.private(link.text)
		var file *fs.PathError
		switch {
		case errors.As(err, &file):
			w.Need(false, link.name, "پروندهٔ گواهی‌ها خوانده نمی‌شود؛ نام و دسترسی آن را بازبینی کنید (%v).", "the file of certificates cannot be read (%v)", file)
		case err != nil:
			w.Need(false, link.name, "نشانی (URL) درستی نیست؛ govahi serve --help را ببینید.", "it is not a URL: see govahi serve --help")
		default:
			w.Need(safe || mode == sso.Development, link.name, "بی TLS از این رایانه بیرون می‌رود، یا به هر که پاسخ دهد اعتماد می‌کند؛ %[1]s.",
				"it leaves this machine without TLS, or trusts whoever answers: %[2]s", link.how.Fa, link.how.En)
		}
	}
	return w.Err()
}

// privateLog tells whether a connection stays on this machine, or is encrypted
// and knows the other side. The client reads names and values in any case.
func privateLog(text string) (bool, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.ContainsFunc(strings.Split(u.Host, ","), leaves) {
		return true, err
	}
	for name, values := range u.Query() {
		on, err := strconv.ParseBool(strings.ToLower(values[0]))
		if name = strings.ToLower(name); (name == "tls" || name == "tlsverifycert") && (err != nil || !on) {
			return false, nil
		}
	}
	return true, nil
}

// privateNATS is the same of a URL for each server.
func privateNATS(text string) (safe bool, err error) {
	safe = true
	for one := range strings.SplitSeq(text, ",") {
		u, err := url.Parse(one)
		if err != nil || u.Host == "" {
			return false, cmp.Or(err, errNoHost)
		}
		safe = safe && (u.Scheme == "tls" || !leaves(u.Host))
	}
	return safe, nil
}

var errNoHost = errors.New("a URL without a host")

// privatePostgres asks the client, which takes hosts from more places than the
// URL's own, and has ways to go on without TLS.
func privatePostgres(text string) (bool, error) {
	if _, err := url.Parse(text); err != nil {
		return false, err
	}
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		return false, err
	}
	ways := []*pgconn.FallbackConfig{{Host: config.ConnConfig.Host, TLSConfig: config.ConnConfig.TLSConfig}}
	for _, way := range append(ways, config.ConnConfig.Fallbacks...) {
		knows := way.TLSConfig != nil && (!way.TLSConfig.InsecureSkipVerify || way.TLSConfig.VerifyPeerCertificate != nil)
		if !knows && !strings.HasPrefix(way.Host, "/") && elsewhere(way.Host) {
			return false, nil
		}
	}
	return true, nil
}

// leaves tells whether a host, perhaps with a port, is another machine.
func leaves(host string) bool { return elsewhere((&url.URL{Host: host}).Hostname()) }

func elsewhere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host != "localhost" && (err != nil || !ip.IsLoopback())
}
