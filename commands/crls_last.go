package commands

import (
	"context"
	"time"

	"govahi/domain/crl"
)

// withoutKey notes that the signer has no key for the issuer any more: it was
// destroyed after its compromise. Each question costs a number, so it is asked once
// in a while, for the key may be put back.
func (p *Publisher) withoutKey() { p.keyless = p.app.Clock() }

// waitsForKey tells whether the signer was asked in vain not long ago.
func (p *Publisher) waitsForKey() bool {
	return !p.keyless.IsZero() && p.app.Clock().Sub(p.keyless).Abs() < crlEvery
}

// layAgain makes the last list again and lays it on a shelf that has lost it: its
// signature stands in the log, and its key may be destroyed. It tells whether what
// came of it is that very list.
func (p *Publisher) layAgain(ctx context.Context) (bool, error) {
	of := p.series.Of
	before, err := p.updateBefore(ctx)
	if err != nil {
		return false, err
	}
	if err := p.revoked.resolve(ctx, p.app.Log); err != nil {
		return false, err
	}
	made, err := p.with.Authority.PrepareLastCRL(of.Number, of.ThisUpdate, p.revoked.list(before))
	if err != nil || made.TBSHash != of.TBSHash {
		return false, err
	}
	der := p.with.Authority.AssembleCRL(made.TBS, p.series.Latest.Signature)
	again, err := p.with.Authority.CheckCRL(der, made.TBS)
	if err != nil || again.Hash != p.series.Latest.Hash {
		return false, err
	}
	p.unlaid = &crl.List{Number: of.Number, ThisUpdate: of.ThisUpdate, NextUpdate: of.NextUpdate, DER: der}
	return true, p.lay(ctx)
}

// updateBefore is the time of the list before the latest, by which that one left out
// what was over; zero if there was none.
func (p *Publisher) updateBefore(ctx context.Context) (time.Time, error) {
	number := uint64(0)
	for r, err := range p.app.Log.ReadBack(ctx, p.stream) {
		if err != nil {
			return time.Time{}, unavailable(err)
		}
		e, err := crl.Catalog.Open(r)
		if err != nil {
			return time.Time{}, err
		}
		switch e := e.(type) {
		case crl.Signed:
			if number == 0 && e.Number < p.series.Of.Number {
				number = e.Number
			}
		case crl.Intended:
			if number > 0 && e.Number == number {
				return e.ThisUpdate, nil
			}
		}
	}
	return time.Time{}, nil
}
