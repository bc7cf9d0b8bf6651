// Package commands is every way the world can ask for something: a door for
// each command says who may ask, which stream it concerns, and which facts from
// outside it needs. The rule itself is in domain.
package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"govahi/commands/kept"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/limit"
)

// App holds what the doors need. All fields are set but where it is said.
type App struct {
	Log        event.Log
	Keeper     event.Keeper
	People     People
	Secrets    Secrets
	Authority  Authority   // the newest issuer; what it says of keys and profiles holds for all
	Elder      []Authority // issuers that it came beside, the newest first; none, if there is one issuer
	Signer     Signer
	Signatures Signatures
	Registry   CivilRegistry
	Gateways   Gateways         // of banks; none, if the house is connected to none
	Terms      Terms            // how long what may take
	CodeLimit  limit.Rule       // e-mail codes that one person may cause to be sent; any number, if it has no Max
	Standing   *kept.Streams    // of issuers and officers' certificates, from NewStanding; for who issues
	Clock      func() time.Time // UTC
	Handler    string           // who makes issuance attempts: one running process at a time has this name
	Step       func(point string)
}

// People gives a person one pseudonym for good (architecture, personal data).
type People interface {
	// Person is the pseudonym of whoever has this national or foreigner's code.
	Person(ctx context.Context, code string) (event.Subject, error)
	// Lookup is the same for somebody who is known already.
	Lookup(ctx context.Context, code string) (event.Subject, bool, error)
}

// Secrets derives codes that must be the same on every retry and that nobody
// can guess: tracking codes, e-mail codes, digests of commands.
type Secrets interface {
	Derive(purpose string, parts ...string) []byte
}

// Caller is who asks, how to recognise the same question, and what led to it.
type Caller struct {
	Person      event.Subject // empty for a policy
	Policy      string        // empty for a person
	Key         string        // Idempotency-Key, or the ID of the event a policy reacts to
	Question    []byte        // a person's: operation and input, which the key names for good
	Correlation string
	Causation   string
}

// ByPolicy is a policy that reacts to an event.
func ByPolicy(name string, r event.Recorded, m event.Meta) Caller {
	return Caller{Policy: name, Key: r.ID.String(), Correlation: m.Correlation, Causation: r.ID.String()}
}

func (c Caller) actor() string {
	if c.Policy != "" {
		return "policy:" + c.Policy
	}
	return string(c.Person)
}

// commandID scopes the key to the caller: two people may choose the same one.
func (c Caller) commandID(command string) string { return c.actor() + "/" + c.Key + "/" + command }

// Receipt answers a command: where its facts stand, and, for a new thing, its
// name. The position serves to read one's own writes.
type Receipt struct {
	Stream   event.Stream
	Revision uint64
	Position event.Position
}

// act is one command on its way into one stream.
type act struct {
	Caller
	name      string // of the door
	authority string
	at        time.Time
	about     string // correlation, where the caller gives none
	claimed   bool   // the caller's key was claimed for it
}

func (a act) meta() event.Meta {
	m := event.Meta{
		CommandID: a.commandID(a.name), Actor: a.actor(), Authority: a.authority, At: a.at,
		Correlation: a.Correlation, Causation: a.Causation,
	}
	if m.Correlation == "" {
		m.Correlation = a.about
	}
	if m.Causation == "" {
		m.Causation = m.CommandID
	}
	return m
}

// history is a stream as it was read.
type history[S any] struct {
	state   S
	records []event.Recorded
}

func (h history[S]) expected() event.Expected { return event.Expected(len(h.records)) - 1 }

// with is the stream behind events that are about to be appended, for a handler
// that comes back to it: it knows how many they are and what they mean, and needs
// no more to decide what comes next.
func (h history[S]) with(kind event.Kind[S], events []event.Event) history[S] {
	h.records = slices.Clip(h.records)
	for _, e := range events {
		h.state, h.records = kind.Evolve(h.state, e), append(h.records, event.Recorded{})
	}
	return h
}

// receipt is where the stream stands.
func (h history[S]) receipt(stream event.Stream) Receipt {
	if len(h.records) == 0 {
		return Receipt{Stream: stream}
	}
	last := h.records[len(h.records)-1]
	return Receipt{stream, last.Revision, last.Position}
}

// done finds the receipt of a command that is in the stream already, at
// whatever revision: a retry that reads a newer revision is still a retry. Its
// events' IDs tell: they are derived from the command's.
func (h history[S]) done(commandID string) (last Receipt, done bool) {
	if len(h.records) == 0 {
		return last, false
	}
	events := 0
	id := event.IDAt(commandID, h.records[0].Stream, events)
	for _, r := range h.records {
		if r.ID == id {
			last, events = Receipt{r.Stream, r.Revision, r.Position}, events+1
			id = event.IDAt(commandID, r.Stream, events)
		}
	}
	return last, events > 0
}

// load reads and folds a stream.
func load[S any](ctx context.Context, a *App, kind event.Kind[S], stream event.Stream) (history[S], error) {
	var h history[S]
	for r, err := range a.Log.Read(ctx, stream, 0) {
		if err != nil {
			return h, unavailable(err)
		}
		if h.state, err = kind.FoldOn(h.state, r); err != nil {
			return h, err
		}
		h.records = append(h.records, r)
	}
	return h, nil
}

// tries bounds the race of writers on one stream.
const tries = 20

// ErrBusy reports a stream that many write to at once.
var ErrBusy = fault.New(fault.Unavailable, "busy",
	"این پرونده هم‌زمان در دست تغییر است؛ لحظه‌ای دیگر دوباره بفرستید.",
	"This record is being changed by others right now; send again in a moment.")

// ErrLogUnavailable reports that the log does not answer.
var ErrLogUnavailable = fault.New(fault.Unavailable, "log-unavailable",
	"ثبت رویدادها در دسترس نیست؛ با همان کلید دوباره بفرستید.",
	"The event log is out of reach; send again with the same key.")

// transact decides a command on the present state and appends what follows;
// if the stream moved on meanwhile, it decides again. A command ID that the
// stream holds already returns its first receipt.
func transact[S any](ctx context.Context, a *App, kind event.Kind[S], stream event.Stream, as act,
	decide func(history[S]) ([]event.Event, error),
) (Receipt, error) {
	h, err := load(ctx, a, kind, stream)
	if err != nil {
		return Receipt{}, err
	}
	return transactFrom(ctx, a, kind, stream, h, as, decide)
}

// transactFrom is transact for a door that has read the stream already, to see
// who may ask: if it moved on since, the append says so and it is read again.
func transactFrom[S any](ctx context.Context, a *App, kind event.Kind[S], stream event.Stream, seen history[S], as act,
	decide func(history[S]) ([]event.Event, error),
) (Receipt, error) {
	return insist(ctx, a, kind, stream, seen, func(h history[S]) (Receipt, error) {
		if first, ok, err := repeated(ctx, a, as, h); ok || err != nil {
			return first, err
		}
		events, err := decide(h)
		if err != nil {
			return h.receipt(stream), err
		}
		if first, ok, err := once(ctx, a, &as, stream, h, len(events) == 0); ok || err != nil {
			return first, err
		}
		return appendTo(ctx, a, kind, stream, h, as.meta(), events)
	})
}

// claim takes, or lets go of, a stream that is a uniqueness rule. Its state
// alone decides: a caller's key that was used for one thing must not answer for
// another, so the command's ID names the thing and the stream's revision too.
func claim[S any](ctx context.Context, a *App, kind event.Kind[S], stream event.Stream, as act, thing string, c event.Command[S]) error {
	take, err := claimable(ctx, a, kind, stream, as, thing, c)
	if err != nil {
		return err
	}
	return take()
}

// claimable is claim in two steps: what is refused leaves nothing behind, not
// even the caller's key, which is claimed between the two.
func claimable[S any](ctx context.Context, a *App, kind event.Kind[S], stream event.Stream, as act, thing string, c event.Command[S]) (take func() error, err error) {
	seen, err := load(ctx, a, kind, stream)
	if err != nil {
		return nil, err
	}
	if _, err := c.Decide(seen.state); err != nil {
		return nil, err
	}
	key := as.Key
	return func() error {
		_, err := insist(ctx, a, kind, stream, seen, func(h history[S]) (Receipt, error) {
			events, err := c.Decide(h.state)
			if err != nil {
				return Receipt{}, err
			}
			as.Key = fmt.Sprintf("%s/%s@%d", key, thing, len(h.records))
			return appendTo(ctx, a, kind, stream, h, as.meta(), events)
		})
		return err
	}, nil
}

// transactClaiming is transact for a command that takes claims first: what is refused
// leaves nothing behind, and a retry goes on from wherever it was cut off.
func transactClaiming[S any](ctx context.Context, a *App, kind event.Kind[S], stream event.Stream, as act,
	decide func(history[S]) ([]event.Event, error), claims func() (take func() error, err error),
) (Receipt, error) {
	seen, err := load(ctx, a, kind, stream)
	if err != nil {
		return Receipt{}, err
	}
	if first, ok, err := repeated(ctx, a, as, seen); ok || err != nil {
		return first, err
	}
	events, err := decide(seen)
	if err != nil {
		return Receipt{}, err
	}
	take, err := claims()
	if err != nil {
		return Receipt{}, err
	}
	if first, ok, err := once(ctx, a, &as, stream, seen, len(events) == 0); ok || err != nil {
		return first, err
	}
	if err := take(); err != nil {
		return Receipt{}, err
	}
	return transactFrom(ctx, a, kind, stream, seen, as, decide)
}

// insist tries on the stream as it was read, and reads and tries again while
// others win the race.
func insist[S any](ctx context.Context, a *App, kind event.Kind[S], stream event.Stream, h history[S],
	try func(history[S]) (Receipt, error),
) (Receipt, error) {
	for range tries {
		r, err := try(h)
		if !errors.Is(err, event.ErrWrongExpectedRevision) {
			return r, err
		}
		if h, err = load(ctx, a, kind, stream); err != nil {
			return Receipt{}, err
		}
	}
	return Receipt{}, ErrBusy
}

func appendTo[S any](ctx context.Context, a *App, kind event.Kind[S], stream event.Stream, h history[S], meta event.Meta, events []event.Event) (Receipt, error) {
	if len(events) == 0 {
		return h.receipt(stream), nil
	}
	meta.Status = statusAfter(kind, h.state, events)
	proposed, err := kind.Encode(ctx, a.Keeper, stream, meta, events)
	if err != nil {
		return Receipt{}, err
	}
	r, err := a.Log.Append(ctx, stream, h.expected(), proposed...)
	if errors.Is(err, event.ErrWrongExpectedRevision) {
		return Receipt{}, err
	}
	return Receipt(r), unavailable(err)
}

func statusAfter[S any](kind event.Kind[S], s S, events []event.Event) string {
	if kind.Status == nil {
		return ""
	}
	for _, e := range events {
		s = kind.Evolve(s, e)
	}
	return kind.Status(s)
}

// just decides on the state alone.
func just[S any](c event.Command[S]) func(history[S]) ([]event.Event, error) {
	return func(h history[S]) ([]event.Event, error) { return c.Decide(h.state) }
}

func unavailable(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if _, ok := fault.Of(err); ok {
		return err
	}
	return errors.Join(ErrLogUnavailable, err)
}
