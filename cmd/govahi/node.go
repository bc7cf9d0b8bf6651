package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"

	"govahi/adapters/eventnode"
	"govahi/domain/fault"
)

// node runs the event log alone, for clients that speak EventStoreDB's gRPC.
type node struct {
	Listen  string   `default:"127.0.0.1:2113" placeholder:"HOST:PORT" help:"Address for gRPC and, on the same port, GET /health/live and /gossip. Without TLS only a loopback address is taken."`
	Data    string   `required:"" placeholder:"DIR" help:"Directory of the log: a new one, or one that a node made."`
	TLSCert string   `name:"tls-cert" placeholder:"FILE" help:"Certificate chain, PEM. A file that changes is read anew."`
	TLSKey  string   `name:"tls-key" placeholder:"FILE" help:"Its private key, PEM."`
	User    []string `sep:"none" placeholder:"NAME:PASSWORD" help:"Who may call; may be repeated. Everybody on this machine can read a command line: --users is better."`
	Users   string   `env:"GOVAHI_NODE_USERS" placeholder:"FILE" help:"File with one NAME:PASSWORD a line. Without any user everybody may call."`
}

// Run serves until it is told to stop.
func (c node) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	users, err := c.users()
	if err != nil {
		return err
	}
	l, secure, err := c.listen(len(users) > 0)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	if err := checkLogDir(c.Data); err != nil {
		return err
	}
	a := newAnnouncer(os.Stdout)
	n, err := eventnode.Open(ctx, c.Data, eventnode.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Users: users})
	if err != nil {
		return err
	}
	a.part("log", fmt.Sprintf("%s, last position %d", c.Data, n.Last()))
	served := make(chan error, 1)
	go func() { served <- n.ServeTCP(l, secure) }()
	a.part("node", fmt.Sprintf("%s, %s, %s", l.Addr(), manner(secure), callers(users)))
	a.nodeIsReady()
	select {
	case <-ctx.Done():
		stop() // a second signal ends the process
	case err = <-served:
		return errors.Join(err, n.Close())
	}
	patience, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	err = errors.Join(n.Stop(patience), <-served)
	_, _ = fmt.Fprintln(os.Stdout, "stopped.")
	return err
}

func (a *announcer) nodeIsReady() {
	_, _ = fmt.Fprintf(a.out, "\nThe event log is ready: Govahi %s, as EventStoreDB %s. Stop with Ctrl-C.\n", version, eventnode.Version)
}

func manner(secure *tls.Config) string {
	if secure == nil {
		return "plain"
	}
	return "TLS"
}

func callers(users []eventnode.User) string {
	switch len(users) {
	case 0:
		return "anonymous"
	case 1:
		return "1 user"
	}
	return fmt.Sprint(len(users), " users")
}

// listen takes the address, if it is safe to serve there.
func (c node) listen(hasUsers bool) (net.Listener, *tls.Config, error) {
	var secure *tls.Config
	var err error
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return nil, nil, errors.New("برای TLS هر دو را بدهید: --tls-cert و --tls-key.\nTLS needs both --tls-cert and --tls-key")
	case c.TLSCert != "":
		if secure, err = eventnode.TLS(c.TLSCert, c.TLSKey); err != nil {
			return nil, nil, err
		}
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("--listen نشانی و درگاهی آزاد از همین دستگاه است، مانند 127.0.0.1:2113.\n%w: --listen is host:port, such as 127.0.0.1:2113, of this machine and free", err)
	}
	if at, ok := l.Addr().(*net.TCPAddr); ok && at.IP.IsLoopback() {
		return l, secure, nil
	}
	switch {
	case secure == nil:
		err = fmt.Errorf("%[1]s بی TLS پذیرفته نیست: دیگران در راه رویدادها را می‌خوانند و دگرگون می‌کنند؛ --tls-cert و --tls-key بدهید یا 127.0.0.1 را.\n"+
			"without TLS %[1]s is refused: others on the way could read and change events; give --tls-cert and --tls-key, or listen on 127.0.0.1", c.Listen)
	case !hasUsers:
		err = fmt.Errorf("%[1]s بی کاربر پذیرفته نیست: هر که به آن برسد می‌تواند بیفزاید؛ با --users FILE بگویید چه کسی، یا 127.0.0.1 را بدهید.\n"+
			"without users %[1]s is refused: everybody who reaches it could append; name who may call with --users FILE, or listen on 127.0.0.1", c.Listen)
	default:
		return l, secure, nil
	}
	return nil, nil, errors.Join(err, l.Close())
}

// users are those of the command line and those of the file, each once.
func (c node) users() ([]eventnode.User, error) {
	lines := c.User
	if c.Users != "" {
		f, err := os.Open(c.Users)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		more, err := nonempty(f)
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			return nil, fmt.Errorf("در %[1]s کسی نام برده نشده است؛ در هر سطر یک NAME:PASSWORD بنویسید.\n%[1]s names nobody: write one NAME:PASSWORD a line", c.Users)
		}
		lines = append(lines, more...)
	}
	var users []eventnode.User
	for _, text := range lines {
		u, err := eventnode.ParseUser(text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(users, func(other eventnode.User) bool { return other.Name == u.Name }) {
			return nil, fmt.Errorf("کاربر %[1]s دو بار نام برده شده است؛ یکی را بردارید.\nthe user %[1]s is named twice: take one away", u.Name)
		}
		users = append(users, u)
	}
	return users, nil
}

// nonempty are the lines of a file that hold anything.
func nonempty(r io.Reader) (lines []string, err error) {
	s := bufio.NewScanner(r)
	for s.Scan() {
		if text := strings.TrimSpace(s.Text()); text != "" {
			lines = append(lines, text)
		}
	}
	return lines, s.Err()
}

// checkLogDir refuses a directory of something else, an instance's above all:
// its log stands in the directory log below it.
func checkLogDir(dir string) error {
	if dir == "" {
		return fault.Remark("--data", "پوشه‌ای نام برده نشده است؛ پوشهٔ دفتر رویدادها را بنویسید.", "it names no directory: write that of the event log")
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "LOCK" }) { // Pebble's
		return nil
	}
	return fault.Remark("--data", "در %[1]s دفتر رویداد نیست و چیز دیگری هست؛ پوشهٔ تازه‌ای نام ببرید، یا برای دفتر یک سامانه %[1]s/log را.",
		"%[1]s holds no event log but something else: name a new directory or, for the log of an instance, %[1]s/log", dir)
}
