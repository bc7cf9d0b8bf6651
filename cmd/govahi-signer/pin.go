package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"govahi/adapters/pki/profiles"
	"govahi/adapters/token"
	"govahi/domain/fault"
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
	if errors.Is(err, fs.ErrNotExist) {
		err = profiles.Refusal{Fa: "چنین پرونده‌ای نیست.", En: "there is no such file"}
	}
	if err != nil {
		return "", "", unread(h.pinFile(), err)
	}
	version = info.ModTime().UTC().Format(time.RFC3339Nano)
	switch refused, err := profiles.ReadPath(h.refusal()); {
	case err == nil && string(refused) == version:
		return "", "", fmt.Errorf("%w: refused before; write %s anew to have it tried once more", token.ErrPIN, h.pinFile())
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", "", err
	}
	pin, err = readPIN(h.pinFile())
	return pin, version, err
}

// noPIN is of a file that holds none, or is not there. It was not tried, and is as good as a wrong
// one: who waits for the right one waits for this one too.
type noPIN struct{ error }

// Is reports token.ErrPIN.
func (noPIN) Is(target error) bool { return target == token.ErrPIN }

// readPIN reads a regular file, and nothing without an end.
func readPIN(file string) (string, error) {
	text, err := profiles.ReadPath(file)
	if err == nil && len(bytes.TrimSpace(text)) == 0 {
		err = profiles.Refusal{Fa: "رمزی در آن نیست.", En: "there is no PIN in it"}
	}
	if err != nil {
		return "", unread(file, err)
	}
	return string(bytes.TrimSpace(text)), nil
}

// unread says in both languages why there is no PIN, and what to do.
func unread(file string, err error) error {
	why := told(err)
	return noPIN{fault.Remark("token.pinFile", "%[1]s: %[2]s رمز کاربر توکن را در یک سطر در آن بنویسید.",
		"%[1]s: %[3]s; write the token's user PIN there, in one line", file, why.Fa, why.En)}
}

// refusePIN notes the refusal. It is written before anybody hears of it.
func (h home) refusePIN(version string) error {
	return os.WriteFile(h.refusal(), []byte(version), 0o600)
}
