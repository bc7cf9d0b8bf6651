// Package crl is the series of certificate revocation lists of one issuer
// (RFC 5280 §5). Its stream numbers them and records each before it is signed.
package crl

import (
	"encoding/asn1"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of the series.
var Catalog = event.NewCatalog(
	event.Was("crl.intended.v1", intendedV1.upcast),
	event.Of[Intended]("crl.intended.v2"),
	event.Of[SigningStarted]("crl.signing-started.v1"),
	event.Was("crl.signed.v1", signedV1.upcast),
	event.Of[Signed]("crl.signed.v2"),
)

// Kind is the stream `crl-<SHA-256 of the issuer's certificate>`.
var Kind = event.Kind[Series]{Category: "crl", Catalog: Catalog, Evolve: Evolve, Life: life}

// Intended reserves a number and records what will be signed (pki §5.3, step 6).
type Intended struct {
	Number     uint64    `json:"number"` // CRLNumber, RFC 5280 §5.2.3
	ThisUpdate time.Time `json:"thisUpdate"`
	NextUpdate time.Time `json:"nextUpdate"`
	Entries    int       `json:"entries"`
	ListHash   string    `json:"listSha256"` // of serials and reasons: equal lists need no new number
	TBSHash    string    `json:"tbsSha256"`  // hexadecimal
	Covers     Event     `json:"covers,omitzero"`
}

// intendedV1 did not say what the list covers.
type intendedV1 struct {
	Number     uint64    `json:"number"`
	ThisUpdate time.Time `json:"thisUpdate"`
	NextUpdate time.Time `json:"nextUpdate"`
	Entries    int       `json:"entries"`
	ListHash   string    `json:"listSha256"`
	TBSHash    string    `json:"tbsSha256"`
}

func (v intendedV1) upcast() event.Event {
	return Intended{
		Number: v.Number, ThisUpdate: v.ThisUpdate, NextUpdate: v.NextUpdate,
		Entries: v.Entries, ListHash: v.ListHash, TBSHash: v.TBSHash,
	}
}

// Event is the last one of certificates that a list takes account of: of what
// came before it the list holds every revocation. It is named by its place in its
// stream, since positions change when a log moves to another cluster.
type Event struct {
	Stream   event.Stream `json:"stream"`
	Revision uint64       `json:"revision"`
}

// Never is the next update of a list that no other follows (X.509 §7.11.1, ETSI EN
// 319 411-1 CSS-6.3.9-06).
var Never = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)

// Last tells whether no list follows.
func (e Intended) Last() bool { return e.NextUpdate.Equal(Never) }

// SigningStarted is the signer's fence, as for a certificate.
type SigningStarted struct {
	Number uint64    `json:"number"`
	Signer string    `json:"signer"`
	At     time.Time `json:"at"`
}

// Signed holds the signature of a list. The list itself may be of any length and
// stands nowhere in the log: its bytes follow from the intent and the revocations
// that it covers, and Hash tells whether somebody has made them again.
type Signed struct {
	Number    uint64    `json:"number"`
	Signature []byte    `json:"signature"`
	Hash      string    `json:"sha256"` // of the DER, hexadecimal
	Size      int       `json:"size"`   // of the DER, bytes
	At        time.Time `json:"at"`
}

// signedV1 held the list as published.
type signedV1 struct {
	Number uint64    `json:"number"`
	DER    []byte    `json:"der"`
	Hash   string    `json:"sha256"`
	At     time.Time `json:"at"`
}

func (v signedV1) upcast() event.Event {
	var list struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	_, _ = asn1.Unmarshal(v.DER, &list) // what was no list has no signature
	return Signed{Number: v.Number, Signature: list.Signature.Bytes, Hash: v.Hash, Size: len(v.DER), At: v.At}
}

// List is a list as it is published.
type List struct {
	Number                 uint64
	ThisUpdate, NextUpdate time.Time
	DER                    []byte
}

// Series is the state: the latest number ever intended, and the latest signed.
type Series struct {
	Intent  Intended
	Started bool // the signature of Intent was begun
	Latest  Signed
	Of      Intended // the intent of Latest
}

// Evolve is what each event means for the series.
func Evolve(s Series, e event.Event) Series {
	switch e := e.(type) {
	case Intended:
		s.Intent, s.Started = e, false
	case SigningStarted:
		s.Started = true
	case Signed:
		s.Latest, s.Of = e, s.Intent
	}
	return s
}

// The refusals.
var (
	ErrNumber = fault.New(fault.Conflict, "crl-number-used",
		"شمارهٔ فهرست ابطال باید از همهٔ شماره‌های پیشین بزرگ‌تر باشد.",
		"The CRL number must exceed every earlier one.")
	ErrNone = fault.New(fault.NotFound, "crl-not-found",
		"هنوز فهرست ابطالی منتشر نشده است.", "No revocation list was published yet.")
	ErrNotIntended = fault.New(fault.Conflict, "crl-not-intended",
		"این فهرست ابطال ثبت نشده است؛ امضا نمی‌شود.",
		"This revocation list is not recorded; it will not be signed.")
)

// Intend reserves the next number.
type Intend struct{ Intent Intended }

// Decide wants strictly increasing numbers; a number intended and never signed
// is skipped for good.
func (c Intend) Decide(s Series) ([]event.Event, error) {
	if c.Intent.Number <= s.Intent.Number {
		return nil, life.Refuse(ErrNumber, string(s.Status()))
	}
	return []event.Event{c.Intent}, nil
}

// StartSigning fences the signature.
type StartSigning struct {
	Number  uint64
	TBSHash string
	Signer  string
	At      time.Time
}

// Decide refuses other bytes than the intended, and a second start.
func (c StartSigning) Decide(s Series) ([]event.Event, error) {
	if s.Started || c.Number == 0 || s.Intent.Number != c.Number || s.Intent.TBSHash != c.TBSHash {
		return nil, life.Refuse(ErrNotIntended, string(s.Status()))
	}
	return []event.Event{SigningStarted{c.Number, c.Signer, c.At}}, nil
}

// NoteSigned records the signed list.
type NoteSigned struct{ Signed Signed }

// Decide accepts the list whose signature was started, once.
func (c NoteSigned) Decide(s Series) ([]event.Event, error) {
	if !s.Started || s.Intent.Number != c.Signed.Number || s.Latest.Number == c.Signed.Number {
		return nil, life.Refuse(ErrNotIntended, string(s.Status()))
	}
	return []event.Event{c.Signed}, nil
}
