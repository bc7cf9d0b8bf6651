package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// officers are the tokens of the seeded registration officers, each with his own
// certificate, as their workstations have them.
type officers struct{ dir string }

func (o officers) file(persona, kind string) string { return filepath.Join(o.dir, persona+"."+kind) }

// workstation runs govahi-token on tokens in a directory.
func workstation(ctx context.Context, dir string, in []byte, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, beside("govahi-token"), append(args, "--dir", dir)...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("govahi-token %s: %w: %s", args[0], err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// serial is that of an officer's token.
func (o officers) serial(persona string) (string, error) {
	serial, err := os.ReadFile(o.file(persona, "token"))
	return string(serial), err
}

// sign signs a statement with an officer's own token.
func (o officers) sign(ctx context.Context, persona string, statement []byte) ([]byte, error) {
	serial, err := o.serial(persona)
	if err != nil {
		return nil, fmt.Errorf("%s has no token: seed the instance first: %w", persona, err)
	}
	text, err := workstation(ctx, o.dir, statement, "sign", "--token", serial)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

// equip gives an officer his token, key and certificate; what was begun is gone
// on with.
func (s seed) equip(ctx context.Context, persona, code string) error {
	o := s.officers
	if _, err := os.Stat(o.file(persona, "pem")); err == nil {
		return nil
	}
	serial, err := o.blank(ctx, persona)
	if err != nil {
		return err
	}
	csr, err := o.request(ctx, persona, serial)
	if err != nil {
		return err
	}
	number, err := s.ask(ctx, persona, code, csr)
	if err != nil {
		return err
	}
	pem, err := s.certified(ctx, persona, number)
	if err != nil {
		return err
	}
	file := o.file(persona, "pem.new")
	if err := os.WriteFile(file, pem, 0o600); err != nil {
		return err
	}
	if _, err := workstation(ctx, o.dir, nil, "write", "--token", serial, "--cert", file); err != nil {
		return err
	}
	return os.Rename(file, o.file(persona, "pem"))
}

// blank is the officer's token, made once.
func (o officers) blank(ctx context.Context, persona string) (string, error) {
	if serial, err := o.serial(persona); err == nil {
		return serial, nil
	}
	serial, err := workstation(ctx, o.dir, nil, "init")
	if err != nil {
		return "", err
	}
	return serial, os.WriteFile(o.file(persona, "token"), []byte(serial), 0o600)
}

// request is that of the key on the token, made once.
func (o officers) request(ctx context.Context, persona, serial string) (string, error) {
	if csr, err := os.ReadFile(o.file(persona, "csr")); err == nil {
		return string(csr), nil
	}
	csr, err := workstation(ctx, o.dir, nil, "key", "--token", serial, "--algorithm", "p-256")
	if err != nil {
		return "", err
	}
	return csr, os.WriteFile(o.file(persona, "csr"), []byte(csr), 0o600)
}

func (s seed) ask(ctx context.Context, persona, code, csr string) (string, error) {
	var asked struct{ Number string }
	key := sha256.Sum256([]byte(csr)) // a restored instance has lost its tokens: another key is another question
	name := fmt.Sprintf("%s-%x", persona, key[:6])
	err := s.post(ctx, persona, "seed-credential-"+name, "/credentials", map[string]any{
		"office": s.offices[persona], "givenName": "مأمور", "surname": "نمونه‌پور", "latinGivenName": "Mamur", "latinSurname": "Nemunepur",
		"personCode": code, "email": persona + "@example.ir", "csr": csr,
	}, &asked)
	if err != nil {
		return "", err
	}
	return asked.Number, s.post(ctx, "ca-operator", "seed-vouch-"+name, "/credentials/"+asked.Number+"/approval", nil, nil)
}

// certified waits for the certificate.
func (s seed) certified(ctx context.Context, persona, number string) (pem []byte, err error) {
	for end := time.Now().Add(awaitFor); time.Now().Before(end); pauseUntil(ctx, 20*time.Millisecond) {
		var own []struct{ Number, Status, Serial string }
		err = s.get(ctx, persona, "/credentials", &own)
		for _, c := range own {
			if c.Number == number && c.Status == "issued" {
				if pem, err = s.raw(ctx, persona, "/certificates/"+c.Serial+"/certificate.pem"); err == nil {
					return pem, nil
				}
			}
		}
		if err != nil && !waitsForView(err) {
			return nil, err
		}
	}
	return nil, errors.Join(errTooLong, err)
}
