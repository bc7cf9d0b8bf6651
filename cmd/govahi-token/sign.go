package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"

	"govahi/adapters/cms"
	"govahi/adapters/token"
)

// sign is an officer's signature with his own token (domain §4.5).
type sign struct{ chosen }

// Run reads a statement and prints its signature: CMS, detached, base64.
func (s sign) Run() error {
	statement, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	return s.use(func(t *token.Token) error {
		signature, err := signed(t, statement)
		if err == nil {
			fmt.Println(base64.StdEncoding.EncodeToString(signature))
		}
		return err
	})
}

// signed signs with the key and the certificate on the token.
func signed(t *token.Token, statement []byte) ([]byte, error) {
	k, err := t.Key(labelKey)
	if err != nil {
		return nil, err
	}
	c, err := t.ReadCertificate(k)
	if err != nil {
		return nil, err
	}
	return cms.Sign(statement, c, k)
}
