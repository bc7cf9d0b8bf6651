package eventnode_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"govahi/adapters/eventnode"
	"govahi/adapters/eventnode/tlstest"
)

// The programs in testdata/foreign use the node through a client that nobody
// here wrote: npm's @eventstore/db-client.
func TestForeignClient(t *testing.T) {
	packages := foreignClient(t)
	for name, open := range map[string]func(*testing.T) *foreignNode{"plain": plainForeign, "TLS": secureForeign} {
		for _, program := range foreignPrograms(t, name) {
			t.Run(name+"/"+filepath.Base(program), func(t *testing.T) {
				t.Parallel()
				runForeign(t, packages, program, open(t))
			})
		}
	}
}

// foreignPrograms are those for every node, and those for nodes of one kind.
func foreignPrograms(t *testing.T, kind string) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/foreign/*.test.mjs")
	own, _ := filepath.Glob("testdata/foreign/*.test." + kind + ".mjs")
	if err != nil || len(all) == 0 {
		t.Fatalf("there are no programs in testdata/foreign: %v", err)
	}
	return append(all, own...)
}

// foreignClient is a directory with the client and all that it needs. It is
// made once for a lock file, outside the tree.
func foreignClient(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile("testdata/foreign/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "govahi")
	dir := filepath.Join(cache, fmt.Sprintf("foreign-client-%x", sha256.Sum256(lock)))
	if _, err := os.Stat(dir); err != nil {
		installForeign(t, cache, dir)
	}
	return filepath.Join(dir, "node_modules")
}

// installForeign installs beside and renames, so that what is there is whole.
func installForeign(t *testing.T, cache, dir string) {
	t.Helper()
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	fresh, err := os.MkdirTemp(cache, "fresh-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(fresh)
	copyForeign(t, fresh, "testdata/foreign/package.json", "testdata/foreign/package-lock.json")
	npm := exec.CommandContext(t.Context(), needed(t, "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = fresh
	if output, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
	if err := os.Rename(fresh, dir); err != nil && !errors.Is(err, os.ErrExist) { // another test run was faster
		t.Fatal(err)
	}
}

func needed(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%v; ./install.sh tests installs it", err)
	}
	return path
}

// copyForeign reads the files here and not in the child, so that Go's test cache
// knows of them.
func copyForeign(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// runForeign runs a program, and makes each of its tests one of ours.
func runForeign(t *testing.T, packages, program string, log *foreignNode) {
	t.Helper()
	dir := t.TempDir()
	copyForeign(t, dir, program, "testdata/foreign/log.mjs", "testdata/foreign/reporter.mjs", "testdata/foreign/package.json")
	if err := os.Symlink(packages, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, needed(t, "node"), "--test-reporter=./reporter.mjs", filepath.Base(program))
	node.Dir, node.Env = dir, append(os.Environ(), log.env(t)...)
	var stdout, stderr bytes.Buffer
	node.Stdout, node.Stderr = &stdout, &stderr
	err := node.Run()
	if reported := reportForeign(t, &stdout); err != nil || reported == 0 {
		t.Errorf("%d tests, %v, %v\n%s%s", reported, err, ctx.Err(), &stdout, &stderr)
	}
}

// reportForeign reads what reporter.mjs prints, and counts.
func reportForeign(t *testing.T, lines io.Reader) (n int) {
	for decoder := json.NewDecoder(lines); ; n++ {
		var result struct {
			Name, Error string
			Passed      bool
		}
		if err := decoder.Decode(&result); err != nil {
			return n
		}
		t.Run(result.Name, func(t *testing.T) {
			if !result.Passed {
				t.Error(result.Error)
			}
		})
	}
}

// foreignNode is a node on TCP that its client may stop, and start again on the
// same data and address.
type foreignNode struct {
	dir, address string
	secure       *tls.Config
	users        []eventnode.User
	options      string // in a connection string
	node         *eventnode.Node
	served       chan error
}

func plainForeign(t *testing.T) *foreignNode {
	t.Helper()
	log := &foreignNode{options: "tls=false"}
	log.begin(t)
	return log
}

// secureForeign is a node with TLS and two users.
func secureForeign(t *testing.T) *foreignNode {
	t.Helper()
	ca := tlstest.NewCA(t)
	secure, err := eventnode.TLS(ca.Issue(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	log := &foreignNode{
		options: "tlsCAFile=" + ca.File,
		secure:  secure,
		users:   []eventnode.User{{Name: "mina", Password: "p:a/s s@?"}, {Name: "مینا", Password: "گذر"}},
	}
	log.begin(t)
	return log
}

// begin starts the node until the test ends.
func (n *foreignNode) begin(t *testing.T) {
	t.Helper()
	n.dir, n.address = t.TempDir(), holdPort(t)
	if err := n.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.cut(); err != nil {
			t.Error(err)
		}
	})
}

// holdPort takes a port until the test ends, without listening there: nobody
// else gets it while the node is away.
func holdPort(t *testing.T) (address string) {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(socket) })
	err = errors.Join(
		syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1), // as the node's own
		syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}),
	)
	at, _ := syscall.Getsockname(socket)
	bound, ok := at.(*syscall.SockaddrInet4)
	if err != nil || !ok {
		t.Fatalf("no free port: %v", err)
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.Port)
}

func (n *foreignNode) start() error {
	l, err := net.Listen("tcp", n.address)
	if err != nil {
		return err
	}
	node, err := eventnode.Open(context.Background(), n.dir, eventnode.Options{Users: n.users})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	n.node, n.served = node, make(chan error, 1)
	go func() {
		defer close(n.served) // whoever stops a node twice hears nothing new
		n.served <- node.ServeTCP(l, n.secure)
	}()
	return nil
}

// stop must not come to the end of its patience: no client that reads keeps the
// node.
func (n *foreignNode) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(n.node.Stop(ctx), ctx.Err(), <-n.served)
}

func (n *foreignNode) cut() error { return errors.Join(n.node.Close(), <-n.served) }

// env tells a program where the node is, who may use it, and where it is stopped
// and started.
func (n *foreignNode) env(t *testing.T) []string {
	t.Helper()
	orders := http.NewServeMux()
	for path, order := range map[string]func() error{"/stop": n.stop, "/cut": n.cut, "/start": n.start} {
		orders.HandleFunc("POST "+path, func(w http.ResponseWriter, _ *http.Request) {
			if err := order(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	control := httptest.NewServer(orders)
	t.Cleanup(control.Close)
	env := []string{"LOG_ADDRESS=" + n.address, "LOG_OPTIONS=" + n.options, "LOG_CONTROL=" + control.URL}
	for i, user := range n.users {
		env = append(env, fmt.Sprintf("LOG_USER_%d=%s:%s", i+1, user.Name, user.Password))
	}
	return env
}
