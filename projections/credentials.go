package projections

import (
	_ "embed"
	"time"

	"govahi/domain/credential"
	"govahi/domain/event"
)

//go:embed credentials.sql
var credentialsSQL string

// Credentials is the officers' own certificates, from the request on (domain §4.5).
var Credentials = Projection{
	Name: "credentials", Version: 1, Tables: credentialsSQL,
	Catalogs: []event.Catalog{credential.Catalog},
	Apply:    applyCredential,
}

var credentials = NewTable[credentialRow]("credentials", credential.Kind.Category)

type credentialRow struct {
	Number string `row:"key"`
	Person string
	Office string
	Status string
	Serial *string
	Since  time.Time
}

func applyCredential(w *Writer, e Event) {
	number := e.Stream.ID()
	to := func(status credential.Status, at time.Time) *credentialRow {
		r := credentials.Change(w, number)
		r.Status, r.Since = string(status), at
		return r
	}
	switch e := e.Is.(type) {
	case credential.Requested:
		credentials.Insert(w, credentialRow{
			Number: number, Person: string(e.Person), Office: e.Office, Status: string(credential.StatusRequested), Since: e.At,
		})
	case credential.Approved:
		to(credential.StatusApproved, e.At)
	case credential.Refused:
		to(credential.StatusRefused, e.At)
	case credential.Failed:
		to(credential.StatusFailed, e.At)
	case credential.Issued:
		to(credential.StatusIssued, e.At).Serial = new(e.Serial)
	}
}
