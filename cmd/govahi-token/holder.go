package main

import (
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"os"

	"govahi/adapters/pki"
	"govahi/adapters/token"
)

// key makes the holder's key pair.
type key struct {
	chosen
	Algorithm token.Algorithm `enum:"rsa-2048,rsa-3072,p-256,p-384" default:"rsa-2048" help:"Kind of key."`
	Out       string          `type:"path" help:"File for the request; standard output if not given."`
	DER       bool            `help:"Write DER and not PEM."`
}

// Run gives out a request that names nobody: the name is the confirmed record's.
func (k key) Run() error {
	return k.use(func(t *token.Token) error {
		made, err := t.GenerateKey(labelKey, k.Algorithm)
		if err != nil {
			return err
		}
		request, err := made.Request()
		if err != nil {
			return err
		}
		return k.give(request)
	})
}

func (k key) give(request []byte) error {
	if !k.DER {
		request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request})
	}
	if k.Out != "" {
		return os.WriteFile(k.Out, request, 0o600)
	}
	_, err := os.Stdout.Write(request)
	return err
}

// write puts the certificate beside its key.
type write struct {
	chosen
	Cert string `required:"" type:"existingfile" help:"The certificate, PEM or DER."`
}

// Run refuses a certificate for another key.
func (w write) Run() error {
	data, err := os.ReadFile(w.Cert)
	if err != nil {
		return err
	}
	certificate, err := pki.ParseCertificate(data)
	if err != nil {
		return err
	}
	return w.use(func(t *token.Token) error {
		k, err := t.Key(labelKey)
		if err != nil {
			return err
		}
		return t.WriteCertificate(k, certificate)
	})
}

// read reads the certificate back.
type read struct {
	chosen
	Out string `type:"path" help:"File for the certificate, PEM."`
}

// Run prints the SHA-256 of the certificate on the token.
func (r read) Run() error {
	return r.use(func(t *token.Token) error {
		k, err := t.Key(labelKey)
		if err != nil {
			return err
		}
		c, err := t.ReadCertificate(k)
		if err != nil {
			return err
		}
		if r.Out != "" {
			file := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
			if err := os.WriteFile(r.Out, file, 0o600); err != nil {
				return err
			}
		}
		fmt.Printf("%x\n", sha256.Sum256(c.Raw))
		return nil
	})
}
