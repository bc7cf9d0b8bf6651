package projections

import (
	_ "embed"
	"time"

	"govahi/domain/event"
	"govahi/domain/token"
)

//go:embed tokens.sql
var tokensSQL string

// Tokens is each office's stock, and who has which token.
var Tokens = Projection{
	Name: "tokens", Version: 2, Tables: tokensSQL,
	Catalogs: []event.Catalog{token.Catalog},
	Apply:    applyToken,
}

var tokens = NewTable[tokenRow]("tokens", token.Kind.Category)

type tokenRow struct {
	Serial      string `row:"key"`
	Model       string
	Office      string
	Status      string
	Request     *string
	Certificate *string
	Holder      *string // place, until the applicant has it
	HolderTo    *string // while it is on its way
	Person      *string // who has it
	Born        *time.Time
	Alarm       *string
	Since       time.Time
}

func applyToken(w *Writer, told Event) {
	serial := told.Stream.ID()
	switch e := told.Is.(type) {
	case token.ReceivedInStock:
		tokens.Insert(w, tokenRow{Serial: serial, Model: e.Model, Office: e.Office, Status: "in-stock", Holder: &e.Office, Since: e.At})
	case token.Reserved:
		r := tokens.Change(w, serial)
		r.Status, r.Request, r.Since = "reserved", new(e.Request.ID()), e.At
	case token.Personalised:
		r := tokens.Change(w, serial)
		r.Status, r.Certificate, r.Born, r.Since = "personalised", new(e.Certificate), &e.At, e.At
	default:
		if r := tokens.Change(w, serial); !r.onItsWay(told.Is) {
			r.inTrouble(told.Is)
		}
	}
}

// to is the next state; an alarm was about the one before.
func (r *tokenRow) to(status token.Status, at time.Time) bool {
	r.Status, r.Since, r.Alarm = string(status), at, nil
	return true
}

func (r *tokenRow) onItsWay(e event.Event) bool {
	switch e := e.(type) {
	case token.HandedOver:
		r.HolderTo = &e.To
		return r.to(token.InTransit, e.At)
	case token.Received:
		r.Holder, r.HolderTo = &e.Place, nil
		switch {
		case !e.SealIntact:
			return r.to(token.Compromised, e.At)
		case r.Status != string(token.InTransit): // it ended on its way
			return r.to(token.Status(r.Status), e.At)
		}
		return r.to(token.StatusPersonalised, e.At)
	case token.Delivered:
		r.Holder, r.HolderTo, r.Person = nil, nil, new(string(e.To))
		return r.to(token.StatusDelivered, e.At)
	case token.Renewed: // where it is it stays
		r.Request, r.Certificate = new(e.Request.ID()), &e.Certificate
		return true
	case token.PINActivated:
		return r.to(token.Activated, e.At)
	}
	return false
}

func (r *tokenRow) inTrouble(e event.Event) {
	switch e := e.(type) {
	case token.AlarmRaised:
		r.Alarm = new(string(e.Kind))
	case token.Lost:
		r.to(token.StatusLost, e.At)
	case token.FoundDefective:
		r.to(token.Defective, e.At)
	case token.Recalled:
		r.to(token.StatusRecalled, e.At)
	case token.Returned:
		r.Holder, r.HolderTo, r.Person = &e.Office, nil, nil
		r.to(token.StatusReturned, e.At)
	case token.Destroyed:
		r.Holder, r.HolderTo, r.Person = nil, nil, nil
		r.to(token.StatusDestroyed, e.At)
	}
}
