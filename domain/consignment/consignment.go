// Package consignment is a bag of dossiers between two places of the inside
// channel, counted at both ends (S1.19; §2.3, ApprovedRT → AtOffice). What was
// sent and did not come, or came and was not sent, is a case of its own.
//
//	─Dispatched─▶ OnItsWay ─Received─▶ Complete ■      OnItsWay ─Received, a difference─▶ Discrepant
//	Discrepant ─DiscrepancyResolved─▶ Resolved ■      ─CalledOff─▶ NotSent ■
package consignment

import (
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of a consignment.
var Catalog = event.NewCatalog(
	event.Of[Dispatched]("consignment.dispatched.v1"),
	event.Of[Received]("consignment.received.v1"),
	event.Of[DiscrepancyResolved]("consignment.discrepancy-resolved.v1"),
	event.Of[CalledOff]("consignment.called-off.v1"),
)

// Kind is the stream `consignment-<number>`; a number is a tracking code.
var Kind = event.Kind[Consignment]{Category: "consignment", Catalog: Catalog, Evolve: Evolve, Life: life}

// Dispatched names every dossier in the bag, by its tracking code.
type Dispatched struct {
	Number   string        `json:"number"`
	From     string        `json:"from"`
	To       string        `json:"to"`
	Dossiers []string      `json:"dossiers"`
	Seal     string        `json:"seal"`
	By       event.Subject `json:"by"`
	At       time.Time     `json:"at"`
}

// Received is the count of who opened the bag.
type Received struct {
	Dossiers   []string      `json:"dossiers"` // found in it
	SealIntact bool          `json:"sealIntact"`
	Missing    []string      `json:"missing,omitempty"`
	Surplus    []string      `json:"surplus,omitempty"`
	By         event.Subject `json:"by"`
	At         time.Time     `json:"at"`
}

// DiscrepancyResolved ends the case: what was found after all, and what is
// lost, to be made anew by who sent it.
type DiscrepancyResolved struct {
	Found []string      `json:"found,omitempty"`
	Lost  []string      `json:"lost,omitempty"`
	Cause Cause         `json:"cause"`
	By    event.Subject `json:"by"`
	At    time.Time     `json:"at"`
}

// CalledOff says that a consignment which was begun, and never sent, will not be:
// another took its dossiers.
type CalledOff struct {
	For string        `json:"for"` // the number of the other
	By  event.Subject `json:"by"`
	At  time.Time     `json:"at"`
}

// Cause is why the counts differed.
type Cause string

// The causes.
const (
	Miscounted   Cause = "miscounted"
	LeftBehind   Cause = "left-behind"
	LostOnTheWay Cause = "lost-on-the-way"
	Tampered     Cause = "tampered"
)

// Causes lists them.
var Causes = []Cause{Miscounted, LeftBehind, LostOnTheWay, Tampered}

// Status is where it stands.
type Status string

// The states.
const (
	None       Status = ""
	OnItsWay   Status = "on-its-way"
	Complete   Status = "complete"
	Discrepant Status = "discrepant"
	Resolved   Status = "resolved"
	NotSent    Status = "called-off"
)

// Statuses lists them.
var Statuses = []Status{OnItsWay, Complete, Discrepant, Resolved, NotSent}

// Consignment is the state.
type Consignment struct {
	Status   Status
	Sent     Dispatched
	Received Received
	Resolved DiscrepancyResolved
}

// Evolve is what each event means.
func Evolve(s Consignment, e event.Event) Consignment {
	switch e := e.(type) {
	case Dispatched:
		s = Consignment{Status: OnItsWay, Sent: e}
	case Received:
		s.Received, s.Status = e, Complete
		if len(e.Missing) > 0 || len(e.Surplus) > 0 || !e.SealIntact {
			s.Status = Discrepant
		}
	case DiscrepancyResolved:
		s.Resolved, s.Status = e, Resolved
	case CalledOff:
		s.Status = NotSent
	}
	return s
}

// Most bounds a bag.
const Most = 200

// The refusals.
var (
	ErrNotFound = fault.New(fault.NotFound, "consignment-not-found",
		"محموله‌ای با این شماره نیست؛ شماره را بازبینی کنید.", "There is no consignment of this number; check the number.")
	ErrEmpty = fault.New(fault.Invalid, "consignment-empty",
		"محموله ۱ تا ۲۰۰ پرونده دارد، هر یک یک بار.", "A consignment has 1 to 200 dossiers, each once.").At("dossiers")
	ErrReceived = fault.New(fault.Conflict, "consignment-received",
		"این محموله پیش‌تر با شمارش یا مهروموم دیگری تحویل گرفته شده است و همان می‌ماند.",
		"This consignment was received before, with another count or another state of its seal, and that stays recorded.")
	ErrResolved = fault.New(fault.Conflict, "consignment-resolved",
		"مغایرت این محموله پیش‌تر به گونهٔ دیگری روشن شده است و همان می‌ماند.",
		"The discrepancy of this consignment was resolved before, otherwise, and that stays recorded.")
	ErrNotDiscrepant = fault.New(fault.Conflict, "consignment-not-discrepant",
		"این محموله مغایرت بازی ندارد.", "This consignment has no open discrepancy.")
	ErrCalledOff = fault.New(fault.Conflict, "consignment-called-off",
		"فرستادن این محموله نیمه‌کاره ماند و پرونده‌ای از آن در محمولهٔ دیگری رفت؛ پرونده‌های مانده را با محمولهٔ تازه بفرستید.",
		"This consignment was cut off before it was sent, and another took a dossier of it; send the others with a new one.")
	ErrUnaccounted = fault.New(fault.Invalid, "dossiers-unaccounted",
		"هر پروندهٔ نارسیده را یا یافته یا گم‌شده بنویسید، یک بار.", "Name every dossier that did not come as found or lost, once.").At("found")
)

// Dispatch sends a bag.
type Dispatch Dispatched

// Decide wants each dossier once.
func (c Dispatch) Decide(s Consignment) ([]event.Event, error) {
	if s.Status == NotSent {
		return nil, life.Refuse(ErrCalledOff, string(s.Status))
	}
	if s.Status != None {
		return nil, nil
	}
	if len(c.Dossiers) == 0 || len(c.Dossiers) > Most || repeats(c.Dossiers) {
		return nil, ErrEmpty
	}
	return []event.Event{Dispatched(c)}, nil
}

// CallOff gives up a consignment that nobody is sending any more.
type CallOff CalledOff

// Decide is for what was never sent; what was has its dossiers.
func (c CallOff) Decide(s Consignment) ([]event.Event, error) {
	switch s.Status {
	case None:
		return []event.Event{CalledOff(c)}, nil
	case NotSent:
		return nil, nil
	}
	return nil, life.Refuse(ErrPacked(s.Sent.Number), string(s.Status))
}

func repeats(codes []string) bool {
	sorted := slices.Sorted(slices.Values(codes))
	return len(slices.Compact(sorted)) != len(codes)
}

// Receive opens the bag and counts.
type Receive struct {
	Dossiers   []string
	SealIntact bool
	By         event.Subject
	At         time.Time
}

// Decide compares what is there with what was sent.
func (c Receive) Decide(s Consignment) ([]event.Event, error) {
	switch {
	case s.Status == None || s.Status == NotSent:
		return nil, ErrNotFound
	case repeats(c.Dossiers) || len(c.Dossiers) > Most:
		return nil, ErrEmpty
	case s.Status != OnItsWay && c.SealIntact == s.Received.SealIntact && same(s.Received.Dossiers, c.Dossiers):
		return nil, nil
	case s.Status != OnItsWay:
		return nil, life.Refuse(ErrReceived, string(s.Status))
	}
	return []event.Event{Received{
		c.Dossiers, c.SealIntact, without(s.Sent.Dossiers, c.Dossiers), without(c.Dossiers, s.Sent.Dossiers), c.By, c.At,
	}}, nil
}

func same(a, b []string) bool { return len(without(a, b)) == 0 && len(without(b, a)) == 0 }

// without are those of a that are not among b.
func without(a, b []string) []string {
	var rest []string
	for _, code := range a {
		if !slices.Contains(b, code) {
			rest = append(rest, code)
		}
	}
	return rest
}

// Resolve ends a discrepancy case.
type Resolve struct {
	Found, Lost []string
	Cause       Cause
	By          event.Subject
	At          time.Time
}

// Decide accounts for every dossier that did not come.
func (c Resolve) Decide(s Consignment) ([]event.Event, error) {
	accounted := slices.Concat(c.Found, c.Lost)
	switch {
	case s.Status == None || s.Status == NotSent:
		return nil, ErrNotFound
	case s.Status == Resolved && c.Cause == s.Resolved.Cause && same(c.Found, s.Resolved.Found) && same(c.Lost, s.Resolved.Lost):
		return nil, nil
	case s.Status == Resolved:
		return nil, life.Refuse(ErrResolved, string(s.Status))
	case s.Status != Discrepant:
		return nil, life.Refuse(ErrNotDiscrepant, string(s.Status))
	case repeats(accounted) || !same(accounted, s.Received.Missing):
		return nil, ErrUnaccounted
	}
	return []event.Event{DiscrepancyResolved(c)}, nil
}
