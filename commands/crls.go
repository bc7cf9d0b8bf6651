package commands

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/event"
)

// crlEvery is how often a list is issued when nothing was revoked (domain §4.6).
const crlEvery = 24 * time.Hour

// Publisher issues revocation lists. It remembers how far it has folded the
// log, so that a list costs only what was revoked since the last one.
type Publisher struct {
	app     *App
	mu      sync.Mutex
	after   event.Position
	ends    map[string]time.Time // end of validity by serial, of intended certificates
	revoked map[string]RevokedSerial
}

// NewPublisher starts with an empty fold.
func NewPublisher(a *App) *Publisher {
	return &Publisher{app: a, ends: map[string]time.Time{}, revoked: map[string]RevokedSerial{}}
}

// Publish issues a list if one is due: something was revoked that the latest
// list does not hold, or the latest is a day old. A number once intended is
// never used again (pki §5.3, step 6).
func (p *Publisher) Publish(ctx context.Context, c Caller) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.publish(ctx, c)
	for n := 0; n < publishers && overtaken(err); n++ {
		err = p.publish(ctx, c) // the other's list may be without what we hold
	}
	return err
}

// overtaken says that another process has taken the number, or the next one
// before ours was signed.
func overtaken(err error) bool {
	return errors.Is(err, crl.ErrNumber) || errors.Is(err, crl.ErrNotIntended)
}

// publishers is how many others may be quicker, one after another.
const publishers = 8

func (p *Publisher) publish(ctx context.Context, c Caller) error {
	if err := p.fold(ctx); err != nil {
		return err
	}
	stream := crl.Kind.Stream(p.app.Authority.Issuer())
	h, err := load(ctx, p.app, crl.Kind, stream)
	if err != nil {
		return err
	}
	list := p.list(h.state.Of.ThisUpdate)
	now := p.app.Clock()
	hash := listHash(list)
	if h.state.Of.ListHash == hash && now.Before(h.state.Of.ThisUpdate.Add(crlEvery)) {
		return nil
	}
	return p.issue(ctx, c, stream, h.state, list, hash)
}

func (p *Publisher) issue(ctx context.Context, c Caller, stream event.Stream, s crl.Series, list []RevokedSerial, hash string) error {
	a := p.app
	number := s.Intent.Number + 1
	prepared, err := a.Authority.PrepareCRL(number, latest(a.Clock(), s.Of.ThisUpdate), list)
	if err != nil {
		return err
	}
	c.Key = fmt.Sprintf("%s/%d", c.Key, number)
	as := a.do(c, "IntendCRL", "policy", stream.ID())
	intent := crl.Intended{
		Number: number, ThisUpdate: prepared.ThisUpdate, NextUpdate: prepared.NextUpdate,
		Entries: prepared.Entries, ListHash: hash, TBSHash: prepared.TBSHash,
	}
	r, err := transact(ctx, a, crl.Kind, stream, as, just[crl.Series](crl.Intend{Intent: intent}))
	if err != nil {
		return err
	}
	a.Step("crl:intended")
	der, _, err := signed(ctx, a.Signer.SignCRL, r, prepared.TBS)
	if err != nil {
		return err
	}
	sum, err := a.Authority.CheckCRL(der, prepared.TBS)
	if err != nil {
		return err
	}
	as = a.do(c, "NoteCRL", "policy", stream.ID())
	note := crl.NoteSigned{Signed: crl.Signed{Number: number, DER: der, Hash: sum, At: as.at}}
	_, err = transact(ctx, a, crl.Kind, stream, as, just[crl.Series](note))
	return err
}

// fold takes in what happened since the last time.
func (p *Publisher) fold(ctx context.Context) error {
	for r, err := range p.app.Log.ReadAll(ctx, p.after, certificate.Catalog.Prefix()) {
		if err != nil {
			return unavailable(err)
		}
		e, err := certificate.Catalog.Open(r)
		if err != nil {
			return err
		}
		switch e := e.(type) {
		case certificate.IssuanceIntended:
			p.ends[e.Serial] = e.NotAfter
		case certificate.Revoked:
			line := RevokedSerial{e.Serial, e.Reason, e.At}
			if first, again := p.revoked[e.Serial]; again { // a worse reason does not make trust end later
				line.At = first.At
			}
			p.revoked[e.Serial] = line
		}
		p.after = r.Position
	}
	return nil
}

// list keeps a serial past its certificate's end on one more list (RFC 5280
// §3.3): it goes when it was already over at the latest list's time.
func (p *Publisher) list(lastUpdate time.Time) []RevokedSerial {
	var list []RevokedSerial
	for serial, r := range p.revoked {
		if end, known := p.ends[serial]; known && end.Before(lastUpdate) {
			continue
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b RevokedSerial) int { return strings.Compare(a.Serial, b.Serial) })
	return list
}

func listHash(list []RevokedSerial) string {
	h := sha256.New()
	for _, r := range list {
		_, _ = io.WriteString(h, r.Serial+" "+string(r.Reason)+"\n")
	}
	return hex.EncodeToString(h.Sum(nil))
}
