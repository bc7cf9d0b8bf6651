package postgres

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
)

// Dump writes a database of a running cluster, as it is at one moment, in
// pg_dump's custom format. The cluster's users go on meanwhile.
func (c Cluster) Dump(ctx context.Context, database string, to io.Writer) error {
	return c.copy(ctx, "pg_dump", func(cmd *exec.Cmd) { cmd.Stdout = to }, "--format=custom", "--dbname="+c.socketDSN(database))
}

// Restore fills an empty database of a running cluster with what Dump wrote, all
// of it or nothing.
func (c Cluster) Restore(ctx context.Context, database string, from io.Reader) error {
	return c.copy(ctx, "pg_restore", func(cmd *exec.Cmd) { cmd.Stdin = from },
		"--exit-on-error", "--single-transaction", "--no-owner", "--dbname="+c.socketDSN(database))
}

// copy runs one of PostgreSQL's own programs, of the cluster's version and as
// the user whom the cluster lets in.
func (c Cluster) copy(ctx context.Context, program string, connect func(*exec.Cmd), args ...string) error {
	bin, err := binaries(c.Dir)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	a, err := serverAccount()
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	var said bytes.Buffer
	cmd := a.command(filepath.Join(bin, program), args...)
	cmd.Stderr = &said
	connect(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("postgres: %s: %w: %s", program, err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// socketDSN names a database by the socket's real place: a link may stand where
// the server's account cannot go.
func (c Cluster) socketDSN(database string) string {
	sockets, err := filepath.EvalSymlinks(c.SocketDir)
	if err != nil {
		sockets = c.SocketDir
	}
	return (&Server{sockets: sockets}).DSN(database)
}
