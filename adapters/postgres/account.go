package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// refuge is where directories go that the server's account could not reach.
const refuge = "/var/lib/govahi"

// account is the system user that the server runs as, and the one that calls it.
type account struct {
	name, caller string
	uid, gid     int
	drop         bool // we are root, PostgreSQL refuses root: become name
}

// serverAccount is ourselves, or an unprivileged user if we are root.
func serverAccount() (account, error) {
	me, err := user.Current()
	if err != nil {
		return account{}, err
	}
	if me.Uid != "0" {
		return newAccount(me, me, false)
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return newAccount(u, me, true)
		}
	}
	return account{}, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody: apt-get install postgresql")
}

func newAccount(u, caller *user.User, drop bool) (account, error) {
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return account{}, err
	}
	gid, err := strconv.Atoi(u.Gid)
	return account{u.Username, caller.Username, uid, gid, drop}, err
}

// command runs a program as the account, with nothing of our environment that
// could change its meaning.
func (a account) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a.drop {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return cmd
}

// reaches asks the kernel rather than mode bits: access lists count as well.
func (a account) reaches(dir string) bool {
	return a.command("/bin/sh", "-c", `cd -- "$1"`, "sh", dir).Run() == nil
}

// settle finds where a directory can really be, free of symbolic links: where
// it was asked for, or, if the account cannot get there (a checkout under
// /root), in the refuge, with a link left where it was asked for.
func (a account) settle(dir string, log *slog.Logger) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	if info, err := os.Lstat(dir); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return filepath.EvalSymlinks(dir)
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(dir))
	if err != nil || a.reaches(parent) {
		return filepath.Join(parent, filepath.Base(dir)), err
	}
	return a.exile(dir, log)
}

// exile gives every new link a new directory: a data directory that was
// removed and made again must not meet the cluster of its former life.
func (a account) exile(dir string, log *slog.Logger) (string, error) {
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("user %s cannot reach %s: make its parent directories traversable (chmod o+x): %w", a.name, dir, err)
	}
	if err := os.MkdirAll(refuge, 0o755); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(dir))
	place, err := os.MkdirTemp(refuge, hex.EncodeToString(sum[:4])+"-*")
	if err != nil {
		return "", err
	}
	log.Info("PostgreSQL's user cannot reach the directory, so it is elsewhere", "user", a.name, "directory", dir, "place", place)
	return place, os.Symlink(place, dir)
}

// claim makes a directory of the account's own, which only it and root enter.
// It takes nothing over that is in use by others.
func (a account) claim(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !a.owns(dir) {
		if used(dir) {
			return fmt.Errorf("%s holds files of another user: the server needs a directory of its own", dir)
		}
		if err := os.Chown(dir, a.uid, a.gid); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o700)
}

func (a account) owns(path string) bool {
	var stat syscall.Stat_t
	return syscall.Stat(path, &stat) == nil && int(stat.Uid) == a.uid
}

func used(dir string) bool {
	d, err := os.Open(dir)
	if err != nil {
		return true
	}
	defer d.Close()
	_, err = d.Readdirnames(1)
	return !errors.Is(err, io.EOF)
}

// inherit hands a cluster that another user restored or ran to the account.
func (a account) inherit(dir string) error {
	if a.owns(dir) {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, a.uid, a.gid)
	})
}
