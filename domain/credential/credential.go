// Package credential is a registration officer's own certificate, by which he
// signs what he confirms (domain §4.5): he asks for it with a key on his token,
// an operator of the CA vouches for him, and the CA issues.
//
//	─Requested─▶ Requested ─Approved─▶ Approved ─Issued─▶ Issued ■
//	Requested ─Refused─▶ Refused ■      Approved ─Failed─▶ Failed ■
package credential

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of a credential.
var Catalog = event.NewCatalog(
	event.Of[Requested]("credential.requested.v1"),
	event.Of[Approved]("credential.approved.v1"),
	event.Of[Refused]("credential.refused.v1"),
	event.Of[Attempted]("credential.attempted.v1"),
	event.Of[Failed]("credential.failed.v1"),
	event.Of[Issued]("credential.issued.v1"),
)

// Kind is the stream `credential-<number>`; a number is a tracking code.
var Kind = event.Kind[Credential]{Category: "credential", Catalog: Catalog, Evolve: Evolve, Life: life}

// Particulars are what the certificate says of the officer, and his key's
// PKCS#10 request.
type Particulars struct {
	GivenName      string `json:"givenName"` // Persian
	Surname        string `json:"surname"`   // Persian
	LatinGivenName string `json:"latinGivenName"`
	LatinSurname   string `json:"latinSurname"`
	PersonCode     string `json:"personCode"`
	Email          string `json:"email"`
	CSR            []byte `json:"csr"` // DER, RFC 2986
}

// Requested is the officer's own wish.
type Requested struct {
	Number      string                       `json:"number"`
	Person      event.Subject                `json:"person"`
	Office      string                       `json:"office"`
	KeyHash     string                       `json:"keyHash"` // SHA-256 of the SubjectPublicKeyInfo, hexadecimal
	Particulars *event.Personal[Particulars] `json:"particulars"`
	At          time.Time                    `json:"at"`
}

// Personal seals the particulars.
func (e Requested) Personal() []event.Sealable { return []event.Sealable{e.Particulars} }

// Approved is the word of an operator of the CA that he knows the officer.
type Approved struct {
	By event.Subject `json:"by"`
	At time.Time     `json:"at"`
}

// Refused ends it.
type Refused struct {
	By event.Subject `json:"by"`
	At time.Time     `json:"at"`
}

// Attempted names the serial about to be intended, as for a request (pki §5.3).
type Attempted struct {
	Serial  string    `json:"serial"`
	Handler string    `json:"handler"`
	At      time.Time `json:"at"`
}

// Failed ends it where the CA cannot certify the key.
type Failed struct {
	Code string    `json:"code"`
	At   time.Time `json:"at"`
}

// Issued links it with its certificate.
type Issued struct {
	Serial      string    `json:"serial"`
	Fingerprint string    `json:"fingerprint"` // SHA-256 of the DER, hexadecimal
	At          time.Time `json:"at"`
}

// Status is where it stands.
type Status string

// The states.
const (
	None            Status = ""
	StatusRequested Status = "requested"
	StatusApproved  Status = "approved"
	StatusRefused   Status = "refused"
	StatusFailed    Status = "failed"
	StatusIssued    Status = "issued"
)

// Credential is the state.
type Credential struct {
	Status  Status
	Request Requested
	Vouched Approved
	Attempt Attempted // the latest, if not yet finished
	Issued  Issued
}

// Evolve is what each event means.
func Evolve(s Credential, e event.Event) Credential {
	switch e := e.(type) {
	case Requested:
		s = Credential{Status: StatusRequested, Request: e}
	case Approved:
		s.Vouched, s.Status = e, StatusApproved
	case Refused:
		s.Status = StatusRefused
	case Attempted:
		s.Attempt = e
	case Failed:
		s.Status = StatusFailed
	case Issued:
		s.Issued, s.Status = e, StatusIssued
	}
	return s
}

// The refusals.
var (
	ErrNotFound = fault.New(fault.NotFound, "credential-not-found",
		"چنین درخواست گواهی مأموری نیست؛ شماره را بازبینی کنید.",
		"There is no such request for an officer's certificate; check the number.")
	ErrOwn = fault.New(fault.Forbidden, "own-credential",
		"هیچ‌کس گواهی خود را تأیید نمی‌کند؛ کارشناس دیگری باید اقدام کند.",
		"Nobody vouches for his own certificate; another operator must.")
	ErrDecided = fault.New(fault.Conflict, "credential-decided",
		"دربارهٔ این درخواست پیش‌تر تصمیم گرفته شده است.", "This request was decided before.")
	// ErrAttemptTaken tells an issuance handler that another one goes on.
	ErrAttemptTaken = fault.New(fault.Conflict, "issuance-attempt-taken",
		"صدور این گواهی در دست اقدام است.", "This issuance is already being worked on.")
)

// Request asks for a certificate.
type Request struct {
	Number, Office, KeyHash string
	Person                  event.Subject
	Particulars             Particulars
	At                      time.Time
}

// Decide begins once.
func (c Request) Decide(s Credential) ([]event.Event, error) {
	if s.Status != None {
		return nil, nil
	}
	return []event.Event{Requested{c.Number, c.Person, c.Office, c.KeyHash, event.About(c.Person, c.Particulars), c.At}}, nil
}

// Close is an operator's decision.
type Close struct {
	Approved bool
	By       event.Subject
	At       time.Time
}

// Decide decides once, and never about oneself.
func (c Close) Decide(s Credential) ([]event.Event, error) {
	refused := s.Status == StatusRefused
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.Request.Person == c.By:
		return nil, ErrOwn
	case s.Status != StatusRequested && c.Approved != refused:
		return nil, nil
	case s.Status != StatusRequested:
		return nil, life.Refuse(ErrDecided, string(s.Status))
	case c.Approved:
		return []event.Event{Approved{c.By, c.At}}, nil
	}
	return []event.Event{Refused{c.By, c.At}}, nil
}

// Attempt names the next serial; the one before must be finished.
type Attempt struct {
	Serial, Previous, Handler string
	At                        time.Time
}

// Decide is the fence between handlers.
func (c Attempt) Decide(s Credential) ([]event.Event, error) {
	if s.Status != StatusApproved || s.Attempt.Serial != c.Previous {
		return nil, ErrAttemptTaken
	}
	return []event.Event{Attempted{c.Serial, c.Handler, c.At}}, nil
}

// Fail ends what cannot be certified.
type Fail struct {
	Serial, Code string
	At           time.Time
}

// Decide only ends the attempt that is under way.
func (c Fail) Decide(s Credential) ([]event.Event, error) {
	if s.Status != StatusApproved || s.Attempt.Serial != c.Serial {
		return nil, nil
	}
	return []event.Event{Failed{c.Code, c.At}}, nil
}

// NoteIssued links the credential with its certificate.
type NoteIssued struct {
	Serial, Fingerprint string
	At                  time.Time
}

// Decide takes the certificate of the attempt that is under way, once.
func (c NoteIssued) Decide(s Credential) ([]event.Event, error) {
	if s.Issued.Serial == c.Serial {
		return nil, nil
	}
	if s.Status != StatusApproved || s.Attempt.Serial != c.Serial {
		return nil, ErrAttemptTaken
	}
	return []event.Event{Issued(c)}, nil
}
