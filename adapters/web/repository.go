package web

import (
	"io"
	"time"
)

// RepositoryData is what the centre publishes.
type RepositoryData struct {
	Issuers   []PublishedIssuer
	Roots     []Published
	Documents []Published
	Verify    string // the form's target
}

// PublishedIssuer is one issuing CA, and what it tells of its certificates.
type PublishedIssuer struct {
	Published
	Status     string // Persian
	Ended      bool
	OCSP       string // address of the responder, as its certificates name it
	List       string // address of the latest; none, if there is no list
	Lists      string // address of the earlier numbers
	Number     uint64
	ThisUpdate time.Time
	NextUpdate time.Time
	Last       bool // no list follows
}

// Published is something to be fetched.
type Published struct {
	Name, Address, PEM string // addresses
	SHA256             string // hexadecimal
	Version            string
	Current            string    // address of the version in effect, if this is it
	Date               time.Time // zero where there is none
}

// Repository renders the public repository.
func Repository(w io.Writer, d RepositoryData) error { return repositoryPage.Execute(w, d) }
