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

	"govahi/adapters/eventnode/tlstest"
	"govahi/adapters/postgres/pgtest"
)

// cluster is a house that stands on several processes: three JetStream servers,
// a PostgreSQL over TCP, the event node with TLS and a user, and two `serve`
// processes of every role. Each process is joined to each part by links of its
// own, which a test can silence or cut.
type cluster struct {
	*testing.T
	dir       string
	network   string // the first three bytes of its addresses
	shared    string // directory of what development needs to be the same everywhere
	ca        string // of the house; that of its links is authority
	authority *tlstest.CA
	bus       *bus
	postgres  *pgtest.Remote
	log       *process
	logAt     string
	direct    *wire // to the log, for the test itself: it is never harmed
	doors     *doors
	members   []*member
}

// member is one `govahi serve`.
type member struct {
	*process
	instance
	roles       string
	door        *wire // by which callers come; nil where nobody may
	logs, views *wire // views leads to both databases
	buses       [3]*wire
}

const (
	nodeUser     = "govahi"
	nodePassword = "sample"
)

// newCluster starts the parts, each at an address of a network of its own on
// this machine, so that it finds its port free again after its death.
func newCluster(t *testing.T, roles ...string) *cluster {
	t.Helper()
	network := fmt.Sprintf("127.%d.%d", 1+rand.IntN(254), rand.IntN(256))
	c := &cluster{T: t, dir: filepath.Dir(dataDir(t)), network: network, logAt: network + ".5:2113"}
	c.shared, c.ca = filepath.Join(c.dir, "shared"), filepath.Join(c.dir, "ca")
	must(t, os.Mkdir(c.shared, 0o700))
	hold(t, c.dir)
	c.authority = tlstest.NewCA(t)
	c.bus = startBus(t, network, c.authority)
	c.postgres = pgtest.TCP(t, network+".4", "views", "vault")
	c.startLog()
	c.direct = lay(t, c.logAt)
	c.doors = openDoors(t, network+".9:8080")
	for _, r := range roles {
		c.enter(r)
	}
	for _, m := range c.members {
		m.awaitReady(t)
	}
	return c
}

// startLog starts the event node, with a certificate and a user.
func (c *cluster) startLog() {
	c.Helper()
	dir := c.TempDir()
	certificate, key := c.authority.Issue(c.T, dir)
	users := filepath.Join(dir, "users")
	must(c.T, os.WriteFile(users, []byte(nodeUser+":"+nodePassword+"\n"), 0o600))
	c.log = startProcess(c.T, "node", func() *exec.Cmd {
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
	return fmt.Sprintf("esdb://%s:%s@%s?tlsCaFile=%s", nodeUser, nodePassword, at, c.authority.File)
}

// enter starts a process with roles, joined to every part.
func (c *cluster) enter(roles string, env ...string) {
	c.Helper()
	listen := fmt.Sprintf("%s.%d:8080", c.network, 10+len(c.members))
	m, short := &member{roles: roles}, roles
	if strings.Contains(roles, ",") {
		short = "all"
	}
	m.dir, m.listen = filepath.Join(c.dir, fmt.Sprintf("%s-%d", short, 1+len(c.of(roles)))), listen
	c.join(m)
	m.process = startProcess(c.T, filepath.Base(m.dir), func() *exec.Cmd {
		cmd := exec.Command(beside("govahi"), "serve", "--roles", roles)
		cmd.Env = slices.Concat(os.Environ(), m.env(), []string{"GOVAHI_BASE=http://" + c.doors.front, "GOVAHI_LIMITS=off", "SSL_CERT_FILE=" + c.authority.File}, env)
		return cmd
	})
	c.Cleanup(func() {
		if log, _ := os.ReadFile(filepath.Join(m.dir, "govahi.log")); c.Failed() {
			c.Logf("%s logged:\n%s", m.name, tail(log, 3000))
		}
	})
	c.members = append(c.members, m)
	if m.door != nil {
		c.doors.add(m.door.at)
	}
}

// join lays the links, and names them as a cluster is named: the log by discovery
// to every other process, and PostgreSQL behind a server that is not there, as
// after a failover. The processes share the key of the development issuer, as real
// ones have one identity provider.
func (c *cluster) join(m *member) {
	c.Helper()
	must(c.T, os.Mkdir(m.dir, 0o711))
	must(c.T, os.WriteFile(filepath.Join(m.dir, "VERSION"), fmt.Appendln(nil, layout), 0o644))
	must(c.T, os.Symlink(c.shared, filepath.Join(m.dir, "dev")))
	if strings.Contains(m.roles, roleAPI) {
		m.door = lay(c.T, m.listen)
	}
	m.logs = lay(c.T, c.logAt)
	m.views = lay(c.T, c.postgres.Address())
	var buses []string
	for n, at := range c.bus.at {
		m.buses[n] = lay(c.T, at)
		buses = append(buses, m.buses[n].at)
	}
	gone := c.network + ".8:5432"
	m.connections = connections{
		Log: c.logURL(m.logs.at), NATS: busURL(buses), CA: c.ca,
		Postgres: c.postgres.URL(gone+","+m.views.at, "views"), Vault: c.postgres.URL(gone+","+m.views.at, "vault"),
	}
	if len(c.members)%2 == 1 {
		m.Log = strings.Replace(m.Log, "esdb:", "esdb+discover:", 1)
	}
}

// wires are all the links of the process.
func (m *member) wires() []*wire {
	all := append([]*wire{m.logs, m.views}, m.buses[:]...)
	if m.door != nil {
		all = append(all, m.door)
	}
	return all
}

// of are the processes that have a role.
func (c *cluster) of(role string) (some []*member) {
	for _, m := range c.members {
		if strings.Contains(m.roles, role) {
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
			Log: c.logURL(c.direct.at), CA: c.ca,
			Postgres: c.postgres.URL(c.postgres.Address(), "views"), Vault: c.postgres.URL(c.postgres.Address(), "vault"),
		},
	}
}
