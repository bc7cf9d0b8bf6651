package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// recordCeremonies takes the transcripts beside the CA's certificates into the
// log, as the ceremonies left them. One that was changed since keeps the house
// from starting: somebody rewrites what witnesses signed.
func (h *house) recordCeremonies(ctx context.Context) error {
	found, err := transcripts(filepath.Join(h.caDir(h.data), "transcripts"))
	if err != nil {
		return err
	}
	for name, text := range found {
		if err := patiently(ctx, func(ctx context.Context) error {
			_, err := h.app.RecordCeremony(ctx, name, text)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// transcripts are those that the sums list, by their names. A CA that was made
// before there were any has none.
func transcripts(dir string) (map[string]string, error) {
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	found := map[string]string{}
	for line := range strings.Lines(string(sums)) {
		hash, name, _ := strings.Cut(strings.TrimRight(line, "\n"), "  ")
		text, err := os.ReadFile(filepath.Join(dir, filepath.Base(name)))
		if err != nil {
			return nil, fmt.Errorf("صورت‌جلسهٔ مراسم کلید خوانده نمی‌شود؛ آن را به جایش بازگردانید.\nthe transcript of a key ceremony cannot be read; put it back: %w", err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != hash {
			return nil, fmt.Errorf("%[1]s پس از مراسم کلید دگرگون شده است؛ همان را که شاهدان امضا کردند بازگردانید (SHA-256 آن %[2]s است).\n%[1]s was changed since the key ceremony: put back what the witnesses signed (its SHA-256 is %[2]s)", filepath.Join(dir, name), hash)
		}
		found[name] = string(text)
	}
	return found, err
}
