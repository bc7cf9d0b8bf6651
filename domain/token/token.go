// Package token is one physical security token and who holds it (S1.11, S1.19–
// S1.24, invariants 5 and 6). At any time there is exactly one holder: a place,
// or the applicant. Who hands it over remains the holder until it is received.
//
//	─ReceivedInStock─▶ InStock ─Reserved─▶ Reserved ─Personalised─▶ Personalised
//	Personalised ─HandedOver─▶ InTransit ─Received─▶ Personalised
//	Personalised ─Delivered─▶ Delivered ─PINActivated─▶ Activated
//	InTransit, Personalised ─Received, seal broken─▶ Compromised     any ─Lost, FoundDefective, Recalled─▶ …
//	Defective, Recalled, Lost, on their way ─Received─▶ as they were, with a holder who knows of it
//	Compromised, Defective, Recalled, Lost ─Returned─▶ Returned ─Destroyed─▶ Destroyed ■
package token

import (
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of a token.
var Catalog = event.NewCatalog(
	event.Of[ReceivedInStock]("token.received-in-stock.v1"),
	event.Of[Reserved]("token.reserved.v1"),
	event.Of[Personalised]("token.personalised.v1"),
	event.Of[PINIssued]("token.pin-issued.v1"),
	event.Of[HandedOver]("token.handed-over.v1"),
	event.Of[Received]("token.received.v1"),
	event.Of[Delivered]("token.delivered.v1"),
	event.Of[Renewed]("token.renewed.v1"),
	event.Of[PINDelivered]("token.pin-delivered.v1"),
	event.Of[PINActivated]("token.pin-activated.v1"),
	event.Of[AlarmRaised]("token.alarm-raised.v1"),
	event.Of[Lost]("token.lost.v1"),
	event.Of[FoundDefective]("token.found-defective.v1"),
	event.Of[Recalled]("token.recalled.v1"),
	event.Of[Returned]("token.returned.v1"),
	event.Of[Destroyed]("token.destroyed.v1"),
)

// Kind is the stream `token-<serial>`.
var Kind = event.Kind[Token]{Category: "token", Catalog: Catalog, Evolve: Evolve, Life: life}

// ReceivedInStock adds a blank token to an office's stock.
type ReceivedInStock struct {
	Serial string        `json:"serial"`
	Model  string        `json:"model"`
	Office string        `json:"office"`
	By     event.Subject `json:"by"`
	At     time.Time     `json:"at"`
}

// Reserved keeps it for a request.
type Reserved struct {
	Request event.Stream  `json:"request"`
	By      event.Subject `json:"by"`
	At      time.Time     `json:"at"`
}

// Personalised says which certificate it carries.
type Personalised struct {
	Certificate string        `json:"certificate"` // serial
	By          event.Subject `json:"by"`
	At          time.Time     `json:"at"`
}

// Delivered says that the applicant has it.
type Delivered struct {
	To event.Subject `json:"to"`
	By event.Subject `json:"by"`
	At time.Time     `json:"at"`
}

// Renewed says that the applicant's token, which he keeps, carries a renewed
// certificate of the same key.
type Renewed struct {
	Request     event.Stream  `json:"request"`
	Certificate string        `json:"certificate"` // serial
	By          event.Subject `json:"by"`
	At          time.Time     `json:"at"`
}

// Status is where the token is in its life.
type Status string

// The states.
const (
	None               Status = ""
	InStock            Status = "in-stock"
	StatusReserved     Status = "reserved"
	StatusPersonalised Status = "personalised"
	InTransit          Status = "in-transit"
	StatusDelivered    Status = "delivered"
	Activated          Status = "activated"
	Compromised        Status = "compromised" // its seal was broken
	StatusLost         Status = "lost"
	Defective          Status = "defective"
	StatusRecalled     Status = "recalled"
	StatusReturned     Status = "returned"
	StatusDestroyed    Status = "destroyed"
)

// Statuses lists them, for documents.
var Statuses = []Status{
	InStock, StatusReserved, StatusPersonalised, InTransit, StatusDelivered, Activated,
	Compromised, StatusLost, Defective, StatusRecalled, StatusReturned, StatusDestroyed,
}

// Holder is who has the token: a place by its code, or a person.
type Holder struct {
	Place  string        `json:"place,omitempty"`
	Person event.Subject `json:"person,omitempty"`
}

// Token is the state.
type Token struct {
	Status      Status
	Serial      string
	Office      string // whose stock it came from
	Holder      Holder // never empty once it is in stock, until it is destroyed
	Route       []string
	Request     event.Stream
	Certificate string
	To          string          // of a hand-over without a receipt
	Sent        HandedOver      // the latest
	Receipt     Received        // the latest
	PIN         PINIssued       // how its PIN travels
	PINWays     []string        // by which an envelope ever went: who carried one may have read it
	PINThere    bool            // the applicant has the PIN's envelope
	Hands       []event.Subject // who sent or received it on its way
	Since       time.Time       // of the state
	Born        time.Time       // when it was personalised
	Alarm       Alarm           // the latest, raised since the state began
}

// Evolve is what each event means.
func Evolve(s Token, e event.Event) Token {
	switch e := e.(type) {
	case ReceivedInStock:
		s = Token{Serial: e.Serial, Office: e.Office}.at(Holder{Place: e.Office}).is(InStock, e.At)
	case Reserved:
		s.Request = e.Request
		s = s.is(StatusReserved, e.At)
	case Personalised:
		s.Certificate, s.Born = e.Certificate, e.At
		s = s.is(StatusPersonalised, e.At)
	case PINIssued:
		s.PIN, s.PINWays = e, append(slices.Clip(s.PINWays), e.Via)
	case PINDelivered:
		s.PINThere = true
	case AlarmRaised:
		s.Alarm = e.Kind
	case Renewed:
		s.Request, s.Certificate = e.Request, e.Certificate
	default:
		s = s.onItsWay(e)
	}
	return s
}

func (s Token) onItsWay(e event.Event) Token {
	switch e := e.(type) {
	case HandedOver:
		s.To, s.Sent = e.To, e
		s = s.inHandsOf(e.By).is(InTransit, e.At)
	case Received:
		s.Receipt = e
		s = s.at(Holder{Place: e.Place}).inHandsOf(e.By).is(s.received(e), e.At)
	case Delivered:
		s = s.at(Holder{Person: e.To}).is(StatusDelivered, e.At)
	case PINActivated:
		s = s.is(Activated, e.At)
	case Lost:
		s = s.is(StatusLost, e.At)
	case FoundDefective:
		s = s.is(Defective, e.At)
	case Recalled:
		s = s.is(StatusRecalled, e.At)
	case Returned:
		s = s.at(Holder{Place: e.Office}).is(StatusReturned, e.At)
	case Destroyed:
		s.Holder = Holder{}
		s = s.is(StatusDestroyed, e.At)
	}
	return s
}

// received is what a receipt makes of it: what ended on its way remains so.
func (s Token) received(e Received) Status {
	switch {
	case !e.SealIntact:
		return Compromised
	case s.Status == InTransit:
		return StatusPersonalised
	}
	return s.Status
}

// at gives it a holder and remembers the places that had it.
func (s Token) at(h Holder) Token {
	s.Holder, s.To = h, ""
	if h.Place != "" && !slices.Contains(s.Route, h.Place) {
		s.Route = append(slices.Clip(s.Route), h.Place)
	}
	return s
}

func (s Token) inHandsOf(by event.Subject) Token {
	if !slices.Contains(s.Hands, by) {
		s.Hands = append(slices.Clip(s.Hands), by)
	}
	return s
}

func (s Token) is(status Status, since time.Time) Token {
	s.Status, s.Since, s.Alarm = status, since, ""
	return s
}

// The refusals.
var (
	ErrNotFound = fault.New(fault.NotFound, "token-not-found",
		"توکنی با این شماره در موجودی نیست؛ شماره را بازبینی کنید.",
		"No token of this serial is in stock; check the serial.").At("token")
	ErrKnown = fault.New(fault.Conflict, "token-known",
		"این توکن پیش‌تر ثبت شده است.", "This token was registered before.").At("serial")
	ErrTaken = fault.New(fault.Conflict, "token-taken",
		"این توکن از آن این درخواست نیست؛ توکن خامی از موجودی برای آن کنار بگذارید.",
		"This token is not this request's; reserve a blank one of the stock for it.").At("token")
	ErrGone = fault.New(fault.Conflict, "token-gone",
		"این توکن گم‌شده، معیوب یا از کار افتاده است و گواهی روی آن نمی‌رود؛ توکن خام دیگری از موجودی کنار بگذارید.",
		"This token is lost, defective or out of use, and takes no certificate; reserve another blank one of the stock.").At("token")
	ErrOffice = fault.New(fault.Forbidden, "token-of-other-office",
		"این توکن در موجودی دفتر دیگری است.", "This token is in another office's stock.").At("token")
)

func (s Token) refuse(f *fault.Fault) error { return life.Refuse(f, string(s.Status)) }

// Receive adds a blank token to the stock.
type Receive ReceivedInStock

// Decide registers a token once.
func (c Receive) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return []event.Event{ReceivedInStock(c)}, nil
	case s.Status == InStock && s.Office == c.Office:
		return nil, nil
	}
	return nil, s.refuse(ErrKnown)
}

// Reserve keeps a blank token of the office's own stock for a request.
type Reserve struct {
	Request event.Stream
	Office  string
	By      event.Subject
	At      time.Time
	Free    bool // the request that it was kept for does without it
}

// Decide gives a token to one request only.
func (c Reserve) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.Office != c.Office:
		return nil, ErrOffice
	case s.Request == c.Request:
		return nil, nil
	case s.Status != InStock && (s.Status != StatusReserved || !c.Free):
		return nil, s.refuse(ErrTaken)
	}
	return []event.Event{Reserved{c.Request, c.By, c.At}}, nil
}

// Personalise notes the certificate on the token.
type Personalise struct {
	Request     event.Stream
	Certificate string
	By          event.Subject
	At          time.Time
}

// Decide follows the request's own record.
func (c Personalise) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Request != c.Request:
		return nil, s.refuse(ErrTaken)
	case s.Status != StatusReserved: // done, or lost meanwhile
		return nil, nil
	}
	return []event.Event{Personalised{c.Certificate, c.By, c.At}}, nil
}

// Deliver notes that the applicant has it.
type Deliver struct {
	Request event.Stream
	To, By  event.Subject
	At      time.Time
}

// Decide follows the request's own record.
func (c Deliver) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Request != c.Request:
		return nil, s.refuse(ErrTaken)
	case s.Status != StatusPersonalised:
		return nil, nil
	}
	return []event.Event{Delivered{c.To, c.By, c.At}}, nil
}

// Renew notes a renewed certificate on the token that its holder brought.
type Renew struct {
	Former, Request event.Stream
	Certificate     string
	By              event.Subject
	At              time.Time
}

// Decide follows the renewal's own record.
func (c Renew) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Request == c.Request:
		return nil, nil
	case s.Request != c.Former:
		return nil, s.refuse(ErrTaken)
	case s.Status != StatusDelivered && s.Status != Activated: // lost or recalled meanwhile
		return nil, nil
	}
	return []event.Event{Renewed{c.Request, c.Certificate, c.By, c.At}}, nil
}

// ReservedFor wants the blank token that was kept for the request, and is still
// there.
func (s Token) ReservedFor(request event.Stream) error {
	switch {
	case s.Request != request:
		return s.refuse(ErrTaken)
	case s.Status != StatusReserved:
		return s.refuse(ErrGone)
	}
	return nil
}

// HeldBy refuses a token that is not in the hands of that person.
func (s Token) HeldBy(person event.Subject) error {
	if s.Holder.Person == person && (s.Status == StatusDelivered || s.Status == Activated) {
		return nil
	}
	return s.refuse(ErrNotHere)
}
