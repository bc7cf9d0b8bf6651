package web

import "io"

// ReportData is the form by which anybody reports false information, or the
// answer to it. It has no place for personal data.
type ReportData struct {
	Serial string // of the certificate, where the page that leads here knows it
	Key    string // makes a form that is sent twice one report
	Case   string // tracking code of the case; empty shows the form
	Action string // the form's target, by POST
}

// Report renders it.
func Report(w io.Writer, d ReportData) error { return reportPage.Execute(w, d) }
