package web

import (
	"io"
	"time"
)

// FormData is the request form on paper, filled in or empty, to be signed by
// hand and sighted at the counter (S1.4, S1.8). Filled in it is personal data.
type FormData struct {
	TrackingCode string // empty is the empty form
	Channel      string
	Groups       []FormGroup
	Notice       string   // text of the liability notice (S1.7)
	Originals    []Sight  // to be sighted
	Further      []string // controls at the office's discretion
	PrintedAt    time.Time
}

// FormGroup is a part of the form.
type FormGroup struct {
	Title  string
	Fields []FormField
}

// FormField is a line of it; an empty one is dotted, to be written by hand.
type FormField struct {
	Label, Value string
	Code         bool // Latin: in its own order
	Digits       bool
}

// Sight is an original, and whether an officer has recorded that he saw it.
type Sight struct {
	Label string
	Seen  bool
}

// Form renders the form for A4.
func Form(w io.Writer, d FormData) error { return formPage.Execute(w, d) }

// OfficesData is where to go, and which controls each office applies (S1.8, S1.32).
type OfficesData struct {
	Provinces []Province
	Standard  []string // controls of every office
	At        time.Time
}

// Province is a place on the list.
type Province struct {
	Name    string
	Offices []Office
}

// Office is one of them.
type Office struct {
	Code, Name, Sort, City string
	Licensed               bool      // by the CA; units are not
	Until                  time.Time // end of the licence, if there ever was one
	Controls               []string  // further ones
	Announcement           string
}

// Offices renders the list.
func Offices(w io.Writer, d OfficesData) error { return officesPage.Execute(w, d) }

// GuideData is the way of both channels.
type GuideData struct {
	Outside, Inside        []string
	Notice                 string
	Form, Offices, Tariffs string // addresses
}

// Guide renders the way.
func Guide(w io.Writer, d GuideData) error { return guidePage.Execute(w, d) }
