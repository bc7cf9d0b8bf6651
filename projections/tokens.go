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
	Name: "tokens", Version: 1, Tables: tokensSQL,
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
	Holder      *string
	Since       time.Time
}

func applyToken(w *Writer, e Event) {
	serial := e.Stream.ID()
	switch e := e.Is.(type) {
	case token.ReceivedInStock:
		tokens.Insert(w, tokenRow{Serial: serial, Model: e.Model, Office: e.Office, Status: "in-stock", Since: e.At})
	case token.Reserved:
		r := tokens.Change(w, serial)
		r.Status, r.Request, r.Since = "reserved", new(e.Request.ID()), e.At
	case token.Personalised:
		r := tokens.Change(w, serial)
		r.Status, r.Certificate, r.Since = "personalised", new(e.Certificate), e.At
	case token.Delivered:
		r := tokens.Change(w, serial)
		r.Status, r.Holder, r.Since = "delivered", new(string(e.To)), e.At
	}
}
