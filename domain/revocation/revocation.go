// Package revocation is the case that a report of false information opens
// (S1.6). Once falsity is established, revocation follows; no command stops it
// (invariant 7).
//
//	─InaccuracyReported─▶ Open ─InaccuracyRefuted─▶ Refuted ■
//	Open ─InaccuracyEstablished─▶ Established ■
package revocation

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of a case.
var Catalog = event.NewCatalog(
	event.Of[InaccuracyReported]("revocation.inaccuracy-reported.v1"),
	event.Of[InaccuracyRefuted]("revocation.inaccuracy-refuted.v1"),
	event.Of[InaccuracyEstablished]("revocation.inaccuracy-established.v1"),
)

// Kind is the stream `revocation-<case>`; a case number is a tracking code.
var Kind = event.Kind[Case]{Category: "revocation", Catalog: Catalog, Evolve: Evolve, Life: life}

// Statement is what a reporter or an investigator wrote.
type Statement struct {
	Text string `json:"text"`
}

// InaccuracyReported opens a case; anybody who is identified may report (A7).
type InaccuracyReported struct {
	Case        string                     `json:"case"`
	Certificate string                     `json:"certificate"`
	Statement   *event.Personal[Statement] `json:"statement"`
	By          event.Subject              `json:"by"`
	At          time.Time                  `json:"at"`
}

// Personal seals the statement under its author's key.
func (e InaccuracyReported) Personal() []event.Sealable { return []event.Sealable{e.Statement} }

// InaccuracyRefuted closes the case in the holder's favour.
type InaccuracyRefuted struct {
	Case      string                     `json:"case"`
	Statement *event.Personal[Statement] `json:"statement"`
	By        event.Subject              `json:"by"`
	At        time.Time                  `json:"at"`
}

// Personal seals the statement.
func (e InaccuracyRefuted) Personal() []event.Sealable { return []event.Sealable{e.Statement} }

// InaccuracyEstablished is the CA's finding that information was false.
type InaccuracyEstablished struct {
	Case        string                     `json:"case"`
	Certificate string                     `json:"certificate"`
	Statement   *event.Personal[Statement] `json:"statement"`
	By          event.Subject              `json:"by"`
	At          time.Time                  `json:"at"`
}

// Personal seals the statement.
func (e InaccuracyEstablished) Personal() []event.Sealable { return []event.Sealable{e.Statement} }

// Status is where the case stands.
type Status string

// The states.
const (
	None        Status = ""
	Open        Status = "open"
	Refuted     Status = "refuted"
	Established Status = "established"
)

// Case is the state.
type Case struct {
	Status Status
	Report InaccuracyReported
}

// Evolve is what each event means.
func Evolve(s Case, e event.Event) Case {
	switch e := e.(type) {
	case InaccuracyReported:
		s = Case{Open, e}
	case InaccuracyRefuted:
		s.Status = Refuted
	case InaccuracyEstablished:
		s.Status = Established
	}
	return s
}

// The refusals.
var (
	ErrNotFound = fault.New(fault.NotFound, "case-not-found",
		"پرونده‌ای با این شماره نیست.", "There is no case of this number.")
	ErrClosed = fault.New(fault.Conflict, "case-closed",
		"این پرونده با رأی دیگری بسته شده است.", "This case was closed with the other verdict.")
	ErrOwnReport = fault.New(fault.Forbidden, "own-report",
		"گزارش‌دهنده دربارهٔ گزارش خود تصمیم نمی‌گیرد؛ همکار دیگری باید اقدام کند.",
		"A reporter does not decide his own report; a colleague must act.")
)

// Report opens a case.
type Report struct {
	Case, Certificate string
	Text              string
	By                event.Subject
	At                time.Time
}

// Decide opens a case once.
func (c Report) Decide(s Case) ([]event.Event, error) {
	if s.Status != None {
		return nil, nil
	}
	return []event.Event{InaccuracyReported{c.Case, c.Certificate, event.About(c.By, Statement{c.Text}), c.By, c.At}}, nil
}

// Close decides a case: established or refuted.
type Close struct {
	Established bool
	Text        string
	By          event.Subject
	At          time.Time
}

// Decide decides once, and never by the reporter.
func (c Close) Decide(s Case) ([]event.Event, error) {
	verdict := Refuted
	if c.Established {
		verdict = Established
	}
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.Status == verdict:
		return nil, nil
	case s.Status != Open:
		return nil, life.Refuse(ErrClosed, string(s.Status))
	case s.Report.By == c.By:
		return nil, ErrOwnReport
	}
	statement := event.About(c.By, Statement{c.Text})
	if c.Established {
		return []event.Event{InaccuracyEstablished{s.Report.Case, s.Report.Certificate, statement, c.By, c.At}}, nil
	}
	return []event.Event{InaccuracyRefuted{s.Report.Case, statement, c.By, c.At}}, nil
}
