package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"

	"govahi/adapters/postgres"
	"govahi/domain/fault"
)

// restore makes an instance of a backup.
type restore struct {
	Dir  string `arg:"" type:"existingdir" help:"Directory of the backup."`
	Data string `env:"GOVAHI_DATA" default:"var" help:"Directory of the instance to be; new or empty."`
}

// restoringFile stands in a data directory that is not whole yet.
const restoringFile = "RESTORING"

// Run restores everything or says why not; what a killed restore left, the next
// one removes.
func (r restore) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	m, err := readManifest(r.Dir)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(r.Data)
	if err != nil {
		return err
	}
	d := data{dir: dir}
	if err := d.free(); err != nil { // known before a large backup is read
		return err
	}
	if err := m.check(ctx, r.Dir); err != nil {
		return err
	}
	if err := d.makeRoom(ctx); err != nil {
		return err
	}
	if err := d.fill(ctx, m, r.Dir); err != nil {
		return fmt.Errorf("%s is not whole: %w", d.dir, err)
	}
	fmt.Printf("%s holds %d events up to position %d, as of %s; govahi up builds the views from them\n",
		d.dir, m.Events, m.Head, m.Made.Format("2006-01-02 15:04:05 MST"))
	if !m.Token {
		fmt.Printf("The CA's token is not in this backup: write its PIN to %s, and name its module by GOVAHI_PKCS11_MODULE.\n", d.path("ca", "pin"))
	}
	return nil
}

func readManifest(dir string) (m manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fault.Remark(dir, "پشتیبانی در آن نیست یا ناتمام مانده است (%s ندارد)؛ پوشهٔ پشتیبان درستی را نام ببرید.",
			"it holds no backup, or one that was cut off (it has no %s): name the directory of a whole one", manifestFile)
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err == nil && (m.Format > backupFormat || m.Layout > layout) {
		err = fault.Remark(dir, "نسخهٔ %s برنامه، که از این یکی تازه‌تر است، آن را ساخته است؛ همان برنامه را به کار برید.",
			"it was made by Govahi %s, which is newer than this one: use that program", m.Version)
	}
	return m, err
}

// check reads every file before any is put in place.
func (m manifest) check(ctx context.Context, dir string) error {
	b := newBar("checking", m.size())
	defer b.ended()
	done := uint64(0)
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
			return fmt.Errorf("فهرست پشتیبان %[1]q را نام می‌برد که در آن نیست؛ پشتیبان دیگری به کار برید.\nthe manifest names %[1]q, which is not in the backup: use another backup", f.Path)
		}
		sum := sha256.New()
		tell := func(n int) { done += uint64(n); b.reach(done, m.size()) }
		if err := errors.Join(ctx.Err(), f.read(dir, sum, tell)); err != nil {
			return err
		}
		if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
			return fmt.Errorf("%[1]s همان نیست که پشتیبان گرفته شد؛ پشتیبان دیگری به کار برید.\n%[1]s is not what was backed up: use another backup", filepath.Join(dir, f.Path))
		}
	}
	return nil
}

func (m manifest) size() (total uint64) {
	for _, f := range m.Files {
		total += uint64(f.Size)
	}
	return total
}

func (f copied) read(dir string, to io.Writer, tell func(int)) error {
	in, err := os.Open(filepath.Join(dir, filepath.FromSlash(f.Path)))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	_, err = io.Copy(to, &counting{in, tell})
	return err
}

// free refuses a directory that holds anything but what a restore left half done.
func (d *data) free() error {
	if _, err := os.Stat(d.path(restoringFile)); err == nil {
		return nil
	}
	return vacant(d.dir)
}

// makeRoom takes a new or an empty directory, or one that a restore left half
// done, and marks it before anything is put there.
func (d *data) makeRoom(ctx context.Context) error {
	if _, err := os.Stat(d.path(restoringFile)); err == nil {
		if err := d.clear(ctx); err != nil {
			return err
		}
	} else if err := vacant(d.dir); err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(d.dir, 0o711), os.Chmod(d.dir, 0o711)); err != nil {
		return err
	}
	if err := os.WriteFile(d.path(restoringFile), []byte("restore\n"), 0o600); err != nil {
		return err
	}
	return errors.Join(syncDir(d.dir), d.take())
}

// clear removes what a restore left, unless one is at it just now. A PostgreSQL
// that outlived it is found by starting another one on its directory.
func (d *data) clear(ctx context.Context) error {
	if err := d.take(); err != nil {
		return err
	}
	defer func() { _ = d.lock.Close() }()
	if _, err := os.Stat(d.path("postgres")); err == nil {
		if server, err := postgres.Start(ctx, d.cluster()); err == nil {
			_ = stopPostgres(server)
		}
	}
	entries, err := os.ReadDir(d.dir)
	for _, e := range entries {
		if e.Name() != restoringFile && e.Name() != "lock" {
			err = errors.Join(err, postgres.RemoveAll(d.path(e.Name())))
		}
	}
	return err
}

// fill puts everything in place and removes the mark when it is on disk.
func (d *data) fill(ctx context.Context, m manifest, from string) error {
	defer func() { _ = d.lock.Close() }()
	b := newBar("restoring", m.size())
	defer b.ended()
	done := uint64(0)
	tell := func(n int) { done += uint64(n); b.reach(done, m.size()) }
	for _, f := range m.Files {
		if err := errors.Join(ctx.Err(), d.place(f, from, tell)); err != nil {
			return err
		}
	}
	if err := d.restoreVault(ctx, from, tell); err != nil {
		return err
	}
	return errors.Join(syncDir(d.dir), os.Remove(d.path(restoringFile)), syncDir(d.dir))
}

func (d *data) place(f copied, from string, tell func(int)) error {
	if f.Path == vaultFile {
		return nil
	}
	var text bytes.Buffer
	if f.Path == "ca/softhsm2.conf" {
		if err := f.read(from, &text, tell); err != nil {
			return err
		}
	}
	_, err := create(d.path(filepath.FromSlash(f.Path)), f.Mode, func(out io.Writer) error {
		if text.Len() == 0 {
			return f.read(from, out, tell)
		}
		_, err := out.Write(tokenDir.ReplaceAll(text.Bytes(), []byte("directories.tokendir = "+d.path("ca", "tokens"))))
		return err
	})
	return err
}

// tokenDir is the line by which SoftHSM finds its tokens: they have moved.
var tokenDir = regexp.MustCompile(`(?m)^directories\.tokendir = .*$`)

// restoreVault makes the private cluster and its vault; the views come from the
// log when the house starts.
func (d *data) restoreVault(ctx context.Context, from string, tell func(int)) (err error) {
	if err := d.makeSockets(); err != nil {
		return err
	}
	cluster := d.cluster()
	server, err := postgres.Start(ctx, cluster)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop(context.WithoutCancel(ctx))) }() // with a checkpoint, however long it takes
	if err := server.CreateDatabase(ctx, "vault"); err != nil {
		return err
	}
	dump, err := os.Open(filepath.Join(from, vaultFile))
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	if err := cluster.Restore(ctx, "vault", dump); err != nil {
		return err
	}
	info, err := dump.Stat()
	if err == nil {
		tell(int(info.Size()))
	}
	return err
}
