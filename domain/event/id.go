package event

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// ID is an event's identity: an RFC 9562 UUID.
type ID [16]byte

// DeriveID makes the same ID from the same cause, so that a retry proposes the
// very event it proposed before (RFC 9562 version 8: custom, from SHA-256).
func DeriveID(cause ...string) ID {
	var id ID
	sum := sha256.Sum256([]byte(strings.Join(cause, "\x00")))
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// IDAt is the ID of the n-th event, from 0, that a command brings to a stream.
func IDAt(commandID string, stream Stream, n int) ID {
	return DeriveID(commandID, string(stream), strconv.Itoa(n))
}

// String is the canonical form: 8-4-4-4-12 lower-case hexadecimal digits.
func (id ID) String() string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ParseID reads the canonical form.
func ParseID(text string) (ID, error) {
	var id ID
	if len(text) != 36 || strings.Count(text, "-") != 4 {
		return id, fmt.Errorf("event ID %q is not a UUID", text)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(raw) != len(id) {
		return id, fmt.Errorf("event ID %q is not a UUID", text)
	}
	copy(id[:], raw)
	return id, nil
}

// MarshalText writes the canonical form.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the canonical form.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}
