// Package issuer is the life of one issuing CA beside others: a new intermediate
// comes beside the old, the old one retires, or its key is compromised. What ends
// an issuer takes two operators of the CA.
//
//	─Introduced─▶ Open ─EndingProposed─▶ Open ─Retired─▶ Retired
//	Open, Retired ─EndingProposed─▶ as it was ─Compromised─▶ Compromised ■
package issuer

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of an issuer.
var Catalog = event.NewCatalog(
	event.Of[Introduced]("issuer.introduced.v1"),
	event.Of[EndingProposed]("issuer.ending-proposed.v1"),
	event.Of[Retired]("issuer.retired.v1"),
	event.Of[Compromised]("issuer.compromised.v1"),
)

// Kind is the stream `issuer-<SHA-256 of the issuer's certificate>`.
var Kind = event.Kind[Issuer]{Category: "issuer", Catalog: Catalog, Evolve: Evolve, Life: life}

// Ending is how an issuer comes to its end.
type Ending string

// The endings. A retired issuer goes on to say where its certificates stand; one
// whose key is compromised says it a last time.
const (
	Retirement Ending = "retirement"
	Compromise Ending = "compromise"
)

// Introduced says that the house found the issuer's certificate in its CA's
// directory.
type Introduced struct {
	Name      string    `json:"name"` // common name, of a CA: nobody's personal data
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	At        time.Time `json:"at"`
}

// EndingProposed is the first operator's word; alone it changes nothing.
type EndingProposed struct {
	Ending Ending        `json:"ending"`
	By     event.Subject `json:"by"`
	At     time.Time     `json:"at"`
}

// Retired says that nobody's certificate is issued any more. Lists, and the
// certificate of who answers for it, still are.
type Retired struct {
	ProposedBy event.Subject `json:"proposedBy"`
	By         event.Subject `json:"by"`
	At         time.Time     `json:"at"`
}

// Compromised says that the key may be in other hands: nothing but lists is signed
// any more, and all that was issued is revoked.
type Compromised struct {
	ProposedBy event.Subject `json:"proposedBy"`
	By         event.Subject `json:"by"`
	At         time.Time     `json:"at"`
}

// Status is where an issuer stands.
type Status string

// The states.
const (
	None              Status = ""
	Open              Status = "open"
	StatusRetired     Status = "retired"
	StatusCompromised Status = "compromised"
)

// Issuer is the state.
type Issuer struct {
	Status     Status
	Introduced Introduced
	Proposed   EndingProposed // the latest; empty once it was carried out
	Since      time.Time      // of the present status
}

// Evolve is what each event means.
func Evolve(s Issuer, e event.Event) Issuer {
	switch e := e.(type) {
	case Introduced:
		s.Status, s.Introduced, s.Since = Open, e, e.At
	case EndingProposed:
		s.Proposed = e
	case Retired:
		s.Status, s.Proposed, s.Since = StatusRetired, EndingProposed{}, e.At
	case Compromised:
		s.Status, s.Proposed, s.Since = StatusCompromised, EndingProposed{}, e.At
	}
	return s
}

// Ended tells whether nobody's certificate may be issued any more. One that the
// log does not know yet is not.
func (s Issuer) Ended() bool { return s.Status == StatusRetired || s.Status == StatusCompromised }

// Ending is how it ended, by the CA's directory or by the log; the worse counts.
// Empty of one that issues.
func (s Issuer) Ending(directory Ending) Ending {
	switch {
	case directory == Compromise || s.Status == StatusCompromised:
		return Compromise
	case directory == Retirement || s.Ended():
		return Retirement
	}
	return ""
}

// The refusals.
var (
	ErrUnknown = fault.New(fault.NotFound, "issuer-not-found",
		"چنین مرکز صدوری اینجا نیست.", "There is no such issuer here.")
	ErrFourEyes = fault.New(fault.Conflict, "second-operator-needed",
		"پیشنهاد شما ثبت شده است؛ کارشناس دیگری از مرکز صدور باید در ۲۴ ساعت همین را تأیید کند.",
		"Your proposal is recorded; another operator of the CA confirms it, in 24 hours, by asking for the same.")
	ErrNoSuccessor = fault.New(fault.Conflict, "no-successor",
		"مرکز صدور دیگری که گواهی صادر کند در کار نیست؛ نخست مراسم مرکز صدور میانی تازه را برگزار کنید.",
		"No other issuer goes on to issue; hold the ceremony of a new intermediate first.")
	ErrCompromised = fault.New(fault.Conflict, "issuer-compromised",
		"افشای کلید این مرکز صدور اعلام شده است.", "The key of this issuer was declared compromised.")
	ErrCompromiseProposed = fault.New(fault.Conflict, "compromise-proposed",
		"کارشناس دیگری پیشنهاد کرده است که کلید این مرکز صدور افشاشده اعلام شود؛ همان را تأیید کنید، یا او خود پیشنهادش را عوض کند؛ پس از ۲۴ ساعت بی‌اثر می‌شود.",
		"Another operator has proposed to declare the key of this issuer compromised: confirm that, or have him change his word; it lapses after 24 hours.")
	ErrEnded = fault.New(fault.Conflict, "issuer-ended",
		"این مرکز صدور بازنشسته یا کلید آن افشا شده است و گواهی امضا نمی‌کند.",
		"This issuer is retired or compromised and signs no certificates.")
	ErrKeyGone = fault.New(fault.Conflict, "issuer-key-gone",
		"کلید این مرکز صدور پس از افشای آن از توکن برداشته شده است و دیگر چیزی امضا نمی‌کند؛ آخرین فهرست ابطال آن برقرار است.",
		"The key of this issuer was destroyed after its compromise and signs nothing any more; its last revocation list stands.")
	ErrNoneOpen = fault.New(fault.Unavailable, "no-issuer-open",
		"اکنون هیچ مرکز صدوری گواهی صادر نمی‌کند؛ مراسم مرکز صدور میانی تازه را برگزار و سامانه را از نو آغاز کنید.",
		"No issuer issues certificates now; hold the ceremony of a new intermediate and start the house again.")
)

// Introduce takes an issuer into the log, once.
type Introduce Introduced

// Decide records the first finding; the stream is named by the certificate.
func (c Introduce) Decide(s Issuer) ([]event.Event, error) {
	if s.Status != None {
		return nil, nil
	}
	return []event.Event{Introduced(c)}, nil
}

// proposalStands is how long the second operator may take.
const proposalStands = 24 * time.Hour

// End is an operator's word that an issuer ends: of two it takes the first to
// propose, and the second, another person, to do it.
type End struct {
	Ending    Ending
	Successor bool // another issuer goes on
	By        event.Subject
	At        time.Time
}

// Decide wants four eyes, and for a retirement a successor. A compromise is never
// refused for want of one: a CA that cannot issue is better than one that anybody
// can be.
func (c End) Decide(s Issuer) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, life.Refuse(ErrUnknown, string(s.Status))
	case s.Status == StatusCompromised && c.Ending == Retirement:
		return nil, life.Refuse(ErrCompromised, string(s.Status))
	case s.Status == StatusCompromised, s.Status == StatusRetired && c.Ending == Retirement:
		return nil, nil // asked again, done once
	case c.Ending == Retirement && !c.Successor:
		return nil, life.Refuse(ErrNoSuccessor, string(s.Status))
	case c.wipesOut(s.Proposed):
		return nil, life.Refuse(ErrCompromiseProposed, string(s.Status))
	case !c.seconds(s.Proposed):
		return []event.Event{EndingProposed{c.Ending, c.By, c.At}}, nil
	case s.Proposed.By == c.By:
		return nil, life.Refuse(ErrFourEyes, string(s.Status))
	case c.Ending == Retirement:
		return []event.Event{Retired{s.Proposed.By, c.By, c.At}}, nil
	}
	return []event.Event{Compromised{s.Proposed.By, c.By, c.At}}, nil
}

// seconds tells whether a proposal of the same stands.
func (c End) seconds(p EndingProposed) bool { return p.Ending == c.Ending && c.during(p) }

// wipesOut tells whether another's proposal of the graver end stands, which a slip
// would take back. The graver end itself waits for no proposal.
func (c End) wipesOut(p EndingProposed) bool {
	return p.Ending == Compromise && c.Ending == Retirement && p.By != c.By && c.during(p)
}

// during tells whether a proposal stands.
func (c End) during(p EndingProposed) bool { return c.At.Sub(p.At).Abs() < proposalStands }
