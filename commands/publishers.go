package commands

import (
	"context"
	"errors"
	"slices"

	"govahi/domain/event"
)

// Publishers issue the revocation lists of every issuer, each by itself: trouble
// with one holds no other up.
type Publishers []*Publisher

// NewPublishers publishes for every issuer of the house, on one shelf.
func NewPublishers(a *App, with func(Authority) Publishing) (all Publishers) {
	for _, of := range a.Issuers() {
		all = append(all, NewPublisher(a, with(of)))
	}
	return all
}

// Publish issues each list that is due.
func (all Publishers) Publish(ctx context.Context, c Caller) (err error) {
	for _, p := range all {
		err = errors.Join(err, p.Publish(ctx, c))
	}
	return err
}

// PublishFor does so for what stands at a position, of one issuer, or of any if
// the event does not say whose it is.
func (all Publishers) PublishFor(ctx context.Context, c Caller, issuer string, at event.Position) (err error) {
	for _, p := range all {
		if issuer == "" || issuer == p.with.Authority.Issuer() {
			err = errors.Join(err, p.PublishFor(ctx, c, at))
		}
	}
	return err
}

// Refused is how many lists the checkers have refused.
func (all Publishers) Refused() (n int64) {
	for _, p := range all {
		n += p.Refused()
	}
	return n
}

// Missed tells whether the latest list of any is not on its shelf.
func (all Publishers) Missed() bool {
	return slices.ContainsFunc(all, (*Publisher).Missed)
}
