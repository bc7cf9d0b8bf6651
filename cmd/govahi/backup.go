package main

import (
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
	"time"

	"govahi/adapters/eventnode"
	"govahi/adapters/postgres"
	"govahi/adapters/sso"
	"govahi/domain/fault"
)

// backup copies a running instance: the log and the vault, which nothing else can
// replace, and what an instance is known by. Views and JetStream are built from
// the log again.
type backup struct {
	attached
	Dir   string `arg:"" type:"path" help:"Directory to write to; new or empty."`
	Token bool   `help:"In production, copy the CA's software token and its PIN, too: whoever has that backup signs as the CA and reads all personal data."`
}

// manifest is the last file of a backup that is written: without it there is none.
type manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of the program
	Layout  int       `json:"layout"`  // of the data directory
	Mode    sso.Mode  `json:"mode"`
	Made    time.Time `json:"made"`
	Head    uint64    `json:"head"` // position of the last event
	Events  uint64    `json:"events"`
	Token   bool      `json:"token"` // whether the CA's token is in it
	Files   []copied  `json:"files"`
}

// copied is a file of a backup, by its path there and in the data directory.
type copied struct {
	Path   string      `json:"path"`
	Mode   fs.FileMode `json:"mode"`
	Size   int64       `json:"size"`
	SHA256 string      `json:"sha256"`
}

const (
	backupFormat = 1
	manifestFile = "manifest.json"
	vaultFile    = "vault.dump"
)

// Run makes a backup that was read once already, or none.
func (b backup) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	defer stop()
	d, err := b.data()
	if err != nil {
		return err
	}
	if b.Log != "" || b.Vault != "" {
		return errors.New("GOVAHI_LOG یا GOVAHI_VAULT تعیین شده است؛ از آنچه در جای دیگری است با ابزار خودش پشتیبان بگیرید (docs/operations.md).\n" +
			"GOVAHI_LOG or GOVAHI_VAULT is set: an event store or a vault elsewhere is backed up by its own means (docs/operations.md)")
	}
	if err := errors.Join(d.running(), vacant(b.Dir)); err != nil {
		return err
	}
	m, err := b.make(ctx, d)
	if err != nil {
		return fmt.Errorf("there is no backup: %w", err)
	}
	fmt.Printf("%s holds %d events up to position %d, and the vault\n", b.Dir, m.Events, m.Head)
	if !m.Token {
		fmt.Println("The CA's token is not in it: personal data opens, and certificates are issued, only with that token. Keep its own backup.")
	}
	return nil
}

// vacant refuses a directory that holds anything.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		err = fault.Remark(dir, "این پوشه خالی نیست؛ پوشهٔ تازه‌ای نام ببرید.", "it is not empty: name a new directory")
	}
	return err
}

// make works beside the place of the backup and moves it there when it is whole
// and on disk.
func (b backup) make(ctx context.Context, d data) (manifest, error) {
	stage := b.Dir + ".unfinished"
	if err := errors.Join(os.RemoveAll(stage), os.MkdirAll(stage, 0o700)); err != nil {
		return manifest{}, err
	}
	defer func() { _ = os.RemoveAll(stage) }() // gone already, if all went well
	w := &writing{stage: stage, manifest: manifest{
		Format: backupFormat, Version: version, Layout: layout, Mode: d.modeOf(), Made: now(),
	}}
	w.manifest.Token = b.Token || w.manifest.Mode == sso.Development
	for _, step := range []func() error{
		func() error { return w.log(ctx, d) },
		func() error { return w.vault(ctx, d) }, // later: it must hold every key that the log needs
		func() error { return w.identity(ctx, d, b.caDir(d)) },
		func() error { return w.verify(ctx) },
		w.finish,
	} {
		if err := errors.Join(ctx.Err(), step()); err != nil {
			return manifest{}, err
		}
	}
	return w.manifest, errors.Join(os.Rename(stage, b.Dir), syncDir(filepath.Dir(b.Dir)))
}

// writing is a backup under way.
type writing struct {
	stage    string
	manifest manifest
}

func (w *writing) path(name string) string { return filepath.Join(w.stage, name) }

// log lets the node make a copy of one moment beside its log, and takes it away
// from there.
func (w *writing) log(ctx context.Context, d data) error {
	node, err := eventnode.Maintain(d.logSocket())
	if err != nil {
		return err
	}
	defer func() { _ = node.Close() }()
	c, release, err := node.Checkpoint(ctx)
	if err != nil {
		return err
	}
	defer release()
	w.manifest.Head = c.Head
	return w.tree(ctx, c.Dir, "log")
}

// tree copies a directory.
func (w *writing) tree(ctx context.Context, from, to string) error {
	files, total, err := filesIn(from)
	if err != nil {
		return err
	}
	b := newBar("copying "+to, uint64(total))
	defer b.ended()
	done := uint64(0)
	for _, name := range files {
		tell := func(n int) { done += uint64(n); b.reach(done, uint64(total)) }
		if err := errors.Join(ctx.Err(), w.file(filepath.Join(from, name), filepath.Join(to, name), tell)); err != nil {
			return err
		}
	}
	return nil
}

// filesIn lists the plain files below a directory, and their bytes.
func filesIn(dir string) (files []string, total int64, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files, total = append(files, name), total+info.Size()
		return err
	})
	return files, total, err
}

func (w *writing) file(from, to string, tell func(int)) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	return w.write(to, info.Mode().Perm(), func(out io.Writer) error {
		_, err := io.Copy(out, &counting{in, tell})
		return err
	})
}

// write makes a file of the backup, syncs it and notes it in the manifest.
func (w *writing) write(to string, mode fs.FileMode, fill func(io.Writer) error) error {
	f, sum := copied{Path: filepath.ToSlash(to), Mode: mode}, sha256.New()
	size, err := create(w.path(to), mode, func(out io.Writer) error { return fill(io.MultiWriter(out, sum)) })
	f.Size, f.SHA256 = size, hex.EncodeToString(sum.Sum(nil))
	w.manifest.Files = append(w.manifest.Files, f)
	return err
}

// create writes a new file in a directory that may be new, and syncs both.
func create(path string, mode fs.FileMode, fill func(io.Writer) error) (size int64, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return 0, err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(fill(out), out.Chmod(mode), out.Sync()); err != nil {
		return 0, errors.Join(err, out.Close())
	}
	size, err = out.Seek(0, io.SeekCurrent)
	return size, errors.Join(err, out.Close(), syncDir(filepath.Dir(path)))
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// counting says how much of a file was read.
type counting struct {
	io.Reader
	tell func(int)
}

func (t *counting) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.tell(n)
	return n, err
}

// vault dumps the subject keys. Who was erased since the log's copy stays erased.
func (w *writing) vault(ctx context.Context, d data) error {
	return w.write(vaultFile, 0o600, func(out io.Writer) error { return d.cluster().Dump(ctx, "vault", out) })
}

// cluster is the instance's private PostgreSQL.
func (d data) cluster() postgres.Cluster {
	return postgres.Cluster{Dir: d.path("postgres"), SocketDir: d.postgresSocket()}
}

// identity copies what the instance is known by: its mode, its name in attempts
// to issue, and the CA's certificates.
func (w *writing) identity(ctx context.Context, d data, ca string) error {
	for _, name := range []string{"VERSION", "MODE", "handler"} {
		if err := w.file(d.path(name), name, func(int) {}); err != nil {
			return err
		}
	}
	if w.manifest.Mode == sso.Development { // whoever has a token of this machine's issuer keeps it
		if err := w.tree(ctx, d.path("dev"), "dev"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if w.manifest.Token {
		return w.tree(ctx, ca, "ca")
	}
	for _, name := range []string{"root.pem", "issuer.pem"} {
		if err := w.file(filepath.Join(ca, name), filepath.Join("ca", name), func(int) {}); err != nil {
			return err
		}
	}
	return w.ceremonies(ctx, ca)
}

// ceremonies copies what they left beside the first certificate and the keys, none
// of it secret: files, request, a hardware token's serial, how an issuer ended,
// transcripts and further issuers. Not every CA has all of it.
func (w *writing) ceremonies(ctx context.Context, ca string) error {
	missing := func(err error) bool { return errors.Is(err, fs.ErrNotExist) }
	for _, name := range []string{"ceremony.yaml", "issuer.csr", "serial", "ended"} {
		if err := w.file(filepath.Join(ca, name), filepath.Join("ca", name), func(int) {}); err != nil && !missing(err) {
			return err
		}
	}
	for _, name := range []string{"transcripts", "issuers"} {
		if err := w.tree(ctx, filepath.Join(ca, name), filepath.Join("ca", name)); err != nil && !missing(err) {
			return err
		}
	}
	return nil
}

// verify opens the copy and reads all of it: a backup that nobody has read is
// only a hope.
func (w *writing) verify(ctx context.Context) error {
	node, err := eventnode.Open(ctx, w.path("log"), eventnode.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	b := newBar("verifying", w.manifest.Head)
	err = node.Verify(ctx, func(c eventnode.Checked) error {
		if c.Fault != nil {
			return fmt.Errorf("دفتر رویدادها خودش خطا دارد؛ govahi log verify را اجرا کنید.\nthe log itself has a fault, run govahi log verify: %s", c.Fault.Text)
		}
		if c.What == "events" {
			b.reach(c.Done, c.Total)
		}
		if c.Held != nil {
			w.manifest.Head, w.manifest.Events = c.Held.Head, c.Held.Events
		}
		return nil
	})
	b.ended()
	lock := os.Remove(filepath.Join(w.path("log"), "LOCK")) // opening made it
	return errors.Join(err, node.Close(), lock)
}

// finish writes the manifest; what came before is on disk.
func (w *writing) finish() error {
	text, err := json.MarshalIndent(w.manifest, "", "  ")
	if err != nil {
		return err
	}
	_, err = create(w.path(manifestFile), 0o600, func(out io.Writer) error {
		_, err := out.Write(append(text, '\n'))
		return err
	})
	return err
}
