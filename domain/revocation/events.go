package revocation

import (
	"time"

	"govahi/domain/event"
)

// Catalog lists every event of a case.
var Catalog = event.NewCatalog(
	event.Was("revocation.inaccuracy-reported.v1", reportedV1.upcast),
	event.Of[Opened]("revocation.opened.v1"),
	event.Of[EvidenceAdded]("revocation.evidence-added.v1"),
	event.Of[InvestigationOpened]("revocation.investigation-opened.v1"),
	event.Of[InaccuracyRefuted]("revocation.inaccuracy-refuted.v1"),
	event.Was("revocation.inaccuracy-established.v1", establishedV1.upcast),
	event.Of[InaccuracyEstablished]("revocation.inaccuracy-established.v2"),
)

// Statement is what a reporter or an investigator wrote.
type Statement struct {
	Text string `json:"text"`
}

// Evidence cites what speaks for a doubt, and holds nothing of it.
type Evidence struct {
	Inquiry      string `json:"inquiry,omitempty"`      // our number
	TrackingCode string `json:"trackingCode,omitempty"` // the registry's (S3.12)
	Message      string `json:"message,omitempty"`      // our message that came back
	Status       string `json:"status,omitempty"`       // of its delivery (RFC 3463)
	Letter       string `json:"letter,omitempty"`       // number and date
}

func (e Evidence) orNil() *Evidence {
	if e == (Evidence{}) {
		return nil
	}
	return &e
}

// Opened begins a case.
type Opened struct {
	Case        string                     `json:"case"`
	Certificate string                     `json:"certificate"`
	Source      Source                     `json:"source"`
	Evidence    *Evidence                  `json:"evidence,omitempty"`
	Statement   *event.Personal[Statement] `json:"statement,omitempty"`
	By          event.Subject              `json:"by,omitempty"` // empty for the house, and for who did not sign in
	At          time.Time                  `json:"at"`
}

// Personal seals the statement under its author's key, or the holder's.
func (e Opened) Personal() []event.Sealable { return sealables(e.Statement) }

// EvidenceAdded feeds a case that is open.
type EvidenceAdded struct {
	Case      string                     `json:"case"`
	Source    Source                     `json:"source"`
	Evidence  *Evidence                  `json:"evidence,omitempty"`
	Statement *event.Personal[Statement] `json:"statement,omitempty"`
	By        event.Subject              `json:"by,omitempty"`
	At        time.Time                  `json:"at"`
}

// Personal seals the statement.
func (e EvidenceAdded) Personal() []event.Sealable { return sealables(e.Statement) }

// InvestigationOpened says that the CA looks into the case.
type InvestigationOpened struct {
	Case string        `json:"case"`
	By   event.Subject `json:"by"`
	At   time.Time     `json:"at"`
}

// InaccuracyRefuted closes the case in the holder's favour.
type InaccuracyRefuted struct {
	Case      string                     `json:"case"`
	Statement *event.Personal[Statement] `json:"statement"`
	By        event.Subject              `json:"by"`
	At        time.Time                  `json:"at"`
}

// Personal seals the statement.
func (e InaccuracyRefuted) Personal() []event.Sealable { return []event.Sealable{e.Statement} }

// InaccuracyEstablished is the CA's finding: the certificate is revoked.
type InaccuracyEstablished struct {
	Case        string                     `json:"case"`
	Certificate string                     `json:"certificate"`
	Finding     Finding                    `json:"finding"`
	Statement   *event.Personal[Statement] `json:"statement"`
	By          event.Subject              `json:"by"`
	At          time.Time                  `json:"at"`
}

// Personal seals the statement.
func (e InaccuracyEstablished) Personal() []event.Sealable { return []event.Sealable{e.Statement} }

func sealables(p *event.Personal[Statement]) []event.Sealable {
	if p == nil {
		return nil
	}
	return []event.Sealable{p}
}

// reportedV1 is a case of the time when only people opened one.
type reportedV1 struct {
	Case        string                     `json:"case"`
	Certificate string                     `json:"certificate"`
	Statement   *event.Personal[Statement] `json:"statement"`
	By          event.Subject              `json:"by"`
	At          time.Time                  `json:"at"`
}

func (e reportedV1) upcast() event.Event {
	return Opened{e.Case, e.Certificate, Reported, nil, e.Statement, e.By, e.At}
}

// establishedV1 knew falsity alone.
type establishedV1 struct {
	Case        string                     `json:"case"`
	Certificate string                     `json:"certificate"`
	Statement   *event.Personal[Statement] `json:"statement"`
	By          event.Subject              `json:"by"`
	At          time.Time                  `json:"at"`
}

func (e establishedV1) upcast() event.Event {
	return InaccuracyEstablished{e.Case, e.Certificate, FalseInformation, e.Statement, e.By, e.At}
}
