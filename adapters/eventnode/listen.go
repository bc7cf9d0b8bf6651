package eventnode

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// ListenUnix listens on a Unix socket that only this user may use. It removes
// the socket of a process that ended badly, but not one that still answers.
func ListenUnix(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		return nil, errors.Join(fmt.Errorf("eventnode: another process listens on %s", path), conn.Close())
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("eventnode: remove the stale socket: %w", err)
		}
	}
	private := net.ListenConfig{Control: ownerOnly}
	l, err := private.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("eventnode: listen: %w", err)
	}
	return l, nil
}

// ownerOnly sets the mode before the socket gets its name: Linux gives the file
// the mode of the socket, so there is no moment when others could connect.
func ownerOnly(_, _ string, conn syscall.RawConn) error {
	var failed error
	err := conn.Control(func(fd uintptr) { failed = syscall.Fchmod(int(fd), 0o600) })
	return errors.Join(err, failed)
}
