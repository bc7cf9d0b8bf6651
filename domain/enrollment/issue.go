package enrollment

import (
	"time"

	"govahi/domain/event"
)

// RequestIssuance hands the confirmed record to the CA with a key whose
// possession was proved (S1.10, RFC 2986).
type RequestIssuance struct {
	Token   string
	KeyHash string
	CSR     []byte
	By      event.Subject
	Office  string
	At      time.Time
}

// Decide needs a standing confirmation: issuance never precedes it.
func (c RequestIssuance) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status == StatusAtCA && s.Issuance.KeyHash == c.KeyHash {
		return nil, nil
	}
	if err := s.in(StatusConfirmed); err != nil {
		return nil, err
	}
	if err := s.notOwn(c.By); err != nil {
		return nil, err
	}
	return []event.Event{IssuanceRequested{
		Token: c.Token, KeyHash: c.KeyHash, Request: event.About(s.Form.Person, SigningInfo{c.CSR}),
		By: c.By, Office: c.Office, At: c.At,
	}}, nil
}

// AttemptIssuance names the next serial. The one before must be finished: the
// handler abandons it first (pki §5.3, step 5).
type AttemptIssuance struct {
	Serial   string
	Previous string // serial of the attempt that the handler abandoned, or empty
	Handler  string
	At       time.Time
}

// Decide is the fence between handlers: of any number one goes on.
func (c AttemptIssuance) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.in(StatusAtCA); err != nil {
		return nil, err
	}
	if s.Attempt.Serial != c.Previous {
		return nil, ErrAttemptTaken
	}
	return []event.Event{IssuanceAttempted{c.Serial, c.Handler, c.At}}, nil
}

// FailIssuance gives a request back whose key or record the CA cannot certify,
// or whose confirmation does not hold any more.
type FailIssuance struct {
	Code        string
	Unconfirmed bool
	At          time.Time
}

// Decide only ends work that is under way.
func (c FailIssuance) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status != StatusAtCA {
		return nil, nil
	}
	return []event.Event{IssuanceFailed(c)}, nil
}

// NoteIssued links the request with its certificate.
type NoteIssued struct {
	Serial, Fingerprint string
	At                  time.Time
}

// Decide takes the certificate of the attempt that is under way, once.
func (c NoteIssued) Decide(s Enrollment) ([]event.Event, error) {
	if s.Serial == c.Serial {
		return nil, nil
	}
	if err := s.in(StatusAtCA); err != nil {
		return nil, err
	}
	if s.Attempt.Serial != c.Serial {
		return nil, ErrAttemptTaken
	}
	return []event.Event{Issued(c)}, nil
}
