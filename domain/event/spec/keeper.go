package spec

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"sync"

	"govahi/domain/event"
)

// errTampered reports a sealed text that was altered, or moved to another
// subject or place.
var errTampered = errors.New("spec: sealed text is not what was sealed here")

// Keeper seals personal data in tests. The same text for the same subject and
// place is always sealed alike, so that events can be compared and golden files
// stay the same; its keys are no secret.
type Keeper struct {
	mu        sync.Mutex
	forgotten map[event.Subject]bool
}

// NewKeeper returns a keeper that has a key for everybody.
func NewKeeper() *Keeper { return &Keeper{forgotten: map[event.Subject]bool{}} }

// Forget destroys a subject's key, for good.
func (k *Keeper) Forget(s event.Subject) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgotten[s] = true
}

// Seal encrypts for a subject and a place, or fails with event.ErrErased.
func (k *Keeper) Seal(_ context.Context, s event.Subject, place string, plain []byte) ([]byte, error) {
	seal, err := k.key(s)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(place))
	mac.Write(plain)
	nonce := mac.Sum(nil)[:seal.NonceSize()]
	return seal.Seal(nonce, nonce, plain, []byte(place)), nil
}

// Open decrypts what was sealed for this subject and place, or fails with
// event.ErrErased.
func (k *Keeper) Open(_ context.Context, s event.Subject, place string, sealed []byte) ([]byte, error) {
	seal, err := k.key(s)
	if err != nil {
		return nil, err
	}
	if len(sealed) < seal.NonceSize() {
		return nil, errTampered
	}
	nonce, text := sealed[:seal.NonceSize()], sealed[seal.NonceSize():]
	plain, err := seal.Open(nil, nonce, text, []byte(place))
	if err != nil {
		return nil, errTampered
	}
	return plain, nil
}

func (k *Keeper) key(s event.Subject) (cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.forgotten[s] {
		return nil, event.ErrErased
	}
	key := sha256.Sum256([]byte("govahi/spec " + s))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
