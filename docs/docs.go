// Package docs holds the documents that are served as they stand here.
package docs

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
)

//go:embed cps.html
var cps []byte

// Document is a policy document. A text that changes gets another version and
// date: certificates point at its address for as long as they are valid.
type Document struct {
	Name, Version, Date string // the date as in ISO 8601
	Title               string // Persian
	Body                []byte // HTML
}

// CPS is the certification practice statement, in the outline of RFC 3647.
var CPS = Document{
	Name: "cps", Version: "0.1", Date: "2026-11-22", Title: "دستورالعمل اجرایی گواهی (CPS)", Body: cps,
}

// SHA256 is the hash of the document, hexadecimal.
func (d Document) SHA256() string {
	sum := sha256.Sum256(d.Body)
	return hex.EncodeToString(sum[:])
}
