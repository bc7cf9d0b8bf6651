// Package docs holds the documents that are served as they stand here.
package docs

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"slices"
)

//go:embed policy/*.html
var texts embed.FS

// Document is one version of a policy document, in the outline of RFC 3647. A
// text that was in effect is never changed: what changes gets another version
// and date, for certificates point at the document for as long as they are valid.
type Document struct {
	Name, Version, Date string // the date of effect as in ISO 8601
	Title               string // Persian
	Body                []byte // HTML
}

// The names of the policy documents: what certificates are for, and how it is
// seen to.
const (
	CP  = "cp"
	CPS = "cps"
)

// Documents are all versions, of each name the newest first.
var Documents = []Document{
	document(CP, "0.1", "2026-11-22", "سیاست گواهی (CP)"),
	document(CPS, "0.2", "2026-11-22", "دستورالعمل اجرایی گواهی (CPS)"),
	document(CPS, "0.1", "2026-11-22", "دستورالعمل اجرایی گواهی (CPS)"),
}

func document(name, version, date, title string) Document {
	d := Document{Name: name, Version: version, Date: date, Title: title}
	var err error
	if d.Body, err = texts.ReadFile("policy/" + d.ID() + ".html"); err != nil {
		panic("docs: " + err.Error()) // embedded: a test reads them all
	}
	return d
}

// Current is the version in effect.
func Current(name string) Document {
	i := slices.IndexFunc(Documents, func(d Document) bool { return d.Name == name })
	return Documents[i]
}

// Find is one version of a document, by its ID.
func Find(id string) (Document, bool) {
	i := slices.IndexFunc(Documents, func(d Document) bool { return d.ID() == id })
	if i < 0 {
		return Document{}, false
	}
	return Documents[i], true
}

// ID is name and version, such as cps-0.1.
func (d Document) ID() string { return d.Name + "-" + d.Version }

// SHA256 is the hash of the document, hexadecimal.
func (d Document) SHA256() string {
	sum := sha256.Sum256(d.Body)
	return hex.EncodeToString(sum[:])
}
