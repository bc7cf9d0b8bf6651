package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
)

// version1 is AES-256-GCM with a random 96-bit nonce before the ciphertext.
const version1 = 1

func seal(key cipher.AEAD, plain, bound []byte) []byte {
	sealed := make([]byte, 1, 1+len(plain)+key.Overhead())
	sealed[0] = version1
	return key.Seal(sealed, nil, plain, bound)
}

func open(key cipher.AEAD, sealed, bound []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != version1 {
		return nil, ErrAltered
	}
	plain, err := key.Open(nil, nil, sealed[1:], bound)
	if err != nil {
		return nil, ErrAltered
	}
	return plain, nil
}

// aead draws a nonce per message: one key may seal 2³² of them (SP 800-38D §8.3).
func aead(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrAltered
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func random32() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	return key
}
