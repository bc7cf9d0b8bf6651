package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"govahi/adapters/cms"
	"govahi/adapters/token"
	"govahi/commands"
	"govahi/domain/iran"
)

// activate is the holder's proof that he alone commands his token (invariant 6;
// E-commerce Law, Art. 10).
type activate struct {
	chosen
	line
	Code string `arg:"" help:"Tracking code of the request."`
}

// Run has the token sign the activation statement with the holder's PIN.
func (a activate) Run() error {
	code, err := iran.ParseTrackingCode(a.Code)
	if err != nil {
		return errTrackingCode
	}
	return a.call(func(ctx context.Context, d *door) error {
		var r requestView
		if err := d.get(ctx, "/requests/"+code, &r); err != nil {
			return err
		}
		if r.Serial == "" {
			return errNoCertificateYet
		}
		signature, err := a.proof(code, strings.ToLower(r.Serial))
		if err != nil {
			return told(err)
		}
		key := "activate-" + code + "-" + a.Token
		if err := d.post(ctx, key, "/requests/"+code+"/activation", map[string]any{"signature": signature}, nil); err != nil {
			return err
		}
		fmt.Println(r.Serial)
		return nil
	})
}

// proof is the statement's signature, made once: another one would be another
// question under the same key.
func (a activate) proof(code, serial string) (signature []byte, err error) {
	file := filepath.Join(a.Dir, code+"."+a.Token+".activation")
	if signature, err = os.ReadFile(file); !errors.Is(err, os.ErrNotExist) {
		return signature, err
	}
	err = a.use(func(t *token.Token) error {
		k, err := t.Key(labelKey)
		if err != nil {
			return err
		}
		c, err := t.ReadCertificate(k)
		switch {
		case err != nil:
			return err
		case hex.EncodeToString(c.SerialNumber.Bytes()) != serial:
			return errOtherToken
		}
		signature, err = cms.Sign(commands.ActivationStatement(code, serial), c, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	return signature, keep(file, signature)
}
