package token

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"
)

// Algorithm is a kind of key pair.
type Algorithm string

// The key pairs that are made here. Certificates may hold others.
const (
	RSA2048 Algorithm = "rsa-2048"
	RSA3072 Algorithm = "rsa-3072"
	P256    Algorithm = "p-256"
	P384    Algorithm = "p-384"
)

// ErrNoKey reports that the token holds no key of this label.
var ErrNoKey = errors.New("token: no such key")

// ErrKeyExists reports that the label is taken: keys are never replaced.
var ErrKeyExists = errors.New("token: a key of this label exists already")

// Key is a private key on the token.
type Key struct {
	crypto.Signer
	Label string

	id  []byte
	ctx *crypto11.Context
}

// Key finds a key by its label, once.
func (t *Token) Key(label string) (*Key, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k, ok := t.keys[label]; ok {
		return k, nil
	}
	found, err := t.ctx.FindKeyPairs(nil, []byte(label))
	switch {
	case err != nil:
		return nil, fmt.Errorf("token: find key %q: %w", label, err)
	case len(found) == 0:
		return nil, ErrNoKey
	case len(found) > 1:
		return nil, fmt.Errorf("token: %d keys are labelled %q", len(found), label)
	}
	return t.known(label, found[0])
}

func (t *Token) known(label string, signer crypto11.Signer) (*Key, error) {
	id, err := t.ctx.GetAttribute(signer, crypto11.CkaId)
	if err != nil {
		return nil, fmt.Errorf("token: identify key %q: %w", label, err)
	}
	k := &Key{signer, label, id.Value, t.ctx}
	t.keys[label] = k
	return k, nil
}

// GenerateKey makes a key pair that is born on the token and stays there.
func (t *Token) GenerateKey(label string, a Algorithm) (*Key, error) {
	switch _, err := t.Key(label); {
	case err == nil:
		return nil, ErrKeyExists
	case !errors.Is(err, ErrNoKey):
		return nil, err
	}
	public, private, err := pairTemplates(label)
	if err != nil {
		return nil, err
	}
	signer, err := t.generate(a, public, private)
	if err != nil {
		return nil, fmt.Errorf("token: generate %s key: %w", a, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known(label, signer)
}

func (t *Token) generate(a Algorithm, public, private crypto11.AttributeSet) (crypto11.Signer, error) {
	switch a {
	case RSA3072:
		return t.ctx.GenerateRSAKeyPairWithAttributes(public, private, 3072)
	case RSA2048:
		return t.ctx.GenerateRSAKeyPairWithAttributes(public, private, 2048)
	case P256:
		return t.ctx.GenerateECDSAKeyPairWithAttributes(public, private, elliptic.P256())
	case P384:
		return t.ctx.GenerateECDSAKeyPairWithAttributes(public, private, elliptic.P384())
	}
	return nil, errors.New("unknown algorithm")
}

// pairTemplates spells out what some modules leave open by default: the key
// signs and does nothing else, and cannot be read, copied out or changed.
func pairTemplates(label string) (public, private crypto11.AttributeSet, err error) {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, nil, err
	}
	public, err = crypto11.NewAttributeSetWithIDAndLabel(id, []byte(label))
	if err != nil {
		return nil, nil, err
	}
	private = public.Copy()
	public.AddIfNotPresent([]*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, false),
		pkcs11.NewAttribute(pkcs11.CKA_WRAP, false),
		pkcs11.NewAttribute(pkcs11.CKA_MODIFIABLE, false),
	})
	private.AddIfNotPresent([]*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SIGN, true),
		pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, false),
		pkcs11.NewAttribute(pkcs11.CKA_UNWRAP, false),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_MODIFIABLE, false),
	})
	return public, private, nil
}
