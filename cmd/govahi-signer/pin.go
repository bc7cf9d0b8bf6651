package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"govahi/adapters/token"
)

// refusal marks that the token refused the PIN as its file is now. It outlives
// the process, for whoever starts us again would try once more, and a token locks
// itself after a few wrong PINs. Writing the PIN file, or touching it, gives it
// another try.
func (h home) refusal() string { return h.path("pin.refused") }

// pin reads the PIN and which version of the file it is from, or is
// token.ErrPIN if that one was refused before.
func (h home) pin() (pin, version string, err error) {
	info, err := os.Stat(h.pinFile())
	if err != nil {
		return "", "", err
	}
	version = info.ModTime().UTC().Format(time.RFC3339Nano)
	switch refused, err := os.ReadFile(h.refusal()); {
	case err == nil && string(refused) == version:
		return "", "", fmt.Errorf("%w: refused before; write %s anew to have it tried once more", token.ErrPIN, h.pinFile())
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", "", err
	}
	text, err := os.ReadFile(h.pinFile())
	return strings.TrimSpace(string(text)), version, err
}

// refusePIN notes the refusal. It is written before anybody hears of it.
func (h home) refusePIN(version string) error {
	return os.WriteFile(h.refusal(), []byte(version), 0o600)
}
