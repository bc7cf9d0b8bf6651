package enrollment

import (
	"time"

	"govahi/domain/event"
)

// Complete fills in, or corrects, the form (S1.4, S1.5). The door has
// normalised and validated the fields.
type Complete struct {
	Person       event.Subject
	Form         Form
	Foreign      bool
	EmailChanged bool
	By           event.Subject
	Entry        Entry
	Office       string
	At           time.Time
}

// Decide keeps person and organisation once the request is at an office: the
// one-open-request rule was checked for them.
func (c Complete) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.in(StatusDraft, StatusCompleted, StatusReady, StatusNeedsCorrection); err != nil {
		return nil, err
	}
	if s.Status == StatusNeedsCorrection && (c.Person != s.Form.Person || c.Form.Organization != s.Form.Organization) {
		return nil, ErrOtherParty
	}
	if s.Renews() && c.Person != s.Renewal.Person {
		return nil, ErrOtherParty
	}
	return []event.Event{FormCompleted{
		Version: s.Form.Version + 1, Person: c.Person, Foreign: c.Foreign, Organization: c.Form.Organization,
		Province: c.Form.Province, EmailChanged: c.EmailChanged, EnteredBy: c.By, Entry: c.Entry,
		Office: c.Office, Form: event.About(c.Person, c.Form), At: c.At,
	}}, nil
}

// RequestCorrection sends the form back to be mended (S1.37).
type RequestCorrection struct {
	Fields []string
	By     event.Subject
	At     time.Time
}

// Decide allows it until the information was confirmed.
func (c RequestCorrection) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.in(StatusAtOffice, StatusUnderControl, StatusControlled, StatusConfirmed); err != nil {
		return nil, err
	}
	if err := s.notOwn(c.By); err != nil {
		return nil, err
	}
	return []event.Event{CorrectionRequested(c)}, nil
}

func (s Enrollment) notOwn(by event.Subject) error {
	if by == s.Form.Person {
		return ErrOwnRequest
	}
	return nil
}
