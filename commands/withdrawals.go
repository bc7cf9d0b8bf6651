package commands

import (
	"context"
	"errors"
	"sync"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/event"
	"govahi/domain/issuer"
)

// withdrawnAtOnce is how many certificates of a compromised issuer are revoked at
// each look; a worker looks ten times a second. So lists, answers and messages
// keep up.
const withdrawnAtOnce = 10

// Withdrawal knows what is left to revoke of issuers whose key is compromised. It
// reads the log alone, so that whoever goes on after a crash goes on where the log
// stands, and nothing that is issued late escapes.
type Withdrawal struct {
	app  *App
	mu   sync.Mutex
	left map[string]*remainder // by issuer
}

// remainder is what an issuer has issued to people that is not revoked.
type remainder struct {
	issuer string
	at     event.Position
	live   map[string]time.Time // by serial, when its validity ends
	end    time.Time            // of the last of all that it issued
}

// NewWithdrawal knows nothing yet.
func NewWithdrawal(a *App) *Withdrawal { return &Withdrawal{app: a, left: map[string]*remainder{}} }

// Due lists serials to be revoked now.
func (w *Withdrawal) Due(ctx context.Context, now time.Time, limit int) (due []string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, of := range w.app.Issuers() {
		ending, err := w.app.declared(ctx, of)
		if err != nil || ending != issuer.Compromise {
			if err != nil {
				return nil, err
			}
			continue
		}
		r := w.left[of.Issuer()]
		if r == nil {
			r = &remainder{issuer: of.Issuer()}
			w.left[of.Issuer()] = r
		}
		if err := r.follow(ctx, w.app.Log); err != nil {
			return nil, err
		}
		for serial, end := range r.live {
			if len(due) >= min(limit, withdrawnAtOnce) {
				return due, nil
			}
			if now.Before(end) {
				due = append(due, serial)
			}
		}
	}
	return due, nil
}

// follow takes in what the log holds beyond what is known. A log that was set
// back is read anew.
func (r *remainder) follow(ctx context.Context, log event.Log) error {
	head, err := log.Head(ctx)
	if err != nil {
		return unavailable(err)
	}
	if head < r.at || r.live == nil {
		*r = remainder{issuer: r.issuer, live: map[string]time.Time{}}
	}
	if head == r.at {
		return nil
	}
	for e, err := range log.ReadAll(ctx, r.at, "certificate.issued.", "certificate.revoked.") {
		if err != nil {
			return unavailable(err)
		}
		if err := r.take(ctx, log, e); err != nil {
			return err
		}
		r.at = e.Position
	}
	r.at = max(r.at, head)
	return nil
}

// take leaves out what is about nobody: the certificate of who answers for the
// issuer goes on to say that all others are revoked.
func (r *remainder) take(ctx context.Context, log event.Log, e event.Recorded) error {
	is, err := certificate.Catalog.Open(e)
	if err != nil {
		return err
	}
	switch is := is.(type) {
	case certificate.Issued:
		by, err := issuerOf(ctx, log, e.Stream, is)
		if err == nil && by == r.issuer && is.Public == nil {
			r.live[is.Serial], r.end = is.NotAfter, latest(r.end, is.NotAfter)
		}
		return err
	case certificate.Revoked:
		delete(r.live, e.Stream.ID())
	}
	return nil
}

// issuerOf looks into the intent where the issue does not say whose it is.
func issuerOf(ctx context.Context, log event.Log, stream event.Stream, is certificate.Issued) (string, error) {
	if is.Issuer != "" {
		return is.Issuer, nil
	}
	for r, err := range log.Read(ctx, stream, 0) {
		if err != nil {
			return "", unavailable(err)
		}
		first, err := certificate.Catalog.Open(r)
		intent, _ := first.(certificate.IssuanceIntended)
		return intent.Issuer, err
	}
	return "", nil
}

// RevokeCompromised revokes what an issuer of a compromised key has issued,
// without anybody's consent (domain §4.4); a worker asks.
func (a *App) RevokeCompromised(ctx context.Context, c Caller, serial string) error {
	stream := certificate.Kind.Stream(serial)
	h, err := load(ctx, a, certificate.Kind, stream)
	if err != nil {
		return err
	}
	cause := issuer.Kind.Stream(h.state.Intent.Issuer)
	c.Key = serial
	as := a.do(c, "RevokeCompromised", asPolicy, h.state.Issued.Request.ID())
	revoke := certificate.Revoke{
		Ask: certificate.Ask{Ground: certificate.CAKeyCompromised, By: certificate.House}, Case: cause, By: as.actor(), At: as.at,
	}
	_, err = transactFrom(ctx, a, certificate.Kind, stream, h, as, just[certificate.Certificate](revoke))
	if errors.Is(err, certificate.ErrAlreadyRevoked) {
		return nil
	}
	a.Step("withdrawal:revoked")
	return err
}
