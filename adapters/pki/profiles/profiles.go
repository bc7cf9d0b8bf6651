// Package profiles reads certificate profiles from their files: one YAML file
// for each name and version. Those beside this file are the defaults; a
// directory of one's own replaces them all.
package profiles

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"govahi/domain/fault"
	"govahi/domain/profile"
)

//go:embed *.yaml
var defaults embed.FS

// Files are those of the profiles that come with the program, to begin one's own
// directory with.
func Files() fs.FS { return defaults }

// Default are the profiles that come with the program.
var Default = sync.OnceValue(func() profile.Set {
	s, err := read(defaults, "profiles")
	if err != nil {
		panic(err) // a test reads them, too
	}
	return s
})

// Load reads a directory's profiles, or says of every file what is wrong with
// it; without a directory they are the defaults.
func Load(dir string) (profile.Set, error) {
	if dir == "" {
		return Default(), nil
	}
	s, err := read(os.DirFS(dir), dir)
	if err != nil {
		return s, fmt.Errorf("نمایه‌های گواهی به کار نمی‌آیند و چیزی تغییر نکرد؛ پرونده، خانه و علت:\nthe certificate profiles cannot be used, and nothing was changed:\n%w", err)
	}
	return s, nil
}

func read(files fs.FS, dir string) (profile.Set, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return profile.Set{}, fmt.Errorf("%s:\n%w", dir, unreadable(err))
	}
	var all []profile.File
	var wrong []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") { // of editors and of mounted volumes
			continue
		}
		f, err := readFile(files, e.Name())
		if f.Name = filepath.Join(dir, e.Name()); err != nil {
			wrong = append(wrong, fmt.Errorf("%s:\n%w", f.Name, err))
			continue
		}
		all = append(all, f)
	}
	if len(wrong) == 0 && len(all) == 0 {
		return profile.Set{}, fmt.Errorf("%s:\n%w", dir, errNone)
	}
	s, err := profile.NewSet(all...)
	if len(wrong) > 0 && len(all) == 0 {
		err = nil // that nothing is left is no further mistake
	}
	return s, errors.Join(append(wrong, err)...)
}

func readFile(files fs.FS, name string) (profile.File, error) {
	id, ok := strings.CutSuffix(name, ".yaml")
	if !ok {
		return profile.File{}, Refusal{Fa: "اینجا تنها پرونده‌های NAME@VERSION.yaml می‌ایستند؛ این یکی را جای دیگری بگذارید.", En: "only NAME@VERSION.yaml files may stand here: move this one elsewhere"}
	}
	text, err := ReadFile(files, name, largest)
	if err != nil {
		return profile.File{}, err
	}
	var p profile.Profile
	if err = Decode(text, &p); err == nil && p.ID() != id {
		err = fault.Remark("name", "در پرونده %q و version: %d آمده است؛ پس نام پرونده %q است، یا این دو نادرست‌اند.",
			"%q stands in the file, and version: %d; then the file's name is %q, or these two are wrong", p.Name, p.Version, p.ID()+".yaml")
	}
	return profile.File{Profile: p}, err
}
