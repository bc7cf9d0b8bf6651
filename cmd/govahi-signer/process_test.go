package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"govahi/adapters/cms"
	"govahi/adapters/eventnode"
	"govahi/adapters/eventstore"
	"govahi/adapters/pki"
	"govahi/adapters/signer"
	"govahi/adapters/signer/signertest"
)

const (
	spyModule = "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so"
	patience  = 20 * time.Second // bounds what must happen; nothing waits for it to pass
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "govahi-signer")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "govahi-signer")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// ca is a ceremony's result, a log on an embedded node, and what is needed to
// start signing processes beside them.
type ca struct {
	*pki.Authority
	dir, socket, node string
	log               *eventstore.Log
	by                signertest.Confirmer
}

func newCA(t testing.TB) *ca {
	t.Helper()
	base, err := os.MkdirTemp("", "ca") // t.TempDir may be too long for a socket
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	c := &ca{dir: filepath.Join(base, "signer"), socket: filepath.Join(base, "s"), node: filepath.Join(base, "n")}
	run(t, "ceremony", "--dir", c.dir)
	issuer, err := os.ReadFile(filepath.Join(c.dir, "issuer.pem"))
	must(t, err)
	root, err := os.ReadFile(filepath.Join(c.dir, "root.pem"))
	must(t, err)
	c.Authority, err = pki.Open(issuer, root, pki.Under("http://ca.example.ir"))
	must(t, err)
	c.openLog(t, filepath.Join(base, "log"))
	return c
}

// certify has a first process sign the second officer's own certificate.
func (c *ca) certify(t testing.TB) *ca {
	t.Helper()
	p := c.start(t, nil)
	c.by = signertest.Certify(t, c.log, c, p.SignCertificate, cms.Sign)
	p.stop(t)
	return c
}

func (c *ca) openLog(t testing.TB, dir string) {
	t.Helper()
	node, err := eventnode.Open(t.Context(), dir, eventnode.Options{})
	must(t, err)
	l, err := eventnode.ListenUnix(c.node)
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- node.Serve(l) }()
	c.log, err = eventstore.Open(c.node)
	must(t, err)
	t.Cleanup(func() {
		if err := errors.Join(c.log.Close(), node.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
}

// process is a running govahi-signer.
type process struct {
	*signer.Client
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr *bytes.Buffer
	ended  chan error
}

// start waits until the process says that it is ready.
func (c *ca) start(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p, ready := c.launch(t, env, args...)
	select {
	case line := <-ready:
		if line != "ready" {
			t.Fatalf("said %q: %s", line, p.stderr)
		}
	case <-time.After(patience):
		t.Fatal("not ready")
	}
	return p
}

func (c *ca) launch(t testing.TB, env []string, args ...string) (*process, <-chan string) {
	t.Helper()
	args = append([]string{"serve", "--dir", c.dir, "--socket", c.socket, "--log", c.node, "--tethered"}, args...)
	p := &process{Client: signer.NewClient(c.socket), cmd: exec.Command(binary, args...), stderr: &bytes.Buffer{}, ended: make(chan error, 1)}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), env...), p.stderr
	stdin, err := p.cmd.StdinPipe()
	must(t, err)
	p.stdin = stdin
	stdout, err := p.cmd.StdoutPipe()
	must(t, err)
	must(t, p.cmd.Start())
	ready := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		ready <- string(bytes.TrimSpace([]byte(line)))
		p.ended <- p.cmd.Wait()
	}()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p, ready
}

// end waits until the process has gone by itself.
func (p *process) end(t testing.TB) *os.ProcessState {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatal("the process does not end")
	}
	return p.cmd.ProcessState
}

func (p *process) stop(t testing.TB) {
	t.Helper()
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	if state := p.end(t); state.ExitCode() != 0 {
		t.Errorf("ended with %v: %s", state, p.stderr)
	}
}

func run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command(binary, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func try(t testing.TB, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
