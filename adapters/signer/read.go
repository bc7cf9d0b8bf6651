package signer

import (
	"context"
	"errors"
	"fmt"

	"govahi/domain/event"
)

// read reads a stream from the log itself: what a caller says about it does not
// count.
func read(ctx context.Context, log event.Log, stream event.Stream, from uint64) ([]event.Recorded, error) {
	var events []event.Recorded
	for r, err := range log.Read(ctx, stream, from) {
		if err != nil {
			return nil, errors.Join(ErrLog, err)
		}
		events = append(events, r)
	}
	return events, nil
}

func fold[S any](kind event.Kind[S], events []event.Recorded) (S, error) {
	var none S
	return foldOn(kind, none, events)
}

// foldOn goes on from a state.
func foldOn[S any](kind event.Kind[S], s S, events []event.Recorded) (S, error) {
	for _, r := range events {
		e, err := kind.Catalog.Open(r)
		if err != nil {
			return s, fmt.Errorf("signer: %w", err)
		}
		s = kind.Evolve(s, e)
	}
	return s, nil
}
