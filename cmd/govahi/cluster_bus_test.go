package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"govahi/adapters/eventnode/tlstest"
	"govahi/adapters/nats"
	"govahi/domain/event"
)

// natsServer is the program of the NATS project itself, as operators run it.
var natsServer = sync.OnceValues(func() (string, error) {
	file := filepath.Join(programs, "nats-server")
	out, err := exec.Command("go", "build", "-o", file, "github.com/nats-io/nats-server/v2").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build nats-server: %w: %s", err, out)
	}
	return file, err
})

// bus is a JetStream cluster of three servers.
type bus struct {
	nodes [3]*process
	at    [3]string
	conn  *natsgo.Conn
	js    jetstream.JetStream
}

const (
	busUser     = "govahi"
	busPassword = "sample"
	busPing     = 200 * time.Millisecond
)

// startBus starts three servers at three addresses of a network, with TLS.
func startBus(t *testing.T, network string, authority *tlstest.CA) *bus {
	t.Helper()
	program, err := natsServer()
	must(t, err)
	b, dir := &bus{}, t.TempDir()
	authority.Issue(t, dir)
	var ips, routes []string
	for n := range b.nodes {
		ips = append(ips, fmt.Sprintf("%s.%d", network, n+1))
		routes = append(routes, fmt.Sprintf("nats://%s", net.JoinHostPort(ips[n], "6222")))
	}
	for n, ip := range ips {
		b.at[n] = net.JoinHostPort(ip, "4222")
		file := filepath.Join(dir, fmt.Sprintf("bus-%d.conf", n+1))
		must(t, os.WriteFile(file, []byte(busConfig(n, ip, dir, routes)), 0o600))
		b.nodes[n] = startProcess(t, fmt.Sprintf("bus-%d", n+1), func() *exec.Cmd { return exec.Command(program, "--config", file) })
	}
	b.join(t, authority.File)
	return b
}

// busConfig is that of docs/operations.md, at addresses of this machine. The
// servers do not tell clients of each other: a client knows its own links only.
func busConfig(n int, ip, dir string, routes []string) string {
	return fmt.Sprintf(`
server_name: bus-%[1]d
listen: %[2]s:4222
authorization { user: %[3]s, password: %[4]s }
tls { cert_file: %[7]q, key_file: %[8]q }
jetstream { store_dir: %[5]q, max_file_store: 2GB, max_memory_store: 64MB }
cluster { name: govahi, listen: %[2]s:6222, no_advertise: true, routes: [%[6]s] }
`, n+1, ip, busUser, busPassword, filepath.Join(dir, fmt.Sprint(n+1)), strings.Join(routes, ", "),
		filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
}

// busURL names addresses, of servers or of links to them.
func busURL(addresses []string) string {
	var all []string
	for _, at := range addresses {
		all = append(all, fmt.Sprintf("tls://%s:%s@%s", busUser, busPassword, at))
	}
	return strings.Join(all, ",")
}

// join connects the test itself, and waits until the three have a leader.
func (b *bus) join(t *testing.T, ca string) {
	t.Helper()
	var links []string // for the certificate's sake, which is for 127.0.0.1
	for _, at := range b.at {
		links = append(links, lay(t, at).at)
	}
	var err error
	b.conn, err = natsgo.Connect(busURL(links), natsgo.RootCAs(ca), natsgo.MaxReconnects(-1), natsgo.RetryOnFailedConnect(true),
		natsgo.ReconnectWait(busPing), natsgo.PingInterval(busPing), natsgo.MaxPingsOutstanding(2))
	must(t, err)
	t.Cleanup(b.conn.Close)
	b.js, err = jetstream.New(b.conn, jetstream.WithDefaultTimeout(tryWithin))
	must(t, err)
	await(t, "JetStream has a leader", func() bool { _, err := b.js.AccountInfo(t.Context()); return err == nil })
}

// leader is the index of the server that leads the stream.
func (b *bus) leader(t *testing.T) (n int) {
	t.Helper()
	await(t, "the stream has a leader", func() bool {
		info, err := b.info(t.Context())
		return err == nil && info.Cluster != nil && indexOf(info.Cluster.Leader, &n)
	})
	return n
}

func indexOf(name string, n *int) bool {
	_, err := fmt.Sscanf(name, "bus-%d", n)
	*n--
	return err == nil
}

func (b *bus) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	s, err := b.js.Stream(ctx, nats.StreamName)
	if err != nil {
		return nil, err
	}
	return s.Info(ctx)
}

// messages reads the stream from its beginning to its end.
func (b *bus) messages(t *testing.T) (all []*jetstream.RawStreamMsg) {
	t.Helper()
	s, err := b.js.Stream(t.Context(), nats.StreamName)
	must(t, err)
	state := s.CachedInfo().State
	for n := state.FirstSeq; n <= state.LastSeq; n++ {
		m, err := s.GetMsg(t.Context(), n)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		must(t, err)
		all = append(all, m)
	}
	return all
}

// last is the position of the stream's last event; zero where it is empty, or
// nobody answers.
func (b *bus) last(t *testing.T) event.Position {
	t.Helper()
	s, err := b.js.Stream(t.Context(), nats.StreamName)
	if err != nil {
		return 0
	}
	m, err := s.GetMsg(t.Context(), s.CachedInfo().State.LastSeq)
	if err != nil {
		return 0
	}
	p, _ := event.ParsePosition(m.Header.Get("Govahi-Position")) // nobody else writes there
	return p
}
