package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"govahi/adapters/pki/profiles"
	"govahi/domain/fault"
)

// unfinished marks a stage: who finds it there knows that nothing in it was ever
// used. It is taken away just before the stage becomes a CA's directory.
const unfinished = ".unfinished"

// staged are the names in a stage. Each file is written beside first (writeWhole).
var staged = []string{
	unfinished, "ceremony.yaml", "pin", "serial", "softhsm2.conf", "tokens", "root.pem", "issuer.pem", "issuer.csr", transcriptsDir,
}

// room refuses what stands where the ceremony is to make something: nothing of
// somebody else's is removed.
func (c hold) room(stage string) error {
	return errors.Join(c.roomForDir(), roomForStage(stage), roomForRequest(c.CSROut))
}

func (c hold) roomForDir() error {
	info, err := os.Lstat(c.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return unseen("--dir", c.Dir, err)
	case !info.IsDir():
		return fault.Remark("--dir", "%s پوشه نیست (پرونده، پیوند یا دستگاه است) و دست نمی‌خورد؛ پوشهٔ تازه‌ای نام ببرید.",
			"%s is no directory but a file, a link or a device, and is left alone: name a new directory", c.Dir)
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return unseen("--dir", c.Dir, err)
	}
	if len(entries) > 0 {
		return fault.Remark("--dir", "%s هست و خالی نیست؛ کلیدهای یک مرکز دو بار ساخته نمی‌شوند، پوشهٔ تازه‌ای نام ببرید.",
			"%s exists: a CA's keys are not made twice, name a new directory", c.Dir)
	}
	return nil
}

// roomForStage lets the stage of an interrupted ceremony pass, which is to be
// removed, and nothing else.
func roomForStage(stage string) error {
	info, err := os.Lstat(stage)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return unseen("--dir", stage, err)
	case info.IsDir():
		entries, err := os.ReadDir(stage)
		if err != nil {
			return unseen("--dir", stage, err)
		}
		if isStage(entries) {
			return nil
		}
	}
	return fault.Remark("--dir", "آیین کلید در %s کار می‌کند، ولی چیزی آنجاست که از آیینی ناتمام نیست و دست نمی‌خورد؛ آن را جابه‌جا کنید، یا پوشهٔ دیگری نام ببرید.",
		"the ceremony works in %s, but what is there is not of an interrupted one, and is left alone: move it, or name another directory", stage)
}

// isStage wants the names of a stage alone. One without the mark is of an older
// program, or else a whole CA that somebody called so: that has its transcripts.
func isStage(entries []fs.DirEntry) bool {
	marked, whole := false, false
	for _, e := range entries {
		name := strings.TrimSuffix(strings.TrimPrefix(e.Name(), "."), ".next")
		if !slices.Contains(staged, e.Name()) && (e.Name() != "."+name+".next" || !slices.Contains(staged, name)) {
			return false
		}
		marked = marked || e.Name() == unfinished
		whole = whole || e.Name() == transcriptsDir
	}
	return marked || !whole
}

// roomForRequest makes the file that is to hold the request, and removes it: that
// it cannot be written is known before there is any key.
func roomForRequest(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fault.Remark("--csr-out", "%s از پیش هست و بازنویسی نمی‌شود؛ نام دیگری بدهید.", "%s is there already, and is not overwritten: give another name", file)
	case err != nil:
		return fault.Remark("--csr-out", "در %s چیزی نمی‌توان نوشت (%v)؛ پوشه‌ای را نام ببرید که هست و نوشتنی است.",
			"%s cannot be written (%v): name a directory that is there and may be written to", file, err)
	}
	return errors.Join(f.Close(), os.Remove(file))
}

// handOut copies the request to where the root's people take it from; over nothing
// that came there in the meantime.
func handOut(h home, to string) error {
	if to == "" {
		return nil
	}
	csr, err := profiles.ReadPath(h.requestFile())
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fault.Remark("--csr-out", "آیین برگزار شد، ولی درخواست آنجا نوشته نشد (%v)؛ %s را خودتان رونوشت کنید.",
			"the ceremony was held, but the request could not be written there (%v): copy %s yourself", err, h.requestFile())
	}
	_, err = f.Write(csr)
	return errors.Join(err, f.Close())
}

func unseen(field, file string, err error) error {
	return fault.Remark(field, "%s دیده نمی‌شود (%v)؛ دسترسی آن و پوشهٔ بالایش را بازبینی کنید.",
		"%s cannot be seen (%v): check its permissions and those above it", filepath.Clean(file), err)
}
