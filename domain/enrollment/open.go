package enrollment

import (
	"time"

	"govahi/domain/event"
)

// Open starts a request; the answer is its tracking code, at once (S1.3).
type Open struct {
	TrackingCode    string
	Channel         Channel
	CertificateType string
	By              event.Subject
	Office          string // of an officer who opens it for a visitor
	At              time.Time
}

// Decide refuses a code that belongs to another request: the door then derives
// the next one.
func (c Open) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status != StatusNone {
		return nil, ErrCodeTaken
	}
	if c.Channel != Outside && (c.Channel != Inside || c.Office != "") {
		return nil, ErrChannel
	}
	return []event.Event{Opened{c.TrackingCode, c.Channel, c.CertificateType, c.By, c.Office, c.At}}, nil
}

// Withdraw ends a request at the applicant's wish, before the CA has it.
type Withdraw struct {
	By event.Subject
	At time.Time
}

// Decide lets an applicant go until issuance was asked for.
func (c Withdraw) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status == StatusWithdrawn {
		return nil, nil
	}
	if err := s.in(StatusDraft, StatusCompleted, StatusReady, StatusAtResearchUnit, StatusApproved, StatusInTransit, StatusAtAuthority,
		StatusAtOffice, StatusUnderControl, StatusNeedsCorrection, StatusControlled, StatusConfirmed); err != nil {
		return nil, err
	}
	return []event.Event{Withdrawn(c)}, nil
}
