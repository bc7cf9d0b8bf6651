// Package postgres runs a private PostgreSQL cluster as a child process, and
// opens pools of connections to that or any other server.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	superuser  = "govahi"
	socketName = ".s.PGSQL.5432"
	longest    = 107 // bytes of a socket's path: sun_path is 108 with its NUL (unix(7))
)

// Cluster says where a private PostgreSQL cluster lives.
type Cluster struct {
	Dir       string            // data directory, made on first use
	SocketDir string            // directory of the Unix socket and of nothing else; empty means Dir
	Settings  map[string]string // server settings that replace ours
	Log       *slog.Logger      // nil is silent

	known bool // it was there before: a new one must not take its place
}

// Server is a running cluster, a child of this process. It dies with Stop, or
// outlives a killed parent until the next Start on its directory.
type Server struct {
	dir, sockets string
	log          *slog.Logger
	lock         *os.File
	cmd          *exec.Cmd
	last         tail
	done         chan struct{}
	err          error
}

// Start makes the cluster if there is none, stops a server that a killed
// process left behind, and returns when connections are accepted. The context
// bounds the start only. As root the server runs as postgres or nobody.
func Start(ctx context.Context, c Cluster) (*Server, error) {
	s, err := start(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return s, nil
}

func start(ctx context.Context, c Cluster) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	a, err := serverAccount()
	if err != nil {
		return nil, err
	}
	s, err := c.settle(a)
	if err != nil {
		return nil, err
	}
	if s.lock, err = seize(s.dir); err != nil {
		return nil, err
	}
	if err := s.run(ctx, a, c); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	return s, s.ready(ctx)
}

// settle finds the real place of both directories.
func (c Cluster) settle(a account) (*Server, error) {
	if c.SocketDir == "" {
		c.SocketDir = c.Dir
	}
	dir, err := a.settle(c.Dir, c.Log)
	if err != nil {
		return nil, err
	}
	sockets, err := a.settle(c.SocketDir, c.Log)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(sockets, socketName)
	if len(path) > longest {
		return nil, fmt.Errorf("socket path %s has %d bytes, at most %d are possible: choose a shorter directory", path, len(path), longest)
	}
	return &Server{dir: dir, sockets: sockets, log: c.Log, done: make(chan struct{})}, nil
}

// forked is how long a lock that was given up may still be held: by a child of
// ours that was forked meanwhile and has not begun its own program.
const forked = time.Second

func flock(f *os.File) error {
	for end := time.Now().Add(forked); ; time.Sleep(5 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

// seize makes sure that no living process but this one owns the cluster: then
// a server that runs on it is an orphan. The kernel frees the lock of the dead.
func seize(dir string) (*os.File, error) {
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(lock); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is in use by another process", dir), lock.Close())
	}
	return lock, nil
}

func (s *Server) run(ctx context.Context, a account, c Cluster) error {
	bin, err := binaries(s.dir)
	if err != nil {
		return err
	}
	if err := s.evict(ctx); err != nil {
		return err
	}
	if err := c.initialise(ctx, bin, s.dir, a); err != nil {
		return err
	}
	if err := a.claim(s.sockets); err != nil {
		return err
	}
	return s.launch(bin, a, c.Settings)
}

// launch starts the postmaster in a process group of its own, so that a
// terminal's ^C reaches it only through Stop, after those who still write.
func (s *Server) launch(bin string, a account, settings map[string]string) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer write.Close()
	s.cmd = a.command(filepath.Join(bin, "postgres"), s.arguments(settings)...)
	s.cmd.Stdout, s.cmd.Stderr = write, write
	if err := s.cmd.Start(); err != nil {
		return errors.Join(err, read.Close())
	}
	go s.await(read)
	return nil
}

func (s *Server) await(output *os.File) {
	told := make(chan struct{})
	go func() {
		defer close(told)
		s.last.copy(output, s.log)
	}()
	err := s.cmd.Wait()
	// Backends of a killed postmaster may hold the pipe a little longer.
	_ = output.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	<-told
	s.err = errors.Join(err, output.Close(), s.lock.Close())
	close(s.done)
}

// arguments are the server's settings. What makes commits durable (fsync,
// synchronous_commit, full_page_writes) is left on. The server's own log gets
// neither statements nor values: they could hold personal data.
func (s *Server) arguments(replaced map[string]string) []string {
	settings := map[string]string{
		"listen_addresses":            "",
		"unix_socket_directories":     s.sockets,
		"unix_socket_permissions":     "0700",
		"max_connections":             "100",
		"shared_buffers":              "128MB",
		"jit":                         "off",
		"timezone":                    "UTC",
		"log_timezone":                "UTC",
		"log_line_prefix":             "",
		"log_error_verbosity":         "terse",
		"log_min_error_statement":     "panic",
		"log_checkpoints":             "off",
		"log_autovacuum_min_duration": "-1",
	}
	maps.Copy(settings, replaced)
	args := []string{"-D", s.dir}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// ready polls by connecting: a server in crash recovery refuses until it is done.
func (s *Server) ready(ctx context.Context) error {
	for {
		conn, err := pgx.Connect(ctx, s.DSN("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.done:
			return fmt.Errorf("server ended while starting: %w: %s", errors.Join(s.err, err), s.last.String())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("server did not start in time: %w", err), s.Stop(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop shuts the server down fast: clients are cut off, everything committed
// is kept. When the context ends first, it is shut down at once and recovers
// at the next start; that is reported.
func (s *Server) Stop(ctx context.Context) error {
	_ = s.cmd.Process.Signal(syscall.SIGINT)
	wake(s.dir)
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	_ = s.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-s.done:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	return fmt.Errorf("postgres: shut down without a checkpoint: %w", ctx.Err())
}

// Done is closed when the server has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Wait returns when the server has ended: nil after Stop, else what it died of.
func (s *Server) Wait() error {
	<-s.done
	if s.err != nil {
		return fmt.Errorf("postgres: %w: %s", s.err, s.last.String())
	}
	return nil
}

// Pid is the process ID of the postmaster.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// DSN is the connection string of a database of this server.
func (s *Server) DSN(database string) string {
	query := url.Values{"host": {s.sockets}, "port": {"5432"}, "sslmode": {"disable"}}
	dsn := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: query.Encode()}
	return dsn.String()
}

// CreateDatabase makes a database unless it is there.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	if duplicate(err) {
		return nil
	}
	return err
}

// duplicate covers two at once as well: the slower meets the catalogue's index.
func duplicate(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "42P04" || refused.Code == "23505")
}
