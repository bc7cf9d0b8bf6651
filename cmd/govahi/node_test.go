package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"govahi/adapters/eventnode/tlstest"
	"govahi/adapters/eventstore"
	"govahi/domain/event"
)

// aloneNode is a running `govahi node`.
type aloneNode struct {
	cmd     *exec.Cmd
	said    *transcript
	ended   <-chan error
	address string
}

// startNode waits until the node has said where it listens.
func startNode(t *testing.T, env []string, args ...string) aloneNode {
	t.Helper()
	said, ended := &transcript{}, make(chan error, 1)
	cmd := exec.Command(beside("govahi"), append([]string{"node"}, args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), said, said
	must(t, cmd.Start())
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var address []string
	await(t, "the node is ready", func() bool {
		address = regexp.MustCompile(`node +([0-9.]+:[0-9]+), `).FindStringSubmatch(said.String())
		return address != nil && strings.Contains(said.String(), "is ready")
	})
	return aloneNode{cmd, said, ended, address[1]}
}

// stop sends a signal, and finds that the node ends in peace.
func (n aloneNode) stop(t *testing.T, s syscall.Signal) {
	t.Helper()
	must(t, n.cmd.Process.Signal(s))
	select {
	case err := <-n.ended:
		if err != nil || !strings.HasSuffix(n.said.String(), "stopped.\n") {
			t.Fatalf("%v ends it with %v:\n%s", s, err, n.said)
		}
	case <-time.After(within):
		t.Fatalf("%v does not end it:\n%s", s, n.said)
	}
}

// TestNodeAlone appends a little between each two signals that stop the node;
// everything is there in the end.
func TestNodeAlone(t *testing.T) {
	dir := filepath.Join(dataDir(t), "log")
	ca := tlstest.NewCA(t)
	cert, key := ca.Issue(t, t.TempDir())
	users := filepath.Join(t.TempDir(), "users")
	must(t, os.WriteFile(users, []byte("mina:secret one\n\n reza:secret:two\n"), 0o600))
	var last event.Position
	for i, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM} {
		n := startNode(t, []string{"GOVAHI_NODE_USERS=" + users}, "--listen", "127.0.0.1:0", "--data", dir, "--tls-cert", cert, "--tls-key", key)
		for _, want := range []string{", TLS, 2 users", fmt.Sprintf("last position %d\n", last), "EventStoreDB 24.10.0"} {
			if !strings.Contains(n.said.String(), want) {
				t.Errorf("it did not say %q:\n%s", want, n.said)
			}
		}
		log, err := eventstore.Open(fmt.Sprintf("esdb://reza:secret%%3Atwo@%s?tlsCaFile=%s", n.address, ca.File))
		must(t, err)
		name := fmt.Sprint(i)
		r, err := log.Append(t.Context(), event.NewStream("test", name), event.NoStream,
			event.Proposed{ID: event.DeriveID(name), Type: "test.happened.v1", Data: []byte(`{}`), Meta: []byte(`{}`)})
		must(t, err)
		last = r.Position
		subscribed, live := context.WithCancel(t.Context()) // a subscription does not hold the stop up
		count := 0
		for d, err := range log.Subscribe(subscribed, 0) {
			must(t, err)
			if d.CaughtUp {
				break
			}
			if d.Event != nil {
				count++
			}
		}
		if count != i+1 {
			t.Fatalf("%d events after %d appends", count, i+1)
		}
		n.stop(t, s)
		live()
		must(t, log.Close())
	}
}

func TestNodeRefuses(t *testing.T) {
	dir, other := dataDir(t), dataDir(t)
	must(t, os.MkdirAll(other, 0o700))
	must(t, os.WriteFile(filepath.Join(other, "VERSION"), []byte("1\n"), 0o600))
	ca := tlstest.NewCA(t)
	cert, key := ca.Issue(t, t.TempDir())
	empty := filepath.Join(t.TempDir(), "users")
	must(t, os.WriteFile(empty, []byte("\n"), 0o600))
	running := startNode(t, []string{"GOVAHI_NODE_USERS="}, "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "taken"))
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no directory":           {nil, "--data"},
		"no name of a directory": {[]string{"--data="}, "--data"},
		"plain for everybody":    {[]string{"--data", dir, "--listen", ":0", "--user", "a:b"}, "--tls-cert"},
		"anonymous for all":      {[]string{"--data", dir, "--listen", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key}, "--users"},
		"half of TLS":            {[]string{"--data", dir, "--tls-cert", cert}, "--tls-key"},
		"no certificate":         {[]string{"--data", dir, "--tls-cert", key, "--tls-key", key}, "certificate"},
		"a taken address":        {[]string{"--data", dir, "--listen", running.address}, "--listen"},
		"a taken directory":      {[]string{"--data", filepath.Join(dir, "taken"), "--listen", "127.0.0.1:0"}, "in use"},
		"an instance":            {[]string{"--data", other, "--listen", "127.0.0.1:0"}, other + "/log"},
		"no password":            {[]string{"--data", dir, "--user", "secret"}, "NAME:PASSWORD"},
		"one name, two people":   {[]string{"--data", dir, "--user", "a:secret", "--user", "a:c"}, "twice"},
		"a users file of nobody": {[]string{"--data", dir, "--users", empty}, "nobody"},
		"no users file":          {[]string{"--data", dir, "--users", empty + ".missing"}, "no such file"},
	} {
		out, err := govahi(t, "", nil, append([]string{"node"}, test.args...)...)
		if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %s%v", name, out, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("a refused node left %v, %v", entries, err)
	}
	running.stop(t, syscall.SIGTERM)
}
