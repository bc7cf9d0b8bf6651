package projections

import (
	_ "embed"

	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/iran"
	"govahi/domain/person"
)

//go:embed requests.sql
var requestsSQL string

// Requests is the officers' queue and the applicants' tracking page.
var Requests = Projection{
	Name: "requests", Version: 1, Tables: requestsSQL,
	Catalogs: []event.Catalog{enrollment.Catalog, person.Catalog},
	Apply:    applyRequest,
}

func applyRequest(w *Writer, e Event) {
	if erased, ok := e.Is.(person.Erased); ok {
		w.Exec(`UPDATE requests SET form = NULL, person_term = NULL, mobile_term = NULL, surname_term = NULL,
			last4_term = NULL WHERE person = $1`, erased.Subject)
		return
	}
	code := e.Stream.ID()
	if opened, ok := e.Is.(enrollment.Opened); ok {
		w.Exec(`INSERT INTO requests (code, channel, certificate_type, status, status_since, opened_by, counter,
			opened_at, revision) VALUES ($1, $2, $3, $4, $5, $6, NULLIF($7, ''), $5, $8)`,
			code, opened.Channel, opened.CertificateType, e.Meta.Status, opened.At, opened.OpenedBy, opened.Office, e.Revision)
		return
	}
	if _, ok := e.Is.(person.ErasureOrdered); ok {
		return
	}
	requestFacts(w, code, e)
	w.Exec(`UPDATE requests SET status_since = CASE WHEN status = $2 THEN status_since ELSE $3 END, status = $2,
		revision = $4 WHERE code = $1`, code, e.Meta.Status, e.Meta.At, e.Revision)
}

// requestFacts writes what the event says beside the new state.
func requestFacts(w *Writer, code string, e Event) {
	switch e := e.Is.(type) {
	case enrollment.FormCompleted:
		requestForm(w, code, e)
	case enrollment.EmailConfirmed:
		w.Exec(`UPDATE requests SET email_confirmed = true WHERE code = $1`, code)
	case enrollment.Submitted:
		w.Exec(`UPDATE requests SET office = $2, submitted_at = $3 WHERE code = $1`, code, e.Office, e.At)
	case enrollment.DocumentSighted:
		w.Exec(`UPDATE requests SET sighted = array_append(array_remove(sighted, $2::text), $2::text) WHERE code = $1`, code, e.Document)
	case enrollment.IdentityInquired:
		w.Exec(`UPDATE requests SET identity = 'waiting', registry_code = NULL WHERE code = $1`, code)
	case enrollment.IdentityAnswered:
		w.Exec(`UPDATE requests SET identity = CASE WHEN $2 THEN 'matched' ELSE 'mismatch' END, registry_code = $3
			WHERE code = $1`, code, e.Matched, e.TrackingCode)
	case enrollment.FeeSettled:
		w.Exec(`UPDATE requests SET fee_rial = $2 WHERE code = $1`, code, e.AmountRial)
	case enrollment.CorrectionRequested:
		w.Exec(`UPDATE requests SET corrections = COALESCE($2::text[], '{}') WHERE code = $1`, code, e.Fields)
	case enrollment.Rejected:
		w.Exec(`UPDATE requests SET rejection = $2 WHERE code = $1`, code, e.Reason)
	case enrollment.IssuanceRequested:
		w.Exec(`UPDATE requests SET token = $2 WHERE code = $1`, code, e.Token)
	case enrollment.Issued:
		w.Exec(`UPDATE requests SET serial = $2, fingerprint = $3 WHERE code = $1`, code, e.Serial, e.Fingerprint)
	case enrollment.SheetPrinted:
		w.Exec(`UPDATE requests SET copies = $2 WHERE code = $1`, code, e.Copy)
	case enrollment.Delivered:
		w.Exec(`UPDATE requests SET delivered_at = $2 WHERE code = $1`, code, e.At)
	}
}

func requestForm(w *Writer, code string, e enrollment.FormCompleted) {
	w.Exec(`UPDATE requests SET person = $2, organization = $3, province = $4, form_version = $5, entry = $6,
		form = $7, email_confirmed = email_confirmed AND NOT $8, identity = NULL, registry_code = NULL, sighted = '{}', corrections = '{}'
		WHERE code = $1`,
		code, e.Person, e.Organization, e.Province, e.Version, e.Entry, Column(e.Form), e.EmailChanged)
	f, ok := Open(w, e.Form)
	if !ok {
		return
	}
	w.Exec(`UPDATE requests SET person_term = $2, mobile_term = $3, surname_term = $4, last4_term = $5 WHERE code = $1`,
		code, w.Term("person", f.PersonCode), w.Term("mobile", f.Mobile), w.Term("surname", iran.NameKey(f.Surname)),
		w.Term("last4", code+f.Mobile[len(f.Mobile)-4:]))
}
