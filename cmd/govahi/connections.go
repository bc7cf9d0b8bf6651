package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"govahi/adapters/sso"
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

// errViewsInVault keeps apart what may be dropped at any time from what must
// never be lost.
var errViewsInVault = errors.New("GOVAHI_POSTGRES and GOVAHI_VAULT name the same database: the views may be dropped at any time, the vault must never be lost; give each its own")

// check refuses what cannot be meant, and in production what could be read, or
// answered by somebody else, on its way.
func (c connections) check(mode sso.Mode) error {
	if c.Vault != "" && c.Vault == c.Postgres {
		return errViewsInVault
	}
	for _, link := range []struct{ name, text, how string }{
		{"GOVAHI_LOG", c.Log, "leave tls=false out"},
		{"GOVAHI_NATS", c.NATS, "write tls:// for nats://"},
		{"GOVAHI_POSTGRES", c.Postgres, "write sslmode=verify-full"},
		{"GOVAHI_VAULT", c.Vault, "write sslmode=verify-full"},
	} {
		safe, err := private(link.text)
		if err != nil {
			return fmt.Errorf("%s is not a URL: see govahi serve --help", link.name) // the text may hold a password
		}
		if mode != sso.Development && !safe {
			return fmt.Errorf("%s leaves this machine without TLS: %s", link.name, link.how)
		}
	}
	return nil
}

// private tells whether a connection is encrypted, or stays on this machine. NATS
// has a URL for each server, the others have several hosts in one.
func private(text string) (bool, error) {
	if first, rest, several := strings.Cut(text, ","); several && strings.Contains(rest, "://") {
		one, err := private(first)
		others, wrong := private(rest)
		return one && others, errors.Join(err, wrong)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.ContainsFunc(strings.Split(u.Host, ","), leaves) {
		return true, err
	}
	switch u.Scheme {
	case "esdb", "esdb+discover":
		return u.Query().Get("tls") != "false", nil
	case "postgres", "postgresql":
		mode := u.Query().Get("sslmode")
		return mode == "require" || mode == "verify-ca" || mode == "verify-full", nil
	}
	return u.Scheme == "tls", nil
}

// leaves tells whether a host, perhaps with a port, is another machine.
func leaves(host string) bool {
	host = (&url.URL{Host: host}).Hostname()
	ip, err := netip.ParseAddr(host)
	return host != "localhost" && (err != nil || !ip.IsLoopback())
}
