package commands

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"govahi/domain/crl"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/issuer"
)

// crlEvery is how often a list is issued when nothing was revoked (domain §4.6).
const crlEvery = 24 * time.Hour

// laidWithin is how long a list that was signed may be on its way to the shelf,
// in another process; after that it is taken for lost, and the next is issued.
const laidWithin = 10 * time.Second

// Shelf is where the latest list of each issuer lies for all doors to hand out.
// It may be lost at any time: then the next list is issued.
type Shelf interface {
	// Put lays a list there, unless it or a later one lies there already.
	Put(ctx context.Context, issuer string, l crl.List) error
	// Number is that of the list that lies there; 0 if none does.
	Number(ctx context.Context, issuer string) (uint64, error)
}

// ListChecker compares a list with the log before it is signed and published. It
// shares nothing with what makes lists.
type ListChecker interface {
	// Check refuses, with ErrListRefused, a list that is not exactly what the log
	// says up to a position.
	Check(ctx context.Context, tbs []byte, upTo event.Position) error
	// Follow reads on to the log's end, so that the next Check has little to read.
	Follow(ctx context.Context) error
}

// ErrListRefused is a checker's word; the error's text says what is wrong.
var ErrListRefused = fault.New(fault.Internal, "crl-differs-from-log",
	"فهرست ابطال با دفتر رویدادها نمی‌خواند و منتشر نشد؛ فهرست پیشین برقرار است. گزارش برنامه می‌گوید چه چیز نمی‌خواند.",
	"The revocation list differs from the log and was not published; the one before stands. The program's log says what differs.")

// ErrShelf reports that the list cannot be laid out; it is kept and laid there as
// soon as that goes.
var ErrShelf = fault.New(fault.Unavailable, "crl-shelf-unavailable",
	"جایی که فهرست ابطال از آن خوانده می‌شود در دسترس نیست؛ پایگاه نماها را بررسی کنید. خودکار دوباره کوشیده می‌شود.",
	"The place where the revocation list is fetched is out of reach; check the views database. It is tried again by itself.")

// Publishing is what a publisher works with; all of it is of one issuer.
type Publishing struct {
	Authority Authority
	Signer    Signer
	Shelf     Shelf
	Checker   ListChecker
	Pace      time.Duration // from the beginning of a list to that of the next, at least
}

// Publisher issues one issuer's revocation lists, one at a time. It folds all
// revocations once, and then what is new.
type Publisher struct {
	app     *App
	with    Publishing
	stream  event.Stream
	mu      sync.Mutex
	series  crl.Series
	known   bool   // the series was read
	length  uint64 // of its stream
	revoked *revocations
	unlaid  *crl.List // signed, and not on the shelf yet
	began   time.Time // the latest list, here
	issued  remainder // of an issuer that has ended
	keyless time.Time // when the signer last said that the key is destroyed
	refused atomic.Int64
	listed  atomic.Uint64 // all up to this position is on the latest list
	missed  atomic.Bool   // the latest is not on the shelf, though it may be on its way
}

// NewPublisher has read nothing yet.
func NewPublisher(a *App, with Publishing) *Publisher {
	issuer := with.Authority.Issuer()
	return &Publisher{app: a, with: with, stream: crl.Kind.Stream(issuer), revoked: newRevocations(issuer), issued: remainder{issuer: issuer}}
}

// Refused is how many lists the checker has refused.
func (p *Publisher) Refused() int64 { return p.refused.Load() }

// Missed tells that the latest list is looked for on the shelf again before long.
func (p *Publisher) Missed() bool { return p.missed.Load() }

// Publish issues a list if one is due: a revocation, suspension or lifting is not
// on the latest, the latest is a day old, or it is not on the shelf. What comes
// while a list is under way waits for the next. A number once intended is never
// used again (pki §5.3, step 6).
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
	return errors.Is(err, crl.ErrNumber) || errors.Is(err, crl.ErrNotIntended) || errors.Is(err, event.ErrWrongExpectedRevision)
}

// publishers is how many others may be quicker, one after another.
const publishers = 8

func (p *Publisher) publish(ctx context.Context, c Caller) error {
	if err := p.follow(ctx); err != nil {
		return err
	}
	if err := p.lay(ctx); err != nil {
		return err
	}
	if due, err := p.due(ctx); err != nil || !due || p.waitsForKey() {
		return err
	}
	if err := p.pace(ctx); err != nil {
		return err
	}
	if err := p.issue(ctx, c); err != nil {
		return err
	}
	last, err := p.last(ctx)
	if err == nil && last == p.series.Of.Last() { // else one more is due at once
		p.listed.Store(uint64(p.revoked.after))
	}
	return err
}

// PublishFor is Publish for what stands at a position in the log. Of many that
// come at once most are on the list already that the first of them made.
func (p *Publisher) PublishFor(ctx context.Context, c Caller, at event.Position) error {
	if p.listed.Load() >= uint64(at) {
		return nil
	}
	return p.Publish(ctx, c)
}

// pace waits for the next list's turn: a hundred revocations a second are not a
// hundred lists.
func (p *Publisher) pace(ctx context.Context) error {
	if wait := p.with.Pace - time.Since(p.began); wait > 0 && !p.began.IsZero() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	p.began = time.Now()
	return nil
}

// due tells whether a list must be issued now.
func (p *Publisher) due(ctx context.Context) (bool, error) {
	if err := p.readOn(ctx); err != nil {
		return false, err
	}
	now, latest := p.app.Clock(), p.series.Latest
	last, err := p.last(ctx)
	if err != nil {
		return false, err
	}
	if latest.Number == 0 || last != p.series.Of.Last() || !last && !now.Before(p.series.Of.ThisUpdate.Add(crlEvery)) {
		return true, nil
	}
	if fresh, err := p.covered(ctx); err != nil || !fresh {
		return !fresh, err
	}
	lies, err := p.lies(ctx)
	if err != nil {
		return false, err
	}
	p.missed.Store(lies < latest.Number)
	if lies < latest.Number && p.series.Of.Last() {
		if laid, err := p.layAgain(ctx); laid || err != nil {
			return false, err
		}
	}
	if lies > latest.Number || lies < latest.Number && now.Sub(latest.At).Abs() >= laidWithin {
		return true, nil
	}
	p.listed.Store(uint64(p.revoked.after))
	return false, nil
}

// readOn reads on, and beside it the checker does, so that it is not what the
// next list waits for: at a start each of them reads through the log.
func (p *Publisher) readOn(ctx context.Context) error {
	checker := make(chan error, 1)
	go func() { checker <- p.with.Checker.Follow(ctx) }()
	err := p.revoked.follow(ctx, p.app.Log)
	return errors.Join(err, <-checker)
}

// last tells whether no list follows: of a retired issuer once all that it issued
// was over at the latest list's time, which was one more (RFC 5280 §3.3); of one
// whose key is compromised as soon as nothing is left to revoke.
func (p *Publisher) last(ctx context.Context) (bool, error) {
	ending, err := p.app.declared(ctx, p.with.Authority)
	if err != nil || ending == "" {
		return false, err
	}
	if err := p.issued.follow(ctx, p.app.Log); err != nil {
		return false, err
	}
	if ending == issuer.Retirement {
		return p.issued.end.Before(p.series.Of.ThisUpdate), nil
	}
	for _, end := range p.issued.live {
		if p.app.Clock().Before(end) {
			return false, nil
		}
	}
	return true, nil
}

func (p *Publisher) lies(ctx context.Context) (uint64, error) {
	n, err := p.with.Shelf.Number(ctx, p.with.Authority.Issuer())
	if err != nil {
		return 0, errors.Join(ErrShelf, err)
	}
	return n, nil
}

// covered tells whether the latest list holds all that is known here. A list that
// does not say what it covers, or names what is not in the log, is compared by
// its lines.
func (p *Publisher) covered(ctx context.Context) (bool, error) {
	of := p.series.Of
	if of.Covers.Stream == "" && p.revoked.changed == 0 {
		return true, nil
	}
	at, err := p.position(ctx, of.Covers)
	if err != nil || at > 0 {
		return p.revoked.changed <= at, err
	}
	if err := p.revoked.resolve(ctx, p.app.Log); err != nil {
		return false, err
	}
	return listHash(p.revoked.list(of.ThisUpdate)) == of.ListHash, nil
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

// issue makes a list, has it checked and signed, and lays it on the shelf.
func (p *Publisher) issue(ctx context.Context, c Caller) error {
	last, err := p.last(ctx)
	if err != nil {
		return err
	}
	// Only then: what left nothing to revoke must be on the last list.
	if err := p.revoked.follow(ctx, p.app.Log); err != nil { // what came meanwhile goes along
		return err
	}
	if err := p.revoked.resolve(ctx, p.app.Log); err != nil {
		return err
	}
	lies, err := p.lies(ctx) // also above what a log that was set back has forgotten
	if err != nil {
		return err
	}
	a, number := p.app, max(p.series.Intent.Number, lies)+1
	list := p.revoked.list(p.series.Of.ThisUpdate)
	prepare := p.with.Authority.PrepareCRL
	if last {
		prepare = p.with.Authority.PrepareLastCRL
	}
	prepared, err := prepare(number, latest(a.Clock(), p.series.Of.ThisUpdate), list)
	if err != nil {
		return err
	}
	if err := p.check(ctx, prepared.TBS); err != nil {
		return err
	}
	c.Key = fmt.Sprintf("%s/%d", c.Key, number)
	as := a.do(c, "IntendCRL", "policy", p.stream.ID())
	r, err := p.record(ctx, as, crl.Intend{Intent: crl.Intended{
		Number: number, ThisUpdate: prepared.ThisUpdate, NextUpdate: prepared.NextUpdate,
		Entries: prepared.Entries, ListHash: listHash(list), TBSHash: prepared.TBSHash, Covers: p.revoked.covers,
	}})
	if err != nil {
		return err
	}
	a.Step("crl:intended")
	der, _, err := signed(ctx, p.with.Signer.SignCRL, r, prepared.TBS)
	if errors.Is(err, issuer.ErrKeyGone) {
		p.withoutKey()
	}
	if err != nil {
		return err
	}
	return p.note(ctx, c, crl.List{Number: number, ThisUpdate: prepared.ThisUpdate, NextUpdate: prepared.NextUpdate, DER: der}, prepared.TBS)
}

func (p *Publisher) check(ctx context.Context, tbs []byte) error {
	err := p.with.Checker.Check(ctx, tbs, p.revoked.after)
	if errors.Is(err, ErrListRefused) && !overtaken(err) {
		p.refused.Add(1)
	}
	return err
}

// note records what was signed, and only then lays it out. The list is kept until
// it lies there, also if the log's answer is lost.
func (p *Publisher) note(ctx context.Context, c Caller, l crl.List, tbs []byte) error {
	s, err := p.with.Authority.CheckCRL(l.DER, tbs)
	if err != nil {
		return err
	}
	if err := p.follow(ctx); err != nil { // the signer's start
		return err
	}
	p.unlaid = &l
	as := p.app.do(c, "NoteCRL", "policy", p.stream.ID())
	note := crl.Signed{Number: l.Number, Signature: s.Signature, Hash: s.Hash, Size: s.Size, At: as.at}
	if _, err := p.record(ctx, as, crl.NoteSigned{Signed: note}); err != nil {
		return err
	}
	p.app.Step("crl:signed")
	return p.lay(ctx)
}

// lay puts what is signed on the shelf, if the log holds it as the latest.
func (p *Publisher) lay(ctx context.Context) error {
	if p.unlaid == nil {
		return nil
	}
	if p.unlaid.Number == p.series.Latest.Number {
		if err := p.with.Shelf.Put(ctx, p.with.Authority.Issuer(), *p.unlaid); err != nil {
			return errors.Join(ErrShelf, err)
		}
	}
	p.unlaid = nil
	return nil
}

// follow reads what the series' stream has beyond what is known; the first time
// from its end back to the latest list.
func (p *Publisher) follow(ctx context.Context) error {
	if !p.known {
		if err := p.readBack(ctx); err != nil {
			return err
		}
		p.known = true
	}
	for r, err := range p.app.Log.Read(ctx, p.stream, p.length) {
		if err != nil {
			return unavailable(err)
		}
		if err := p.evolve(r); err != nil {
			return err
		}
	}
	return nil
}

func (p *Publisher) evolve(r event.Recorded) error {
	e, err := crl.Catalog.Open(r)
	if err != nil {
		return err
	}
	p.series, p.length = crl.Kind.Evolve(p.series, e), r.Revision+1
	return nil
}

// readBack folds the end of the stream from the intent of the latest list on.
func (p *Publisher) readBack(ctx context.Context) error {
	var tail []event.Recorded
	latest := uint64(0)
	for r, err := range p.app.Log.ReadBack(ctx, p.stream) {
		if err != nil {
			return unavailable(err)
		}
		tail = append(tail, r)
		e, err := crl.Catalog.Open(r)
		if err != nil {
			return err
		}
		if s, ok := e.(crl.Signed); ok && latest == 0 {
			latest = s.Number
		}
		if i, ok := e.(crl.Intended); ok && i.Number == latest {
			break
		}
	}
	p.series, p.length = crl.Series{}, 0
	for _, r := range slices.Backward(tail) {
		if err := p.evolve(r); err != nil {
			return err
		}
	}
	return nil
}

// record decides on the series as it is known, and appends at its revision: if it
// moved on since, the append says so.
func (p *Publisher) record(ctx context.Context, as act, c event.Command[crl.Series]) (Receipt, error) {
	events, err := c.Decide(p.series)
	if err != nil {
		return Receipt{}, err
	}
	proposed, err := crl.Kind.Encode(ctx, p.app.Keeper, p.stream, as.meta(), events)
	if err != nil {
		return Receipt{}, err
	}
	r, err := p.app.Log.Append(ctx, p.stream, event.Expected(p.length)-1, proposed...)
	if errors.Is(err, event.ErrWrongExpectedRevision) {
		return Receipt{}, err
	}
	if err != nil {
		return Receipt{}, unavailable(err)
	}
	for _, e := range events {
		p.series = crl.Kind.Evolve(p.series, e)
	}
	p.length = r.Revision + 1
	return Receipt(r), nil
}

func listHash(list []RevokedSerial) string {
	h := sha256.New()
	w := bufio.NewWriterSize(h, 16<<10)
	for _, r := range list {
		for _, text := range [...]string{r.Serial, " ", string(r.Reason), "\n"} {
			_, _ = w.WriteString(text) // a hash takes all
		}
	}
	_ = w.Flush()
	return hex.EncodeToString(h.Sum(nil))
}
