// Package token is one physical security token and who holds it (S1.11).
//
//	─ReceivedInStock─▶ InStock ─Reserved─▶ Reserved ─Personalised─▶ Personalised ─Delivered─▶ Delivered ■
package token

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of a token.
var Catalog = event.NewCatalog(
	event.Of[ReceivedInStock]("token.received-in-stock.v1"),
	event.Of[Reserved]("token.reserved.v1"),
	event.Of[Personalised]("token.personalised.v1"),
	event.Of[Delivered]("token.delivered.v1"),
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

// Status is where the token is.
type Status string

// The states.
const (
	None               Status = ""
	InStock            Status = "in-stock"
	StatusReserved     Status = "reserved"
	StatusPersonalised Status = "personalised"
	StatusDelivered    Status = "delivered"
)

// Token is the state.
type Token struct {
	Status      Status
	Serial      string
	Office      string
	Request     event.Stream
	Certificate string
}

// Evolve is what each event means.
func Evolve(s Token, e event.Event) Token {
	switch e := e.(type) {
	case ReceivedInStock:
		s = Token{Status: InStock, Serial: e.Serial, Office: e.Office}
	case Reserved:
		s.Status, s.Request = StatusReserved, e.Request
	case Personalised:
		s.Status, s.Certificate = StatusPersonalised, e.Certificate
	case Delivered:
		s.Status = StatusDelivered
	}
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
	case s.Status != InStock:
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
	case s.Status != StatusReserved:
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
