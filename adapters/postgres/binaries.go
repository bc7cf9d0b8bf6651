package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const oldest = 15 // the oldest version we are tested on

// debian is where Debian keeps each major version's programs.
const debian = "/usr/lib/postgresql"

// binaries is the directory of the programs for a cluster: the version that
// made it, or for a new cluster the newest. A data directory opens with its own
// major version only.
func binaries(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return newest()
	}
	if err != nil {
		return "", err
	}
	version := strings.TrimSpace(string(text))
	for _, bin := range installed() {
		if majorOf(bin) == version {
			return bin, nil
		}
	}
	return "", fmt.Errorf("%s was made by PostgreSQL %s, which is not installed: apt-get install postgresql-%s", dir, version, version)
}

func newest() (string, error) {
	for _, bin := range installed() {
		if major, err := strconv.Atoi(majorOf(bin)); err == nil && major >= oldest {
			return bin, nil
		}
	}
	return "", fmt.Errorf("PostgreSQL %d or newer is not installed: apt-get install postgresql", oldest)
}

// installed lists Debian's versions, newest first, then what the PATH finds.
func installed() []string {
	found, _ := filepath.Glob(filepath.Join(debian, "*", "bin", "postgres"))
	slices.SortFunc(found, func(a, b string) int { return cmp.Compare(number(b), number(a)) })
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	for i, path := range found {
		found[i] = filepath.Dir(path)
	}
	return found
}

func number(path string) int {
	n, _ := strconv.Atoi(majorOf(filepath.Dir(path)))
	return n
}

// majorOf reads the major version from Debian's path, or asks the program:
// "postgres (PostgreSQL) 15.14 (Debian …)".
func majorOf(bin string) string {
	if rest, ok := strings.CutPrefix(bin, debian+"/"); ok {
		return filepath.Dir(rest)
	}
	out, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) < 3 {
		return ""
	}
	major, _, _ := strings.Cut(fields[2], ".")
	return major
}
