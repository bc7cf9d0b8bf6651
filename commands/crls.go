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

// Publisher issues revocation lists. The latest list is what it begins with: it
// folds only what the log holds after that.
type Publisher struct {
	app     *App
	mu      sync.Mutex
	number  uint64 // of the latest list
	after   event.Position
	covers  crl.Event                // what stands there
	revoked map[string]RevokedSerial // by serial; nil before the first fold
	ends    map[string]time.Time     // of validity, as far as known, of those
}

// NewPublisher has folded nothing yet.
func NewPublisher(a *App) *Publisher { return &Publisher{app: a} }

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
	stream := crl.Kind.Stream(p.app.Authority.Issuer())
	h, err := load(ctx, p.app, crl.Kind, stream)
	if err != nil {
		return err
	}
	if p.revoked == nil || h.state.Latest.Number != p.number {
		if err := p.begin(ctx, h.state); err != nil {
			return err
		}
	}
	if err := p.fold(ctx); err != nil {
		return err
	}
	list, err := p.list(ctx, h.state.Of.ThisUpdate)
	if err != nil {
		return err
	}
	now := p.app.Clock()
	hash := listHash(list)
	if h.state.Of.ListHash == hash && now.Before(h.state.Of.ThisUpdate.Add(crlEvery)) {
		return nil
	}
	return p.issue(ctx, c, stream, h.state, list, hash)
}

// begin takes over the latest list, which another process may have made, or from
// which a log that was set back knows nothing. A list that does not say what it
// covers, or is not what was intended, is no beginning: then that is the log's.
func (p *Publisher) begin(ctx context.Context, s crl.Series) error {
	p.number, p.after, p.covers = s.Latest.Number, 0, crl.Event{}
	p.revoked, p.ends = map[string]RevokedSerial{}, map[string]time.Time{}
	at, err := p.position(ctx, s.Of.Covers)
	if err != nil || at == 0 {
		return err
	}
	list, err := p.app.Authority.ListedIn(s.Latest.DER)
	if err != nil || listHash(list) != s.Of.ListHash {
		return nil //nolint:nilerr // as said above
	}
	p.after, p.covers = at, s.Of.Covers
	for _, r := range list {
		p.revoked[r.Serial] = r
	}
	return nil
}

// position is where an event stands in the log; 0 if it is not there.
func (p *Publisher) position(ctx context.Context, e crl.Event) (event.Position, error) {
	if e.Stream == "" {
		return 0, nil
	}
	for r, err := range p.app.Log.Read(ctx, e.Stream, e.Revision) {
		if err != nil {
			return 0, unavailable(err)
		}
		return r.Position, nil
	}
	return 0, nil
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
		Entries: prepared.Entries, ListHash: hash, TBSHash: prepared.TBSHash, Covers: p.covers,
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
	if _, err = transact(ctx, a, crl.Kind, stream, as, just[crl.Series](note)); err == nil {
		p.number = number
	}
	return err
}

// fold takes in what happened since the last time.
func (p *Publisher) fold(ctx context.Context) error {
	ends := map[string]time.Time{}
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
			ends[e.Serial] = e.NotAfter
		case certificate.Revoked:
			p.take(e, ends[e.Serial])
		}
		p.after, p.covers = r.Position, crl.Event{Stream: r.Stream, Revision: r.Revision}
	}
	return nil
}

// take adds a line. A worse reason does not make trust end later.
func (p *Publisher) take(e certificate.Revoked, end time.Time) {
	line := RevokedSerial{e.Serial, e.Reason, e.At}
	if first, again := p.revoked[e.Serial]; again {
		line.At = first.At
	}
	p.revoked[e.Serial] = line
	if !end.IsZero() {
		p.ends[e.Serial] = end
	}
}

// list keeps a serial past its certificate's end on one more list (RFC 5280
// §3.3): it goes when it was already over at the latest list's time.
func (p *Publisher) list(ctx context.Context, lastUpdate time.Time) ([]RevokedSerial, error) {
	var list []RevokedSerial
	for serial, r := range p.revoked {
		end, err := p.end(ctx, serial)
		if err != nil {
			return nil, err
		}
		if end.IsZero() || !end.Before(lastUpdate) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b RevokedSerial) int { return strings.Compare(a.Serial, b.Serial) })
	return list, nil
}

// end is when a certificate's validity ends; zero if it never was intended.
func (p *Publisher) end(ctx context.Context, serial string) (time.Time, error) {
	if end, known := p.ends[serial]; known {
		return end, nil
	}
	h, err := load(ctx, p.app, certificate.Kind, certificate.Kind.Stream(serial))
	if err == nil {
		p.ends[serial] = h.state.Intent.NotAfter
	}
	return p.ends[serial], err
}

func listHash(list []RevokedSerial) string {
	h := sha256.New()
	for _, r := range list {
		_, _ = io.WriteString(h, r.Serial+" "+string(r.Reason)+"\n")
	}
	return hex.EncodeToString(h.Sum(nil))
}
