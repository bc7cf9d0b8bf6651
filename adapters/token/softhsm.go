package token

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/miekg/pkcs11"
)

// SoftHSMModule is where Debian and Ubuntu install SoftHSM.
const SoftHSMModule = "/usr/lib/softhsm/libsofthsm2.so"

const (
	softHSMConfig = "softhsm2.conf"
	softHSMTokens = "tokens"
)

// WriteSoftHSM prepares a directory to hold SoftHSM's tokens, named in its
// configuration as they will be found under home (the directory itself, unless
// it is about to be renamed).
func WriteSoftHSM(dir, home string) error {
	if err := os.MkdirAll(filepath.Join(dir, softHSMTokens), 0o700); err != nil {
		return err
	}
	text := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
		filepath.Join(home, softHSMTokens))
	return os.WriteFile(filepath.Join(dir, softHSMConfig), []byte(text), 0o600)
}

// UseSoftHSM points SoftHSM, in this process and its children, at a directory.
// The module reads it when it is initialised, so this comes first.
func UseSoftHSM(dir string) error {
	config := filepath.Join(dir, softHSMConfig)
	if _, err := os.Stat(config); err != nil {
		return err
	}
	return os.Setenv("SOFTHSM2_CONF", config)
}

// Initialise turns the first blank token of the module into one of this label,
// with a user PIN. The security officer's PIN is made up and forgotten: whoever
// forgets the user PIN starts a new token.
func Initialise(module, label, pin string) (Info, error) {
	var made Info
	err := withModule(module, func(ctx *pkcs11.Ctx) error {
		slot, err := blank(ctx)
		if err != nil {
			return err
		}
		if err := initialise(ctx, slot, label, pin); err != nil {
			return err
		}
		i, err := ctx.GetTokenInfo(slot)
		made = Info{i.Label, i.SerialNumber, i.Model, i.ManufacturerID, slot}
		return err
	})
	return made, err
}

func blank(ctx *pkcs11.Ctx) (uint, error) {
	slots, err := ctx.GetSlotList(true)
	if err != nil {
		return 0, fmt.Errorf("token: slots: %w", err)
	}
	for _, slot := range slots {
		i, err := ctx.GetTokenInfo(slot)
		if err == nil && i.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			return slot, nil
		}
	}
	return 0, fmt.Errorf("token: no blank token is there")
}

func initialise(ctx *pkcs11.Ctx, slot uint, label, pin string) error {
	officer, err := RandomPIN()
	if err != nil {
		return err
	}
	if err := ctx.InitToken(slot, officer, label); err != nil {
		return fmt.Errorf("token: initialise: %w", err)
	}
	session, err := ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return fmt.Errorf("token: open session: %w", err)
	}
	defer func() { _ = ctx.CloseSession(session) }()
	if err := ctx.Login(session, pkcs11.CKU_SO, officer); err != nil {
		return fmt.Errorf("token: log in to set the PIN: %w", err)
	}
	if err := ctx.InitPIN(session, pin); err != nil {
		return fmt.Errorf("token: set the PIN: %w", err)
	}
	return ctx.Logout(session)
}

// RandomPIN is a fresh PIN of 32 hexadecimal digits.
func RandomPIN() (string, error) {
	pin := make([]byte, 16)
	_, err := rand.Read(pin)
	return hex.EncodeToString(pin), err
}
