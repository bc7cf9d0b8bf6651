package signer

import (
	"context"
	"errors"

	"govahi/domain/event"
)

// read reads a stream from the log itself: what a caller says about it does not
// count.
func read(ctx context.Context, log event.Log, stream event.Stream, from uint64) ([]event.Recorded, error) {
	var events []event.Recorded
	for r, err := range log.Read(ctx, stream, from) {
		if err != nil {
			return nil, ofLog(err)
		}
		events = append(events, r)
	}
	return events, nil
}

// ofLog names the log as the reason, unless it holds what cannot be read.
func ofLog(err error) error {
	if err == nil || errors.Is(err, event.ErrUndecodable) || errors.Is(err, event.ErrUnlisted) {
		return err
	}
	return errors.Join(ErrLog, err)
}
