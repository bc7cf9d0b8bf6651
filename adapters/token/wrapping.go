package token

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"

	"govahi/domain/fault"
)

// purpose is authenticated with every wrapped key, so that nothing else that
// this key may ever encrypt opens as one.
var purpose = []byte("govahi wrapped key 1")

// wrappedSize is the length of the keys that are wrapped: AES-256.
const wrappedSize = 32

// ErrWrapped reports that a wrapped key is not from this wrapping key, or was
// changed: the bytes are to blame, and not the token.
var ErrWrapped = fault.New(fault.Internal, "wrapped-key-foreign",
	"این کلید را توکن این مرکز نپوشانده یا تغییر کرده است؛ نسخهٔ پشتیبان را بررسی کنید.",
	"This key was not wrapped by this token, or was changed; check what was restored.")

// ErrWrappedSize reports that what is to be wrapped is no key of 32 bytes.
var ErrWrappedSize = fault.New(fault.Invalid, "wrapped-key-size",
	"تنها کلیدهای ۳۲ بایتی پوشانده می‌شوند.", "Only keys of 32 bytes are wrapped.")

// WrappingKey is an AES-256 key on the token that encrypts other keys.
type WrappingKey struct {
	Label string

	key *crypto11.SecretKey
	ctx *crypto11.Context
	gcm cipher.AEAD
}

// GenerateWrappingKey makes one that stays on the token.
func (t *Token) GenerateWrappingKey(label string) (*WrappingKey, error) {
	switch _, err := t.WrappingKey(label); {
	case err == nil:
		return nil, ErrKeyExists
	case !errors.Is(err, ErrNoKey):
		return nil, err
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, err
	}
	template, err := crypto11.NewAttributeSetWithIDAndLabel(id, []byte(label))
	if err != nil {
		return nil, err
	}
	template.AddIfNotPresent([]*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_MODIFIABLE, false),
	})
	key, err := t.ctx.GenerateSecretKeyWithAttributes(template, 256, crypto11.CipherAES)
	if err != nil {
		return nil, fmt.Errorf("token: generate wrapping key: %w", err)
	}
	return t.wrapping(label, key)
}

// WrappingKey finds one by its label.
func (t *Token) WrappingKey(label string) (*WrappingKey, error) {
	key, err := t.ctx.FindKey(nil, []byte(label))
	switch {
	case err != nil:
		return nil, fmt.Errorf("token: find wrapping key: %w", err)
	case key == nil:
		return nil, ErrNoKey
	}
	return t.wrapping(label, key)
}

func (t *Token) wrapping(label string, key *crypto11.SecretKey) (*WrappingKey, error) {
	gcm, err := key.NewGCM()
	return &WrappingKey{label, key, t.ctx, gcm}, err
}

// Protection reads the attributes back.
func (w *WrappingKey) Protection() (Protection, error) { return protection(w.ctx, w.key, w.Label) }

// Wrap encrypts a 32-byte key: nonce, then AES-256-GCM. Nonces are random, which
// is sound for 2³² keys (NIST SP 800-38D §8.3); one an hour is far from it.
func (w *WrappingKey) Wrap(plain []byte) (wrapped []byte, err error) {
	if len(plain) != wrappedSize {
		return nil, ErrWrappedSize
	}
	nonce := make([]byte, gcmNonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil { // crypto11's way to report a failing token
			err = fmt.Errorf("token: wrap: %v", p)
		}
	}()
	return w.gcm.Seal(nonce, nonce, plain, purpose), nil
}

// Unwrap decrypts it again, or ErrWrapped.
func (w *WrappingKey) Unwrap(wrapped []byte) ([]byte, error) {
	if len(wrapped) != gcmNonceSize+wrappedSize+w.gcm.Overhead() {
		return nil, ErrWrapped
	}
	plain, err := w.open(wrapped)
	if !ambiguous(err) {
		return plain, err
	}
	if err := w.probe(); err != nil {
		return nil, err
	}
	if plain, err = w.open(wrapped); ambiguous(err) {
		return nil, ErrWrapped
	}
	return plain, err
}

func (w *WrappingKey) open(wrapped []byte) ([]byte, error) {
	plain, err := w.gcm.Open(nil, wrapped[:gcmNonceSize], wrapped[gcmNonceSize:], purpose)
	if err != nil {
		return nil, fmt.Errorf("token: unwrap: %w", err)
	}
	return plain, nil
}

// ambiguous tells what may be said of changed bytes and of a failing token:
// SoftHSM answers a wrong tag with CKR_GENERAL_ERROR.
func ambiguous(err error) bool {
	code, ok := Code(err)
	return ok && (code == pkcs11.CKR_GENERAL_ERROR || code == pkcs11.CKR_ENCRYPTED_DATA_INVALID)
}

// probe opens bytes that are not changed, which a failing token cannot.
func (w *WrappingKey) probe() error {
	wrapped, err := w.Wrap(make([]byte, wrappedSize))
	if err != nil {
		return err
	}
	_, err = w.open(wrapped)
	return err
}
