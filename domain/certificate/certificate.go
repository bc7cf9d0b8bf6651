// Package certificate is the life of one serial, from the intent to sign it to
// its revocation (pki §5.3). The stream's name reserves the serial.
//
//	─IssuanceIntended─▶ Intended ─SigningStarted─▶ Signing ─Issued─▶ Valid ─Revoked─▶ Withdrawn ■
//	Valid ─Suspended─▶ OnHold ─SuspensionLifted─▶ Valid      OnHold ─Revoked─▶ Withdrawn ■
//	Intended, Signing ─IssuanceAbandoned, Revoked(superseded)─▶ Withdrawn ■
package certificate

import (
	"cmp"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Kind is the stream `certificate-<serial in hexadecimal>`.
var Kind = event.Kind[Certificate]{Category: "certificate", Catalog: Catalog, Evolve: Evolve, Life: life}

// Status is where the serial stands.
type Status string

// The states of a serial.
const (
	None      Status = ""
	Intended  Status = "intended"
	Signing   Status = "signing"
	Valid     Status = "valid"
	Abandoned Status = "abandoned" // to be revoked in the same breath
	OnHold    Status = "suspended" // certificateHold
	Withdrawn Status = "revoked"
)

// Certificate is the state of a serial.
type Certificate struct {
	Status Status
	Intent IssuanceIntended
	Issued Issued
	Hold   Suspended // the latest
	Reason Reason
	Ground Ground    // where one was given
	Since  time.Time // of the revocation
}

// Evolve is what each event means for the serial.
func Evolve(c Certificate, e event.Event) Certificate {
	switch e := e.(type) {
	case IssuanceIntended:
		c.Status, c.Intent = Intended, e
	case SigningStarted:
		c.Status = Signing
	case Issued:
		c.Status, c.Issued = Valid, e
	case IssuanceAbandoned:
		c.Status = Abandoned
	case Suspended:
		c.Status, c.Hold = OnHold, e
	case SuspensionLifted:
		c.Status = Valid
	case Revoked:
		if c.Status != Withdrawn { // a worse reason does not make trust end later
			c.Since = e.At
		}
		c.Status, c.Reason, c.Ground = Withdrawn, e.Reason, e.Ground
	}
	return c
}

// The refusals.
var (
	ErrNotIssued = fault.New(fault.NotFound, "certificate-not-found",
		"گواهی‌ای با این شماره سریال صادر نشده است.", "No certificate was issued under this serial.")
	ErrSerialTaken = fault.New(fault.Conflict, "serial-taken",
		"این شماره سریال پیش‌تر به کار رفته است.", "This serial was used before.")
	ErrNotIntended = fault.New(fault.Conflict, "issuance-not-intended",
		"این صدور ثبت نشده یا پایان یافته است؛ چیزی امضا نمی‌شود.",
		"This issuance is not recorded or is over; nothing will be signed.")
	ErrNotSuspended = fault.New(fault.Conflict, "certificate-not-suspended",
		"این گواهی معلق نیست.", "This certificate is not suspended.")
	ErrAlreadyRevoked = fault.New(fault.Conflict, "certificate-already-revoked",
		"این گواهی پیش‌تر باطل شده است.", "This certificate is already revoked.")
)

// NotValid is the refusal of what needs a valid certificate.
func (s Certificate) NotValid() error {
	if s.Issued.Serial == "" {
		return ErrNotIssued
	}
	return s.refuse(ErrAlreadyRevoked)
}

func (s Certificate) refuse(f *fault.Fault) error { return life.Refuse(f, string(s.Status)) }

// Intend reserves the serial with everything about what is to be signed.
type Intend struct{ Intent IssuanceIntended }

// Decide accepts a serial that was never used, not even for an aborted try.
func (c Intend) Decide(s Certificate) ([]event.Event, error) {
	if s.Status != None {
		return nil, s.refuse(ErrSerialTaken)
	}
	return []event.Event{c.Intent}, nil
}

// StartSigning fences the signature: one signer, once.
type StartSigning struct {
	Signer  string
	TBSHash string // of the bytes that the signer holds
	At      time.Time
}

// Decide refuses other bytes than the intended, and a second start.
func (c StartSigning) Decide(s Certificate) ([]event.Event, error) {
	if s.Status != Intended || s.Intent.TBSHash != c.TBSHash {
		return nil, s.refuse(ErrNotIntended)
	}
	return []event.Event{SigningStarted{c.Signer, c.At}}, nil
}

// NoteIssued records the signed certificate.
type NoteIssued struct {
	DER         []byte
	Fingerprint string
	Signer      string
	At          time.Time
}

// Decide needs a started signature that nobody has abandoned.
func (c NoteIssued) Decide(s Certificate) ([]event.Event, error) {
	if s.Status != Signing {
		return nil, s.refuse(ErrNotIntended)
	}
	e := Issued{
		Serial: s.Intent.Serial, Issuer: s.Intent.Issuer, Subject: s.Intent.Subject, Profile: s.Intent.Profile, Fingerprint: c.Fingerprint,
		NotBefore: s.Intent.NotBefore, NotAfter: s.Intent.NotAfter, Signer: c.Signer, At: c.At,
	}
	if s.Intent.TBS == nil {
		e.Public = c.DER
		return []event.Event{e}, nil
	}
	e.Request, e.Certificate = s.request(), event.About(s.Intent.Subject, DER{c.DER})
	return []event.Event{e}, nil
}

// Abandon ends an attempt after a crash or a time-out; the serial goes on the
// CRL, for a signature may exist.
type Abandon struct {
	Serial string
	Issuer string // on whose list the serial goes if nothing was intended yet
	Cause  string
	By     string
	At     time.Time
}

// Decide takes back what was intended and not issued, also before the intent:
// then nothing was signed, and the reserved serial is burnt all the same.
func (c Abandon) Decide(s Certificate) ([]event.Event, error) {
	switch s.Status {
	case Valid, OnHold:
		return nil, s.refuse(ErrSerialTaken)
	case Withdrawn:
		return nil, nil
	}
	abandoned := IssuanceAbandoned{c.Serial, c.Cause, c.At}
	revoked := s.revoked(Superseded, "", c.By, c.At)
	revoked.Serial, revoked.Issuer = c.Serial, cmp.Or(s.Intent.Issuer, c.Issuer) // which may not be intended yet
	return []event.Event{abandoned, revoked}, nil
}

// request is the applicant's; an officer's own certificate has none.
func (s Certificate) request() event.Stream {
	if s.Intent.Record == nil || s.Intent.Record.Stream.Category() != "enrollment" {
		return ""
	}
	return s.Intent.Record.Stream
}

// Revoke withdraws trust in an issued certificate before it expires (RFC 5280
// §3.3). It is free and immediate.
type Revoke struct {
	Reason Reason // where there is no more than that
	Ask    Ask    // or a ground, from which the reason follows
	Case   event.Stream
	By     string
	At     time.Time
}

// Decide lets keyCompromise replace a milder reason, and nothing else: relying
// parties must learn of a compromise even if the certificate was already dead.
func (c Revoke) Decide(s Certificate) ([]event.Event, error) {
	reason := c.Reason
	if c.Ask.Ground != "" {
		if err := c.Ask.Check(); err != nil {
			return nil, err
		}
		reason = c.Ask.Ground.Reason()
	}
	switch {
	case s.Issued.Serial == "": // also one that was abandoned: nobody holds it
		return nil, ErrNotIssued
	case s.Status == Withdrawn && s.Reason == reason:
		return nil, nil // asked twice, done once
	case s.Status == Withdrawn && reason != KeyCompromise:
		return nil, s.refuse(ErrAlreadyRevoked)
	}
	e := s.revoked(reason, c.Case, c.By, c.At)
	e.Ground, e.Asker = c.Ask.Ground, c.Ask.By
	if c.Ask.Formality != (Formality{}) {
		e.Formality = &c.Ask.Formality
	}
	if c.Ask.Names != (Names{}) && s.Issued.Subject != "" {
		e.Names = event.About(s.Issued.Subject, c.Ask.Names)
	}
	return []event.Event{e}, nil
}

func (s Certificate) revoked(reason Reason, cause event.Stream, by string, at time.Time) Revoked {
	return Revoked{
		Serial: s.Intent.Serial, Request: s.request(), Reason: reason, Case: cause, By: by, At: at,
		Issuer: s.Intent.Issuer, NotAfter: s.Intent.NotAfter,
	}
}
