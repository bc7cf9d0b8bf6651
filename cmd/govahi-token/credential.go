package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"govahi/adapters/token"
	"govahi/commands"
	"govahi/domain/iran"
)

// credential gives an officer his own certificate, with a key born on his token
// (domain §4.5).
type credential struct {
	chosen
	line
	Particulars string          `required:"" type:"existingfile" help:"JSON file with the officer's particulars, as of POST /credentials, without csr."`
	Algorithm   token.Algorithm `enum:"rsa-2048,rsa-3072,p-256,p-384" default:"p-256" help:"Kind of key."`
}

// Run may be repeated: an operator's approval can take its time.
func (c credential) Run() error {
	particulars, err := c.particulars()
	if err != nil {
		return err
	}
	return c.call(func(ctx context.Context, d *door) error {
		return told(c.use(func(t *token.Token) error {
			w := &credentialing{credential: c, door: d, token: t, particulars: particulars}
			return each(os.Stderr, w.steps(ctx))
		}))
	})
}

func (c credential) particulars() (p commands.RequestCredential, err error) {
	data, err := os.ReadFile(c.Particulars)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	return p, err
}

// credentialing is one run of it.
type credentialing struct {
	credential
	door        *door
	token       *token.Token
	particulars commands.RequestCredential

	key         *token.Key
	number      string
	serial      string
	certificate *x509.Certificate
}

func (w *credentialing) steps(ctx context.Context) []step {
	with := func(do func(context.Context) error) func() error { return func() error { return do(ctx) } }
	return []step{
		{"کلید روی توکن ساخته و از توکن پرسیده می‌شود", "making the key on the token, and asking the token about it", w.makeKey},
		{"گواهی مأمور خواسته می‌شود", "asking for the officer's certificate", with(w.ask)},
		{"چشم‌به‌راه تأیید مرکز صدور", "waiting for the CA's approval", with(w.await)},
		{"گواهی گرفته و سنجیده می‌شود", "fetching and checking the certificate", with(w.fetch)},
		{"گواهی نوشته، بازخوانده و آزموده می‌شود", "writing the certificate, reading it back, trying it", w.write},
	}
}

func (w *credentialing) makeKey() (err error) {
	w.key, err = bornKey(w.token, w.Algorithm)
	return err
}

func (w *credentialing) ask(ctx context.Context) error {
	csr, err := keptRequest(filepath.Join(w.Dir, w.Token+".csr"), w.key)
	if err != nil {
		return err
	}
	body := struct {
		commands.RequestCredential
		CSR string `json:"csr"`
	}{w.particulars, csr}
	var asked struct{ Number string }
	err = w.door.post(ctx, "credential-"+w.Token, "/credentials", body, &asked)
	w.number = asked.Number
	return err
}

func (w *credentialing) await(ctx context.Context) error {
	return until(ctx, func() (bool, error) {
		var own []struct{ Number, Status, Serial string }
		if err := w.door.get(ctx, "/credentials", &own); err != nil {
			return false, err
		}
		for _, c := range own {
			switch {
			case c.Number != w.number:
			case c.Status == "issued":
				w.serial = c.Serial
				return true, nil
			case c.Status == "refused", c.Status == "failed":
				return false, errNotVouched
			}
		}
		return false, nil
	})
}

func (w *credentialing) fetch(ctx context.Context) (err error) {
	w.certificate, err = w.door.certificate(ctx, w.serial)
	if err == nil && (!same(w.certificate.PublicKey, w.key.Public()) || w.certificate.Subject.SerialNumber != iran.Digits(w.particulars.PersonCode)) {
		err = errForeign
	}
	return err
}

func (w *credentialing) write() error {
	if err := written(w.token, w.key, w.certificate); err != nil {
		return err
	}
	fmt.Println(fingerprintOf(w.certificate))
	return nil
}
