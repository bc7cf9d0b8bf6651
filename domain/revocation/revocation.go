// Package revocation is the case that doubt about a certificate opens (S1.6):
// a report, an e-mail that came back, a registry that answers otherwise, an
// organisation that was left. Once it is established, revocation follows; no
// command stops it (invariant 7).
//
//	─Opened─▶ Open ─InvestigationOpened─▶ Investigating
//	Open, Investigating ─EvidenceAdded─▶ as it was
//	Open, Investigating ─InaccuracyRefuted─▶ Refuted ■      ─InaccuracyEstablished─▶ Established ■
package revocation

import (
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Kind is the stream `revocation-<case>`; a case number is a tracking code.
var Kind = event.Kind[Case]{Category: "revocation", Catalog: Catalog, Evolve: Evolve, Life: life}

// Source is from where a doubt comes.
type Source string

// The sources.
const (
	Reported     Source = "report"                  // by anybody
	Bounced      Source = "email-bounce"            // S1.5: the address is the named risk
	Mismatched   Source = "reinquiry-mismatch"      // the registry answers otherwise than at issuance
	Cancelled    Source = "national-code-cancelled" // domain §5.3, err.cancellation.nin
	Died         Source = "death"                   // domain §5.3, deathStatus
	Unaffiliated Source = "affiliation-lost"        // policy 7
	Investigated Source = "investigation"           // what the CA found out itself
)

// Finding is what a case establishes.
type Finding string

// The findings.
const (
	FalseInformation Finding = "false-information"
	AffiliationLost  Finding = "affiliation-lost"
	HolderDead       Finding = "holder-dead"
)

// Findings lists them, for menus.
var Findings = []Finding{FalseInformation, AffiliationLost, HolderDead}

// suggests is what a source establishes, if nothing else is found.
func (s Source) suggests() Finding {
	switch s {
	case Unaffiliated:
		return AffiliationLost
	case Died:
		return HolderDead
	}
	return FalseInformation
}

// Status is where the case stands.
type Status string

// The states.
const (
	None          Status = ""
	Open          Status = "open"
	Investigating Status = "investigating"
	Refuted       Status = "refuted"
	Established   Status = "established"
)

// Over tells whether there is a verdict.
func (s Status) Over() bool { return s == Refuted || s == Established }

// Case is the state.
type Case struct {
	Status    Status
	Opened    Opened
	Evidence  int             // pieces, the first with the opening
	Reporters []event.Subject // who do not decide
}

// Evolve is what each event means.
func Evolve(s Case, e event.Event) Case {
	switch e := e.(type) {
	case Opened:
		s = Case{Status: Open, Opened: e, Evidence: 1}.reportedBy(e.Source, e.By)
	case EvidenceAdded:
		s.Evidence++
		s = s.reportedBy(e.Source, e.By)
	case InvestigationOpened:
		s.Status = Investigating
	case InaccuracyRefuted:
		s.Status = Refuted
	case InaccuracyEstablished:
		s.Status = Established
	}
	return s
}

// reportedBy remembers who brought something; what the CA found out itself makes
// nobody a reporter.
func (s Case) reportedBy(source Source, by event.Subject) Case {
	if by != "" && source != Investigated && !slices.Contains(s.Reporters, by) {
		s.Reporters = append(slices.Clip(s.Reporters), by)
	}
	return s
}

// The refusals.
var (
	ErrNotFound = fault.New(fault.NotFound, "case-not-found",
		"پرونده‌ای با این شماره نیست.", "There is no case of this number.")
	ErrClosed = fault.New(fault.Conflict, "case-closed",
		"این پرونده با رأی دیگری بسته شده است.", "This case was closed with the other verdict.")
	ErrOver = fault.New(fault.Conflict, "case-over",
		"این پرونده بسته شده است.", "This case is closed.")
	ErrOwnReport = fault.New(fault.Forbidden, "own-report",
		"گزارش‌دهنده دربارهٔ گزارش خود تصمیم نمی‌گیرد؛ همکار دیگری باید اقدام کند.",
		"A reporter does not decide his own report; a colleague must act.")
)

// Report opens a case, or feeds the one that is open.
type Report struct {
	Case, Certificate string
	Source            Source
	Cites             Evidence
	Text              string        // what somebody wrote, or empty
	About             event.Subject // under whose key it is sealed: the writer's, or the holder's if nobody signed it
	By                event.Subject // empty for the house, and for who did not sign in
	At                time.Time
}

// Decide opens, or adds to what is open.
func (c Report) Decide(s Case) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return []event.Event{Opened{c.Case, c.Certificate, c.Source, c.Cites.orNil(), c.statement(), c.By, c.At}}, nil
	case s.Status.Over() || s.Opened.Certificate != c.Certificate: // two may draw one number
		return nil, life.Refuse(ErrOver, string(s.Status))
	}
	return []event.Event{EvidenceAdded{s.Opened.Case, c.Source, c.Cites.orNil(), c.statement(), c.By, c.At}}, nil
}

func (c Report) statement() *event.Personal[Statement] {
	if c.Text == "" || c.About == "" {
		return nil
	}
	return event.About(c.About, Statement{c.Text})
}

// Investigate says that the CA looks into it.
type Investigate struct {
	By event.Subject
	At time.Time
}

// Decide begins once, while there is no verdict.
func (c Investigate) Decide(s Case) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.Status == Investigating:
		return nil, nil
	case s.Status.Over():
		return nil, life.Refuse(ErrOver, string(s.Status))
	}
	return []event.Event{InvestigationOpened{s.Opened.Case, c.By, c.At}}, nil
}

// Close decides a case: established or refuted.
type Close struct {
	Established bool
	Finding     Finding // of an established case; empty for what its source suggests
	Text        string
	By          event.Subject
	At          time.Time
}

// Decide decides once, and never by a reporter.
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
	case s.Status.Over():
		return nil, life.Refuse(ErrClosed, string(s.Status))
	case slices.Contains(s.Reporters, c.By):
		return nil, ErrOwnReport
	}
	statement := event.About(c.By, Statement{c.Text})
	if !c.Established {
		return []event.Event{InaccuracyRefuted{s.Opened.Case, statement, c.By, c.At}}, nil
	}
	found := c.Finding
	if found == "" {
		found = s.Opened.Source.suggests()
	}
	return []event.Event{InaccuracyEstablished{s.Opened.Case, s.Opened.Certificate, found, statement, c.By, c.At}}, nil
}
