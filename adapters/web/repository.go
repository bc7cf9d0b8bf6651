package web

import (
	"io"
	"time"
)

// RepositoryData is what the centre publishes.
type RepositoryData struct {
	Certificates []Published
	List         Published // the latest; no address, if there is none
	Number       uint64
	ThisUpdate   time.Time
	NextUpdate   time.Time
	Lists        string // address of earlier numbers
	Documents    []Published
	Verify       string // the form's target
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
