package vault

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// The named keys: random, wrapped by the token, made when first needed.
const (
	lookupKey  = "lookup"  // national code → row of a person
	indexKey   = "index"   // search terms in read tables
	derivedKey = "derived" // one key per purpose follows from it
)

// openKeys brings the named keys into memory, so that what follows from them
// needs neither database nor token.
func (v *Vault) openKeys(ctx context.Context) error {
	v.keys = map[string][]byte{}
	for _, name := range []string{lookupKey, indexKey, derivedKey} {
		wrapped, err := v.storedKey(ctx, name)
		if err != nil {
			return err
		}
		if v.keys[name], err = v.unwrap(ctx, wrapped); err != nil {
			return err
		}
	}
	return nil
}

// storedKey reads a named key, or stores a new one.
func (v *Vault) storedKey(ctx context.Context, name string) ([]byte, error) {
	return v.settled(ctx, `SELECT wrapped FROM vault.keys WHERE name = $1`,
		`INSERT INTO vault.keys (name, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name)
}

func (v *Vault) lookup(code string) []byte { return mac(v.keys[lookupKey], code) }

// Term is a keyed search term, 16 bytes: equal for equal texts of one kind, and
// meaningless without the vault. The text must be folded before.
func (v *Vault) Term(kind, text string) []byte {
	return mac(v.keys[indexKey], kind, text)[:16]
}

// Derive makes the same 32 bytes from the same parts, and nobody else can: for
// codes that must be reproducible (e-mail codes, tracking codes). Every purpose
// has a key of its own (HKDF-Expand, RFC 5869 §2.3).
func (v *Vault) Derive(purpose string, parts ...string) []byte {
	key, err := hkdf.Expand(sha256.New, v.keys[derivedKey], purpose, sha256.Size)
	if err != nil {
		panic(err) // only for more than 255 blocks of output
	}
	return mac(key, parts...)
}

// mac is HMAC-SHA256 over the parts, each after its length, so that no two
// lists of parts give the same bytes.
func mac(key []byte, parts ...string) []byte {
	m := hmac.New(sha256.New, key)
	for _, part := range parts {
		m.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		m.Write([]byte(part))
	}
	return m.Sum(nil)
}
