package enrollment

import (
	"slices"
	"time"

	"govahi/domain/event"
)

// VerifyDocuments records the originals that an officer saw, and starts the
// identity inquiry (S1.26–31).
type VerifyDocuments struct {
	Sighted []Document
	Letter  *Letter // with the letter of introduction
	Inquiry string  // number of the identity inquiry, derived from the form's version
	By      event.Subject
	At      time.Time
}

// Decide adds what was not recorded yet, or a letter recorded wrongly; one
// inquiry for each form.
func (c VerifyDocuments) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.in(StatusAtResearchUnit, StatusAtOffice, StatusUnderControl, StatusControlled, StatusConfirmed); err != nil {
		return nil, err
	}
	if err := s.notOwn(c.By); err != nil {
		return nil, err
	}
	events, err := c.newlySighted(s)
	if err != nil || s.Status == StatusAtResearchUnit { // a unit asks no registry
		return events, err
	}
	if s.Inquiry.FormVersion != s.Form.Version {
		events = append(events, IdentityInquired{c.Inquiry, s.Form.Version, c.By, c.At})
	}
	return events, nil
}

func (c VerifyDocuments) newlySighted(s Enrollment) ([]event.Event, error) {
	var events []event.Event
	for i, d := range c.Sighted {
		seen := DocumentSighted{Document: d, By: c.By, At: c.At}
		if d == IntroductionLetter {
			if c.Letter == nil {
				return nil, ErrLetterMissing
			}
			seen.Letter = c.Letter
		}
		before, known := s.Sighted[d]
		if corrected := seen.Letter != nil && known && *before.Letter != *seen.Letter; known && !corrected {
			continue
		}
		if !slices.Contains(c.Sighted[:i], d) {
			events = append(events, seen)
		}
	}
	return events, nil
}

// AnswerIdentity takes the registry's answer into the record. Only an answer
// counts: out of reach, deferred and inconclusive never come here (invariant 11).
type AnswerIdentity struct {
	Inquiry      string
	Matched      bool
	TrackingCode string
	AskedBy      event.Subject
	At           time.Time
}

// Decide ignores the answer to an inquiry about an older form.
func (c AnswerIdentity) Decide(s Enrollment) ([]event.Event, error) {
	if s.Inquiry.Inquiry != c.Inquiry || s.Identity.Inquiry == c.Inquiry || s.beyondDesk() {
		return nil, nil
	}
	return []event.Event{IdentityAnswered{c.Inquiry, s.Inquiry.FormVersion, c.Matched, c.TrackingCode, c.AskedBy, c.At}}, nil
}

// SettleFee takes the payment of the fee order into the record (S1.9).
type SettleFee struct {
	Order      string
	Revision   uint64 // of the payment in the order's stream
	AmountRial int64
	At         time.Time
}

// Decide settles once, also while the form is being mended; a payment that
// comes after the end is refunded elsewhere.
func (c SettleFee) Decide(s Enrollment) ([]event.Event, error) {
	if s.Fee.Order == c.Order || (s.beyondDesk() && s.Status != StatusNeedsCorrection) {
		return nil, nil
	}
	return []event.Event{FeeSettled(c)}, nil
}

// AtDesk refuses what only an office does that is checking the request.
func (s Enrollment) AtDesk() error {
	return s.in(StatusAtOffice, StatusUnderControl, StatusControlled, StatusConfirmed)
}

// Payable refuses a payment that no request waits for.
func (s Enrollment) Payable() error {
	return s.in(StatusAtOffice, StatusUnderControl, StatusNeedsCorrection, StatusControlled, StatusConfirmed)
}

func (s Enrollment) beyondDesk() bool { return s.AtDesk() != nil }

// RequireControl opens a further control at the office's discretion (S1.29,
// S1.31).
type RequireControl struct {
	Control Control
	By      event.Subject
	At      time.Time
}

// Decide opens it once, until it was closed.
func (c RequireControl) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.mayControl(c.Control, c.By); err != nil {
		return nil, err
	}
	if passed, required := s.Controls[c.Control]; required && !passed {
		return nil, nil
	}
	return []event.Event{ControlRequired(c)}, nil
}

// CloseControl says how a further control ended.
type CloseControl struct {
	Control Control
	Passed  bool
	By      event.Subject
	At      time.Time
}

// Decide closes what was required.
func (c CloseControl) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.mayControl(c.Control, c.By); err != nil {
		return nil, err
	}
	passed, required := s.Controls[c.Control]
	switch {
	case !required:
		return nil, ErrControlNotRequired
	case passed && c.Passed:
		return nil, nil
	}
	return []event.Event{ControlClosed(c)}, nil
}

func (s Enrollment) mayControl(control Control, by event.Subject) error {
	if err := s.AtDesk(); err != nil {
		return err
	}
	if !slices.Contains(FurtherControls, control) {
		return ErrControl
	}
	return s.notOwn(by)
}

// Reject ends a request before issuance, for a stated reason (S1.37).
type Reject struct {
	Reason RejectionReason
	By     event.Subject
	At     time.Time
}

// Decide lets only the desk reject, and nobody his own request.
func (c Reject) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status == StatusRejected {
		return nil, nil
	}
	if err := s.in(StatusAtResearchUnit, StatusAtOffice, StatusUnderControl, StatusNeedsCorrection, StatusControlled, StatusConfirmed); err != nil {
		return nil, err
	}
	if err := s.notOwn(c.By); err != nil {
		return nil, err
	}
	return []event.Event{Rejected(c)}, nil
}
