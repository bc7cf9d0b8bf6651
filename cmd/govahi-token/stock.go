package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"govahi/adapters/token"
)

const (
	labelToken = "govahi holder"
	labelKey   = "holder"
)

// stock is where tokens are: a module, and for SoftHSM a directory.
type stock struct {
	Dir     string `required:"" type:"path" env:"GOVAHI_TOKENS" help:"Directory of the PIN files, and of SoftHSM's tokens."`
	Module  string `default:"${module}" help:"PKCS#11 module."`
	PINFile string `type:"path" help:"File with the token's PIN; SERIAL.pin in the directory if not given."`
}

func (s stock) pinFile(serial string) string {
	if s.PINFile != "" {
		return s.PINFile
	}
	return filepath.Join(s.Dir, serial+".pin")
}

// initialise makes a blank token.
type initialise struct{ stock }

// Run prints the serial: by it the token is known from here on. A PIN is made
// up unless a file holds the one to set.
func (i initialise) Run() error {
	if err := i.ready(); err != nil {
		return err
	}
	pin, err := i.pin()
	if err != nil {
		return err
	}
	info, err := token.Initialise(i.Module, labelToken, pin)
	if err != nil {
		return err
	}
	if i.PINFile == "" {
		if err := os.WriteFile(i.pinFile(info.Serial), []byte(pin+"\n"), 0o600); err != nil {
			return err
		}
	}
	fmt.Println(info.Serial)
	return nil
}

func (i initialise) ready() error {
	if err := token.UseSoftHSM(i.Dir); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return errors.Join(token.WriteSoftHSM(i.Dir, i.Dir), token.UseSoftHSM(i.Dir))
}

func (i initialise) pin() (string, error) {
	if i.PINFile == "" {
		return token.RandomPIN()
	}
	pin, err := os.ReadFile(i.PINFile)
	return strings.TrimSpace(string(pin)), err
}

// chosen is one token of the stock.
type chosen struct {
	stock
	Token string `required:"" help:"Serial of the token."`
}

// use opens the token for one piece of work.
func (c chosen) use(work func(*token.Token) error) error {
	pin, err := os.ReadFile(c.pinFile(c.Token))
	if err != nil {
		return err
	}
	// A hardware token has no SoftHSM directory.
	if err := token.UseSoftHSM(c.Dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	t, err := token.Open(token.Config{Module: c.Module, Serial: c.Token, PIN: strings.TrimSpace(string(pin)), MaxSessions: 2})
	if err != nil {
		return err
	}
	return errors.Join(work(t), t.Close())
}
