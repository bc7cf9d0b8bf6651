package web

import "io"

// RefusalData is why a page cannot be shown, and how to go on.
type RefusalData struct {
	Title       string
	Details     []string // the texts of what is wrong, with the remedy
	Correlation string   // of one of our own faults
	Track       string   // the tracking form's target; empty leaves the form out
	Verify      string   // the verification form's target; the same
}

// Refusal renders the page.
func Refusal(w io.Writer, d RefusalData) error { return refusalPage.Execute(w, d) }
