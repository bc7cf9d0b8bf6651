package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// initialise makes the cluster on first use and says who may connect, each time.
func (c Cluster) initialise(ctx context.Context, bin, dir string, a account) error {
	_, err := os.Stat(filepath.Join(dir, "PG_VERSION"))
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.known:
		return fmt.Errorf("%s holds no cluster any more, although one ran here: is its disk away?", dir)
	case errors.Is(err, fs.ErrNotExist):
		err = initdb(ctx, bin, dir, a)
	case err == nil:
		err = a.inherit(dir)
	}
	if err != nil {
		return err
	}
	return admit(dir, a)
}

// initdb makes the cluster beside its place and moves it there when it is whole
// and on disk, so that a kill in between leaves nothing that looks like one.
// Sorting is by code point, which no C library update can change under an
// index; letters are Unicode's, without which pg_trgm is blind to Persian.
func initdb(ctx context.Context, bin, dir string, a account) error {
	if _, err := os.Stat(dir); err == nil && used(dir) {
		return fmt.Errorf("%s holds files and is not a cluster", dir)
	}
	fresh := dir + ".new"
	if err := RemoveAll(fresh); err != nil {
		return err
	}
	if err := a.claim(fresh); err != nil {
		return err
	}
	cmd := a.command(filepath.Join(bin, "initdb"), "-D", fresh, "-U", superuser, "--encoding=UTF8",
		"--locale=C.UTF-8", "--lc-collate=C", "--auth-local=peer", "--auth-host=reject")
	if out, err := runWithin(ctx, cmd); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(out))
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// runWithin runs a command, and kills it when the context ends: not before it
// has begun, for then there is no process to kill.
func runWithin(ctx context.Context, cmd *exec.Cmd) (said string, err error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	err = cmd.Wait()
	return out.String(), err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// admit lets in the user who starts the server and the server's own, known by
// the kernel's word about the socket's other end, and nobody else.
func admit(dir string, a account) error {
	rules := "local all all peer map=govahi\n"
	names := fmt.Sprintf("govahi %q %s\ngovahi %q %s\n", a.caller, superuser, a.name, superuser)
	return errors.Join(
		a.write(filepath.Join(dir, "pg_hba.conf"), rules),
		a.write(filepath.Join(dir, "pg_ident.conf"), names))
}

// write leaves a file alone that says so already: on a full disk it would be
// emptied and not written.
func (a account) write(path, text string) error {
	if said, err := os.ReadFile(path); err == nil && string(said) == text && a.owns(path) {
		return nil
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Lchown(path, a.uid, a.gid)
}

// RemoveAll tries again for a while: what a killed start left running may still
// write into it.
func RemoveAll(dir string) (err error) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = os.RemoveAll(dir); !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
	return err
}
