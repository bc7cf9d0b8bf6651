package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"govahi/adapters/eventnode/tlstest"
	"govahi/adapters/mail"
	"govahi/adapters/postgres/pgtest"
)

// cluster is a house that stands on several processes: three JetStream servers,
// a PostgreSQL over TCP, the event node with TLS and a user, and two `serve`
// processes of every role. Each process is joined to each part by links of its
// own, which a test can silence or cut.
type cluster struct {
	*testing.T
	dir      string
	shared   string // directory of what development needs to be the same everywhere
	ca       string
	bus      *bus
	postgres *pgtest.Remote
	log      *process
	logAt    string
	logCA    string
	members  []*member
}

// member is one `govahi serve`.
type member struct {
	*process
	instance
	roles       string
	door        *wire // by which callers come
	logs, views *wire // views leads to both databases
	buses       [3]*wire
}

const (
	nodeUser     = "govahi"
	nodePassword = "sample"
	clusterBase  = "http://pki.example.ir" // what certificates cite, whichever process answers
)

// newCluster starts the parts, each at an address of a network of its own on
// this machine, so that it finds its port free again after its death.
func newCluster(t *testing.T, roles ...string) *cluster {
	t.Helper()
	network := fmt.Sprintf("127.%d.%d", 1+rand.IntN(254), rand.IntN(256))
	c := &cluster{T: t, dir: filepath.Dir(dataDir(t)), logAt: network + ".5:2113"}
	c.shared, c.ca = filepath.Join(c.dir, "shared"), filepath.Join(c.dir, "ca")
	must(t, os.Mkdir(c.shared, 0o700))
	hold(t, c.dir)
	c.bus = startBus(t, network)
	c.postgres = pgtest.TCP(t, network+".4", "views", "vault")
	c.startLog()
	for n, r := range roles {
		c.members = append(c.members, c.enter(fmt.Sprintf("%s.%d", network, 10+n), r))
	}
	for _, m := range c.members {
		m.awaitReady(t)
	}
	return c
}

// startLog starts the event node, with a certificate and a user.
func (c *cluster) startLog() {
	c.Helper()
	authority, dir := tlstest.NewCA(c.T), c.TempDir()
	certificate, key := authority.Issue(c.T, dir)
	users := filepath.Join(dir, "users")
	must(c.T, os.WriteFile(users, []byte(nodeUser+":"+nodePassword+"\n"), 0o600))
	c.logCA = authority.File
	c.log = run(c.T, "node", func() *exec.Cmd {
		return exec.Command(beside("govahi"), "node", "--listen", c.logAt, "--data", filepath.Join(c.dir, "log"),
			"--tls-cert", certificate, "--tls-key", key, "--users", users)
	})
	await(c.T, "the node listens", func() bool { return listens(c.logAt) })
}

func listens(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// logURL names the node, by way of a link. Its certificate is for 127.0.0.1.
func (c *cluster) logURL(at string) string {
	return fmt.Sprintf("esdb://%s:%s@%s?tlsCaFile=%s", nodeUser, nodePassword, at, c.logCA)
}

// enter starts a process with roles, at an address, joined to every part.
func (c *cluster) enter(ip, roles string) *member {
	c.Helper()
	m := &member{roles: roles}
	m.dir, m.listen = filepath.Join(c.dir, strings.ReplaceAll(filepath.Base(ip), ".", "-")), ip+":8080"
	c.join(m)
	m.process = run(c.T, roles+" at "+ip, func() *exec.Cmd {
		cmd := exec.Command(beside("govahi"), "serve", "--roles", roles)
		cmd.Env = append(append(os.Environ(), m.env()...), "GOVAHI_BASE="+clusterBase, "GOVAHI_LIMITS=off")
		return cmd
	})
	return m
}

// join lays the links. The processes share the key of the development issuer,
// as real ones have one identity provider.
func (c *cluster) join(m *member) {
	c.Helper()
	must(c.T, os.Mkdir(m.dir, 0o711))
	must(c.T, os.WriteFile(filepath.Join(m.dir, "VERSION"), fmt.Appendln(nil, layout), 0o644))
	must(c.T, os.Symlink(c.shared, filepath.Join(m.dir, "dev")))
	m.door = lay(c.T, m.listen)
	m.logs = lay(c.T, c.logAt)
	m.views = lay(c.T, c.postgres.Address())
	var buses []string
	for n, at := range c.bus.at {
		m.buses[n] = lay(c.T, at)
		buses = append(buses, m.buses[n].at)
	}
	m.connections = connections{
		Log: c.logURL(m.logs.at), NATS: busURL(buses), CA: c.ca,
		Postgres: c.postgres.URL(m.views.at, "views"), Vault: c.postgres.URL(m.views.at, "vault"),
	}
}

// wires are all the links of the process.
func (m *member) wires() []*wire {
	return append([]*wire{m.door, m.logs, m.views}, m.buses[:]...)
}

func (m *member) has(role string) bool { return slices.Contains(strings.Split(m.roles, ","), role) }

// of are the processes that have a role.
func (c *cluster) of(role string) (some []*member) {
	for _, m := range c.members {
		if m.has(role) {
			some = append(some, m)
		}
	}
	return some
}

// operator is who asks one of the doors from outside, and looks at log and
// databases without any of the links that a test harms.
func (c *cluster) operator(api *member) *instance {
	return &instance{
		dir: api.dir, listen: api.listen,
		connections: connections{
			Log: c.logURL(c.direct), CA: c.ca,
			Postgres: c.postgres.URL(c.postgres.Address(), "views"), Vault: c.postgres.URL(c.postgres.Address(), "vault"),
		},
	}
}
