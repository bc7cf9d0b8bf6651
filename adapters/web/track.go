package web

import (
	"io"
	"time"
)

// TrackData is where a request stands, for whoever has its code and the last
// four digits of the mobile. It has no place for personal data.
type TrackData struct {
	Code   string // empty shows the form alone
	State  string // in Persian
	Since  time.Time
	Office string // its name, if the request is with one
	Stand

	Dossier, DossierTo string // names of the places that the papers are at, or on the way between; inside channel
	Token              string // name of the last place that received the token; inside channel

	Track string // the form's target, by POST: digits of a mobile stand in no address
}

// Track renders the answer.
func Track(w io.Writer, d TrackData) error { return trackPage.Execute(w, d) }
