package projections

import (
	_ "embed"

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

func applyToken(w *Writer, e Event) {
	serial := e.Stream.ID()
	switch e := e.Is.(type) {
	case token.ReceivedInStock:
		w.Exec(`INSERT INTO tokens (serial, model, office, status, since) VALUES ($1, $2, $3, 'in-stock', $4)`,
			serial, e.Model, e.Office, e.At)
	case token.Reserved:
		w.Exec(`UPDATE tokens SET status = 'reserved', request = $2, since = $3 WHERE serial = $1`, serial, e.Request.ID(), e.At)
	case token.Personalised:
		w.Exec(`UPDATE tokens SET status = 'personalised', certificate = $2, since = $3 WHERE serial = $1`, serial, e.Certificate, e.At)
	case token.Delivered:
		w.Exec(`UPDATE tokens SET status = 'delivered', holder = $2, since = $3 WHERE serial = $1`, serial, e.To, e.At)
	}
}
