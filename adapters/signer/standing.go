package signer

import (
	"context"

	"govahi/commands/kept"
	"govahi/domain/event"
)

// standing is what a stream says that many signatures rest on: no less than the
// log said when the signature was asked for.
func standing[S any](ctx context.Context, s *Server, kind event.Kind[S], stream event.Stream) (S, error) {
	state, err := kept.Of(ctx, s.kept, kind, stream)
	return state, ofLog(err)
}
