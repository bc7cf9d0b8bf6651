package commands

import (
	"context"

	"govahi/commands/kept"
	"govahi/domain/appointment"
	"govahi/domain/event"
	"govahi/domain/issuer"
	"govahi/domain/office"
)

// standingChanges begin the stored names of events by which something stands
// otherwise. Of a certificate nothing counts before it was issued: nobody confirms
// with it until then.
var standingChanges = []string{
	issuer.Kind.Catalog.Prefix(), office.Kind.Catalog.Prefix(), appointment.Kind.Catalog.Prefix(),
	"certificate.issued.", "certificate.issuance-abandoned.",
	"certificate.suspended.", "certificate.suspension-lifted.", "certificate.revoked.",
}

// NewStanding holds what many issuances rest on: issuers, officers, their offices
// and their certificates.
func NewStanding(log event.Log) *kept.Streams { return kept.New(log, standingChanges...) }

// stands is such a stream's state, no older than the last Fresh.
func stands[S any](ctx context.Context, a *App, kind event.Kind[S], stream event.Stream) (S, error) {
	state, err := kept.Of(ctx, a.Standing, kind, stream)
	return state, unavailable(err)
}
