package enrollment

import (
	"time"

	"govahi/domain/event"
)

// emailCodeLife is how long a code counts, emailTries how often it may be
// entered wrongly, and emailPause how soon the applicant may have another.
const (
	emailCodeLife = 10 * time.Minute
	emailTries    = 5
	emailPause    = time.Minute
)

// SendEmailCode makes a code for the form's address (S1.29). The policy asks
// for the first; the applicant may ask for another.
type SendEmailCode struct {
	FormVersion int // zero: whatever the present form is
	At          time.Time
}

// Decide makes no code for an address that is proved, or for an older form, and
// lets time pass between two codes: each is five more tries to guess. A longer
// wait than that comes from a clock that has gone back since.
func (c SendEmailCode) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.in(StatusCompleted, StatusReady, StatusAtResearchUnit, StatusUnderControl); err != nil {
		return nil, err
	}
	first := c.FormVersion != 0 // the policy's, which a code on its way contents
	onItsWay := s.Email.Sent.FormVersion == s.Form.Version && c.At.Before(s.Email.Sent.ExpiresAt)
	if s.Email.Confirmed || first && (c.FormVersion != s.Form.Version || onItsWay) {
		return nil, nil
	}
	if wait := s.Email.Sent.ExpiresAt.Add(emailPause - emailCodeLife).Sub(c.At); !first && onItsWay && wait > 0 && wait <= emailPause {
		return nil, ErrEmailPause.After(wait)
	}
	return []event.Event{EmailCodeSent{s.Form.Version, s.Email.Sent.Round + 1, c.At.Add(emailCodeLife)}}, nil
}

// ConfirmEmail proves the address by the code that was sent there (S1.5).
type ConfirmEmail struct {
	Right bool // the door compared the entered code with the derived one
	Round int  // the round for which it was compared
	At    time.Time
}

// Decide counts a wrong code as a fact, so that guessing ends after five.
func (c ConfirmEmail) Decide(s Enrollment) ([]event.Event, error) {
	if s.Email.Confirmed {
		return nil, nil
	}
	if err := s.in(StatusCompleted, StatusReady, StatusAtResearchUnit, StatusUnderControl); err != nil {
		return nil, err
	}
	sent := s.Email.Sent
	switch {
	case sent.Round == 0, sent.Round != c.Round, sent.FormVersion != s.Form.Version,
		c.At.After(sent.ExpiresAt), s.Email.Refused >= emailTries:
		return nil, ErrNoEmailCode
	case !c.Right:
		return []event.Event{EmailCodeRefused{c.Round, c.At}}, nil
	}
	return []event.Event{EmailConfirmed{s.Form.Version, c.At}}, nil
}

// AcceptLiability accepts the notice of S1.7 for the present form.
type AcceptLiability struct {
	NoticeVersion, TextHash string
	By                      event.Subject
	AtCounter               bool
	At                      time.Time
}

// Decide accepts once for each form.
func (c AcceptLiability) Decide(s Enrollment) ([]event.Event, error) {
	if s.Form.Version > 0 && s.Liable == s.Form.Version {
		return nil, nil
	}
	if err := s.in(StatusCompleted, StatusAtResearchUnit, StatusUnderControl); err != nil {
		return nil, err
	}
	return []event.Event{LiabilityAccepted{s.Form.Version, c.NoticeVersion, c.TextHash, c.By, c.AtCounter, c.At}}, nil
}

// Submit closes the form and brings the request to an office (S1.8).
type Submit struct {
	Office string
	At     time.Time
}

// Decide needs a proved address and an accepted liability (state Ready).
func (c Submit) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.in(StatusReady); err != nil {
		return nil, err
	}
	if s.Channel == Inside {
		return nil, life.Refuse(ErrInside, string(s.Status))
	}
	return []event.Event{Submitted{c.Office, s.Form.Version, c.At}}, nil
}
