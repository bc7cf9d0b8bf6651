package token

import (
	"errors"
	"regexp"
	"strconv"

	"github.com/miekg/pkcs11"
)

// flattened finds the code in a text: crypto11's AEAD turns the module's error
// into one.
var flattened = regexp.MustCompile(`pkcs11: 0x([0-9A-F]+):`)

// Code is the PKCS#11 return value inside an error.
func Code(err error) (uint, bool) {
	var p pkcs11.Error
	if err == nil {
		return 0, false
	}
	if errors.As(err, &p) {
		return uint(p), true
	}
	if m := flattened.FindStringSubmatch(err.Error()); m != nil {
		code, err := strconv.ParseUint(m[1], 16, 64)
		return uint(code), err == nil
	}
	return 0, false
}

// lost are the codes after which crypto11 fails for ever: it puts a dead
// session back into its pool (pki.md §1, problem 2), and also one whose last
// signature the module never ended.
var lost = map[uint]bool{
	pkcs11.CKR_GENERAL_ERROR:            true,
	pkcs11.CKR_DEVICE_ERROR:             true,
	pkcs11.CKR_DEVICE_REMOVED:           true,
	pkcs11.CKR_KEY_HANDLE_INVALID:       true,
	pkcs11.CKR_OBJECT_HANDLE_INVALID:    true,
	pkcs11.CKR_OPERATION_ACTIVE:         true,
	pkcs11.CKR_SESSION_CLOSED:           true,
	pkcs11.CKR_SESSION_HANDLE_INVALID:   true,
	pkcs11.CKR_TOKEN_NOT_PRESENT:        true,
	pkcs11.CKR_TOKEN_NOT_RECOGNIZED:     true,
	pkcs11.CKR_USER_NOT_LOGGED_IN:       true,
	pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED: true,
}

// Lost tells whether only a new process will reach the token again.
func Lost(err error) bool {
	code, ok := Code(err)
	return ok && lost[code]
}
