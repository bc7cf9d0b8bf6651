package enrollment

import (
	"time"

	"govahi/domain/event"
)

// SubmittedToUnit brings a request of channel B to the research and technology
// unit of the applicant's company (S1.18).
type SubmittedToUnit struct {
	Unit        string    `json:"unit"`
	FormVersion int       `json:"formVersion"`
	At          time.Time `json:"at"`
}

// DossierApproved is the unit's approval of the documents (S1.19).
type DossierApproved struct {
	Unit        string        `json:"unit"`
	FormVersion int           `json:"formVersion"`
	By          event.Subject `json:"by"`
	At          time.Time     `json:"at"`
}

// DossierReturned sends it back to the applicant with the fields to mend.
type DossierReturned struct {
	Fields []string      `json:"fields"`
	By     event.Subject `json:"by"`
	At     time.Time     `json:"at"`
}

// DossierDispatched says that the papers left in a consignment.
type DossierDispatched struct {
	Consignment string    `json:"consignment"`
	From        string    `json:"from"`
	To          string    `json:"to"`
	At          time.Time `json:"at"`
}

// DossierReceived says that they came: to the authority, or to an office, which
// has the request from then on.
type DossierReceived struct {
	Consignment string    `json:"consignment"`
	From        string    `json:"from"`
	Place       string    `json:"place"`
	Office      bool      `json:"office"` // the place is a registration office
	At          time.Time `json:"at"`
}

// DossierLost says that they did not come, and will not: who sent them makes
// them anew.
type DossierLost struct {
	Consignment string    `json:"consignment"`
	At          time.Time `json:"at"`
}

// TokenArrived says that the token was received, sealed, on its way down
// (S1.21–S1.24).
type TokenArrived struct {
	Place string    `json:"place"`
	At    time.Time `json:"at"`
}

// AccessNoted says that the unit has defined the CPMIS user, before the delivery
// (S1.23).
type AccessNoted struct {
	UserName string    `json:"userName"`
	At       time.Time `json:"at"`
}

// Dossier is where the papers are.
type Dossier struct {
	Consignment string // in which they travel, or last did
	Place       string // who has them, or sent them
	To          string // while they travel
}

func (s Enrollment) onItsWayUp(e event.Event) Enrollment {
	switch e := e.(type) {
	case SubmittedToUnit:
		s.Unit, s.Dossier, s.Status = e.Unit, Dossier{Place: e.Unit}, StatusAtResearchUnit
	case DossierApproved:
		s.Approval, s.Status = e, StatusApproved
		s = s.touchedBy(e.By)
	case DossierReturned:
		s.Status = StatusNeedsCorrection
	case DossierDispatched:
		s.Dossier, s.Status = Dossier{e.Consignment, e.From, e.To}, StatusInTransit
	case DossierReceived:
		s.Dossier, s.Status = Dossier{e.Consignment, e.Place, ""}, StatusAtAuthority
		if e.Office {
			s.Origin, s.Office, s.Status = e.From, e.Place, StatusAtOffice
		}
	case DossierLost:
		s.Dossier.To, s.Status = "", StatusApproved
		if s.Dossier.Place != s.Unit {
			s.Status = StatusAtAuthority
		}
	}
	return s
}

func (s Enrollment) onItsWayDown(e event.Event) Enrollment {
	switch e := e.(type) {
	case TokenArrived:
		s.TokenAt = e.Place
		switch s.Status {
		case StatusReadyForDispatch:
			s.Status = StatusAtOrigin
		case StatusAtOrigin:
			s.Status = StatusBackAtUnit
		case StatusAccessDefined:
			s.Status = StatusAtCompanyUnit
		}
	case AccessNoted:
		s.Access, s.Status = e.UserName, StatusAccessDefined
	}
	return s
}

// SubmitToUnit closes the form and brings the request to a unit (S1.18).
type SubmitToUnit struct {
	Unit string
	At   time.Time
}

// Decide needs what a submission to an office needs.
func (c SubmitToUnit) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.in(StatusReady); err != nil {
		return nil, err
	}
	if s.Channel != Inside {
		return nil, life.Refuse(ErrOutside, string(s.Status))
	}
	return []event.Event{SubmittedToUnit{c.Unit, s.Form.Version, c.At}}, nil
}

// ApproveDossier is the unit's word on the documents.
type ApproveDossier struct {
	Unit string
	By   event.Subject
	At   time.Time
}

// Decide needs every original sighted, and never approves one's own dossier
// (invariant 2).
func (c ApproveDossier) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status == StatusApproved && s.Approval.By == c.By {
		return nil, nil
	}
	if err := s.in(StatusAtResearchUnit); err != nil {
		return nil, err
	}
	if err := s.notOwn(c.By); err != nil {
		return nil, err
	}
	for _, d := range s.Required() {
		if !s.sighted(d) {
			return nil, life.Refuse(ErrNotSighted, string(s.Status))
		}
	}
	if !s.proved() {
		return nil, life.Refuse(ErrNotProved, string(s.Status))
	}
	return []event.Event{DossierApproved{c.Unit, s.Form.Version, c.By, c.At}}, nil
}

// ReturnDossier sends it back to be mended.
type ReturnDossier struct {
	Fields []string
	By     event.Subject
	At     time.Time
}

// Decide allows it while the unit has it, and nobody to send back his own.
func (c ReturnDossier) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.in(StatusAtResearchUnit); err != nil {
		return nil, err
	}
	if err := s.notOwn(c.By); err != nil {
		return nil, err
	}
	return []event.Event{DossierReturned(c)}, nil
}

// Dispatchable refuses a dossier that a place cannot send on.
func (s Enrollment) Dispatchable(from string) error {
	if err := s.in(StatusApproved, StatusAtAuthority); err != nil {
		return err
	}
	if s.Dossier.Place != from {
		return ErrDossierElsewhere
	}
	return nil
}

// DispatchDossier follows the consignment that it left in; a policy asks.
type DispatchDossier struct {
	Consignment, From, To string
	At                    time.Time
}

// Decide follows what can be: a request that ended meanwhile stays where it is.
func (c DispatchDossier) Decide(s Enrollment) ([]event.Event, error) {
	if s.Dossier.Consignment == c.Consignment || s.Dispatchable(c.From) != nil {
		return nil, nil
	}
	return []event.Event{DossierDispatched(c)}, nil
}

// ReceiveDossier follows the count of a consignment; a policy asks.
type ReceiveDossier struct {
	Consignment, From, Place string
	Office                   bool
	At                       time.Time
}

// Decide takes what this consignment brought. What was found in it and left in
// another one came from where that one comes, to which the token goes back: that
// one's own count, or the case that it opens, says that it is there.
func (c ReceiveDossier) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status != StatusInTransit || s.Dossier.Consignment != c.Consignment || s.Dossier.To != c.Place {
		return nil, nil
	}
	return []event.Event{DossierReceived(c)}, nil
}

// LoseDossier follows a discrepancy that was resolved so; a policy asks.
type LoseDossier struct {
	Consignment string
	At          time.Time
}

// Decide gives it back to who sent it.
func (c LoseDossier) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status != StatusInTransit || s.Dossier.Consignment != c.Consignment {
		return nil, nil
	}
	return []event.Event{DossierLost(c)}, nil
}

// NextPlace is where the token goes from where it is: the origin of the request
// and nowhere else, from there to the unit (S1.21, S1.22), and once the user is
// defined to a unit of the company (S1.23, S1.24), of which there may be several.
func (s Enrollment) NextPlace() (place string, company bool, err error) {
	if s.Channel != Inside {
		return "", false, ErrOutside
	}
	switch s.Status {
	case StatusReadyForDispatch:
		return s.Origin, false, nil
	case StatusAtOrigin:
		return s.Unit, false, nil
	case StatusAccessDefined:
		return "", true, nil
	}
	return "", false, WrongState(s, StatusReadyForDispatch, StatusAtOrigin, StatusAccessDefined)
}

// NoteTokenArrived follows the token's receipt; a policy asks.
type NoteTokenArrived struct {
	Place string
	At    time.Time
}

// Decide takes each place once, in the order of the way.
func (c NoteTokenArrived) Decide(s Enrollment) ([]event.Event, error) {
	place, company, err := s.NextPlace()
	if err != nil || !company && place != c.Place || s.TokenAt == c.Place {
		return nil, nil //nolint:nilerr // it ended meanwhile, or is there already
	}
	return []event.Event{TokenArrived(c)}, nil
}

// NoteAccess follows the definition of the user; a policy asks.
type NoteAccess struct {
	UserName string
	At       time.Time
}

// Decide is for channel B alone: in A the request is over by then.
func (c NoteAccess) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status != StatusBackAtUnit {
		return nil, nil
	}
	return []event.Event{AccessNoted(c)}, nil
}
