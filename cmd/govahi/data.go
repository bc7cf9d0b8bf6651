package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"govahi/adapters/sso"
	"govahi/domain/fault"
)

// layout is the version of the data directory that this program writes.
const layout = 1

// data is the one directory that holds everything of an instance.
type data struct {
	dir  string
	lock *os.File
}

func (d data) path(name ...string) string { return filepath.Join(append([]string{d.dir}, name...)...) }

// openData takes the directory for this process, or says why it cannot.
func openData(dir string, mode sso.Mode) (data, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return data{}, err
	}
	d := data{dir: dir}
	if _, err := os.Stat(d.path(restoringFile)); err == nil {
		return d, d.unusable("بازیابی در این پوشه به پایان نرسیده است؛ govahi restore را دوباره اجرا کنید که از نو آغاز می‌کند.",
			"a restore into this directory was not finished: run govahi restore again, it begins anew")
	}
	if err := d.checkOurs(); err != nil {
		return d, err
	}
	// Others may pass through, not look in: PostgreSQL runs as another user.
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return d, err
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return d, err
	}
	if err := d.take(); err != nil {
		return d, err
	}
	return d, errors.Join(d.checkLayout(), d.checkMode(mode))
}

// unusable says why the directory cannot be this instance's, and what to do.
func (d data) unusable(fa, en string, args ...any) error {
	return fmt.Errorf("پوشهٔ داده به کار نمی‌آید؛ کدام، چرا و چه باید کرد:\nthe data directory cannot be used:\n%w", fault.Remark(d.dir, fa, en, args...))
}

// ours are the names by which a directory is known: an instance's, a CA's that
// was made before its first start, or what demo and bench leave beside it.
var ours = []string{"VERSION", "lock", "ca", "demo", "bench"}

// checkOurs refuses a directory of somebody else's: only a new one, an empty
// one, or one that was an instance's before is taken and its mode changed.
func (d data) checkOurs() error {
	entries, err := os.ReadDir(d.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range entries {
		if slices.Contains(ours, e.Name()) {
			return nil
		}
	}
	if len(entries) > 0 {
		return d.unusable("چیز دیگری در آن است؛ با GOVAHI_DATA پوشه‌ای تازه یا خالی نام ببرید.", "it holds something else: name a new or an empty directory with GOVAHI_DATA")
	}
	return nil
}

func (d *data) take() error {
	f, err := os.OpenFile(d.path("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(d.path("lock"))
		return d.unusable("پردازهٔ %[1]s آن را به کار گرفته است؛ آن را متوقف کنید (Ctrl-C یا kill %[1]s)، یا با GOVAHI_DATA پوشهٔ دیگری برگزینید.",
			"it is in use by process %[1]s: stop that one (Ctrl-C, or kill %[1]s), or choose another directory with GOVAHI_DATA", holder)
	}
	d.lock = f
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	return err
}

// checkLayout refuses what a newer program wrote, and marks a new directory.
func (d data) checkLayout() error {
	text, err := os.ReadFile(d.path("VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return os.WriteFile(d.path("VERSION"), []byte(strconv.Itoa(layout)+"\n"), 0o644)
	} else if err != nil {
		return err
	}
	version, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || version < 1 {
		return d.unusable("در پروندهٔ VERSION آن شمارهٔ نسخه نیست؛ آن را از پشتیبان بازگردانید، یا با GOVAHI_DATA دیگری آغاز کنید.",
			"its file VERSION does not hold a version number: restore that, or start with another GOVAHI_DATA")
	}
	if version > layout {
		return d.unusable("نسخهٔ تازه‌تری از برنامه آن را نوشته است (چیدمان %d؛ این برنامه %d را می‌شناسد)؛ برنامه را به‌روز کنید، یا با GOVAHI_DATA دیگری آغاز کنید.",
			"it was written by a newer Govahi (layout %d, this program knows %d): update the program, or start with another GOVAHI_DATA", version, layout)
	}
	return nil
}

// checkMode keeps an instance in the mode in which it was begun: invented
// people must never sign in where people are real.
func (d data) checkMode(mode sso.Mode) error {
	text, err := os.ReadFile(d.path("MODE"))
	if errors.Is(err, os.ErrNotExist) {
		return os.WriteFile(d.path("MODE"), []byte(mode), 0o644)
	}
	if begun := sso.Mode(strings.TrimSpace(string(text))); err == nil && begun != mode {
		return d.unusable("در حالت %s آغاز شده است و در حالت %s اجرا نمی‌شود؛ GOVAHI_DATA دیگری برگزینید.",
			"it was begun in %s mode and cannot be run in %s mode: choose another GOVAHI_DATA", begun, mode)
	}
	return err
}

// modeOf is the mode in which an instance was begun.
func (d data) modeOf() sso.Mode {
	text, err := os.ReadFile(d.path("MODE"))
	if err != nil {
		return ""
	}
	return sso.Mode(strings.TrimSpace(string(text)))
}

// served tells whether an instance of this directory ever had its CA and all else.
func (d data) served() bool {
	_, err := os.Stat(d.path("handler"))
	return err == nil
}

// handler is the house's name in issuance attempts. It outlives the process:
// one at a time has the directory, so what a former one left unfinished is in
// nobody's hands, and need not be waited for.
func (d data) handler() (string, error) {
	if id, err := os.ReadFile(d.path("handler")); err == nil && len(id) > 0 {
		return string(id), nil
	}
	id := handlerID()
	return id, os.WriteFile(d.path("handler"), []byte(id), 0o600)
}

// longest is what a Unix socket's path may have, with room for its name.
const longest = 80

// sockets is where the instance's sockets stand: in the directory itself, or,
// if its path is too long for a socket, under the system's temporary one.
func (d data) sockets() string {
	if len(d.path("run")) <= longest {
		return d.path("run")
	}
	sum := sha256.Sum256([]byte(d.dir))
	return filepath.Join(os.TempDir(), "govahi-"+hex.EncodeToString(sum[:6]))
}

// makeSockets makes that directory, and refuses one that somebody else made.
func (d data) makeSockets() error {
	dir := d.sockets()
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || !ok || int(owner.Uid) != os.Geteuid() {
		return data{dir: dir}.unusable("پوشهٔ سوکت‌ها از آن کاربر دیگری است؛ آن را بردارید.", "the directory of the sockets belongs to somebody else: remove it")
	}
	return os.Chmod(dir, 0o711)
}

func (d data) logSocket() string      { return filepath.Join(d.sockets(), "log.sock") }
func (d data) signerSocket() string   { return filepath.Join(d.sockets(), "signer.sock") }
func (d data) postgresSocket() string { return filepath.Join(d.sockets(), "postgres") }
