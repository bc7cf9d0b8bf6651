package token

import (
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// HandedOver sends the token to the next place, sealed. It has a matching
// receipt, or an alarm (invariant 5).
type HandedOver struct {
	From string        `json:"from"`
	To   string        `json:"to"`
	Seal string        `json:"seal"` // number of the seal
	By   event.Subject `json:"by"`
	At   time.Time     `json:"at"`
}

// Received is the receipt, with the state of the seal. A second one at the same
// place says that the seal was broken after all.
type Received struct {
	Place      string        `json:"place"`
	SealIntact bool          `json:"sealIntact"`
	By         event.Subject `json:"by"`
	At         time.Time     `json:"at"`
}

// PINIssued says by which way the PIN's envelope travels: never by a place that
// has the token (invariant 6).
type PINIssued struct {
	Envelope string        `json:"envelope"` // its number
	Via      string        `json:"via"`      // a place's code, or the post
	By       event.Subject `json:"by"`
	At       time.Time     `json:"at"`
}

// Post is the way of an envelope that no place carries.
const Post = "post"

// PINDelivered is the applicant's word that the envelope came, closed.
type PINDelivered struct {
	By event.Subject `json:"by"`
	At time.Time     `json:"at"`
}

// PINActivated is the applicant's proof that he commands the token: it signed
// for him (invariant 6).
type PINActivated struct {
	By event.Subject `json:"by"`
	At time.Time     `json:"at"`
}

// The refusals.
var (
	ErrNotHere = fault.New(fault.Conflict, "token-not-here",
		"این توکن نزد شما نیست؛ دارندهٔ کنونی آن باید اقدام کند.",
		"This token is not with you; its present holder must act.")
	ErrNotForHere = fault.New(fault.Conflict, "token-not-for-here",
		"این توکن به مقصد دیگری فرستاده شده است؛ آن را نپذیرید و به فرستنده خبر دهید.",
		"This token was sent to another destination; do not take it, and tell the sender.")
	ErrOtherSeal = fault.New(fault.Conflict, "token-sent-otherwise",
		"این توکن پیش‌تر با مهروموم دیگری به همین مقصد فرستاده شده است؛ شمارهٔ آن را بازبینی کنید و اگر نادرست ثبت شده است، به گیرنده خبر دهید.",
		"This token was sent there before, with another seal; check its number, and tell the receiver if the recorded one is wrong.").At("seal")
	ErrReceived = fault.New(fault.Conflict, "token-received",
		"رسید این توکن پیش‌تر با وضع دیگری از مهروموم ثبت شده است و همان می‌ماند.",
		"This token was received before, with another state of its seal, and that stays recorded.").At("sealIntact")
	ErrPINTogether = fault.New(fault.Conflict, "pin-with-token",
		"توکن و رمز آن هرگز با یک واسطه نمی‌روند؛ راه دیگری برای یکی از آن دو برگزینید.",
		"A token and its PIN never travel by the same intermediary; choose another way for one of them.")
	ErrNoPIN = fault.New(fault.Conflict, "pin-not-issued",
		"پاکت رمز این توکن هنوز صادر نشده است؛ نخست راه رسیدن رمز را ثبت کنید.",
		"The PIN envelope of this token was not issued yet; record first by which way the PIN goes.")
	ErrPINNotThere = fault.New(fault.Conflict, "pin-not-there",
		"نخست اعلام کنید که پاکت رمز، دربسته، به دستتان رسیده است؛ اگر باز رسیده یا کسی رمز را به شما گفته است، فعال نکنید و به دفتر گزارش دهید.",
		"Say first that the envelope with the PIN came, closed; if it came opened, or somebody told you the PIN, do not activate, and report it to the office.")
	ErrSeal = fault.New(fault.Invalid, "seal-number-invalid",
		"شمارهٔ مهروموم ۱ تا ۲۰ حرف لاتین و رقم است.", "A seal's number is 1 to 20 Latin letters and digits.").At("seal")
	ErrNotHolder = fault.New(fault.Forbidden, "token-not-yours",
		"توکن را تنها کسی فعال می‌کند که به او تحویل شده است.", "Only the person to whom the token was delivered activates it.")
)

// IssuePIN records by which way the PIN goes.
type IssuePIN struct {
	Envelope, Via string
	By            event.Subject
	At            time.Time
}

// Decide keeps it away from every place that has or had the token.
func (c IssuePIN) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.PIN.Envelope == c.Envelope && s.PIN.Via == c.Via:
		return nil, nil
	case !slices.Contains([]Status{StatusPersonalised, InTransit, StatusDelivered}, s.Status), s.PINThere: // one that was lost is followed by another
		return nil, s.refuse(ErrNotHere)
	case s.carries(c.Via):
		return nil, s.refuse(ErrPINTogether.At("via"))
	}
	return []event.Event{PINIssued(c)}, nil
}

// carries tells whether a place takes part in the token's way. The office makes
// the key and knows the first PIN: it may hand the envelope to nobody in between.
func (s Token) carries(place string) bool { return place == s.To || slices.Contains(s.Route, place) }

// HandOver sends the token on.
type HandOver struct {
	From, To, Seal string
	By             event.Subject
	At             time.Time
}

// Decide lets only the holder hand over, and only once the PIN has its own way.
func (c HandOver) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.Status == InTransit && s.Holder.Place == c.From && s.To == c.To && s.Sent.Seal != c.Seal: // a seal that was changed is a broken one
		return nil, s.refuse(ErrOtherSeal)
	case s.Status == InTransit && s.Holder.Place == c.From && s.To == c.To:
		return nil, nil
	case s.Status != StatusPersonalised || s.Holder.Place != c.From:
		return nil, s.refuse(ErrNotHere)
	case s.PIN.Envelope == "":
		return nil, s.refuse(ErrNoPIN)
	case slices.Contains(s.PINWays, c.To): // an earlier envelope too: whoever carried it may know the PIN
		return nil, s.refuse(ErrPINTogether.At("to"))
	}
	return []event.Event{HandedOver(c)}, nil
}

// Take is the receipt of a hand-over.
type Take struct {
	Place      string
	SealIntact bool
	By         event.Subject
	At         time.Time
}

// Decide wants the very destination.
func (c Take) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.To != "" && s.To == c.Place: // also what was recalled or missed meanwhile: somebody has it then
		return []event.Event{Received(c)}, nil
	case s.To != "":
		return nil, s.refuse(ErrNotForHere)
	case s.Holder.Place != c.Place || s.Receipt.Place != c.Place:
		return nil, s.refuse(ErrNotHere)
	}
	return c.again(s)
}

// again hears who sees later that the seal was broken: the key may be another's.
// That it was whole after all is no receipt.
func (c Take) again(s Token) ([]event.Event, error) {
	switch {
	case c.SealIntact == s.Receipt.SealIntact:
		return nil, nil
	case !c.SealIntact && (s.Status == StatusPersonalised || s.Status == StatusRecalled):
		return []event.Event{Received(c)}, nil
	}
	return nil, s.refuse(ErrReceived)
}

// Deliverable refuses a token that is not at the place where it would be handed
// to the applicant.
func (s Token) Deliverable(place string) error {
	if s.Status == StatusPersonalised && s.Holder.Place == place {
		return nil
	}
	return s.refuse(ErrNotHere)
}

// NotePIN is the applicant's word that the envelope came.
type NotePIN struct {
	By event.Subject
	At time.Time
}

// Decide needs an envelope, and the holder.
func (c NotePIN) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.PINThere:
		return nil, nil
	case !slices.Contains([]Status{StatusPersonalised, InTransit, StatusDelivered, Activated}, s.Status):
		return nil, s.refuse(ErrNotHere)
	case s.PIN.Envelope == "":
		return nil, s.refuse(ErrNoPIN)
	}
	return []event.Event{PINDelivered(c)}, nil
}

// Activate records the proof that the door has verified.
type Activate struct {
	By event.Subject
	At time.Time
}

// Decide lets the applicant himself activate what he holds, once he has said that
// the envelope came closed: who knows the PIN without it has it from somebody else
// (invariant 6).
func (c Activate) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.Holder.Person != c.By:
		return nil, ErrNotHolder
	case s.Status == Activated:
		return nil, nil
	case s.Status != StatusDelivered:
		return nil, s.refuse(ErrNotHere)
	case s.PIN.Envelope != "" && !s.PINThere:
		return nil, s.refuse(ErrPINNotThere)
	}
	return []event.Event{PINActivated(c)}, nil
}
