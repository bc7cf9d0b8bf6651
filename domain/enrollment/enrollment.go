// Package enrollment is a request for a certificate, from the form to the
// accepted token (domain §2.2–2.3). Channel A, for parties outside the industry:
//
//	Draft ─FormCompleted─▶ Completed ─EmailConfirmed, LiabilityAccepted─▶ Ready
//	Ready ─Submitted─▶ AtOffice ─DocumentSighted, IdentityAnswered, FeeSettled─▶ UnderControl
//	UnderControl ─CorrectionRequested─▶ NeedsCorrection ─FormCompleted─▶ UnderControl
//	UnderControl ─all controls passed─▶ Controlled ─InformationConfirmed─▶ Confirmed
//	Confirmed ─IssuanceRequested─▶ AtCA ─Issued─▶ Issued
//	Issued ─TokenPersonalised, SheetPrinted─▶ ReadyForDelivery ─Delivered─▶ Delivered ─Accepted─▶ Accepted ■
//	AtOffice … Confirmed ─Rejected─▶ Rejected ■      before AtCA ─Withdrawn─▶ Withdrawn ■
//	from Issued on ─Revoked─▶ Revoked ■
//
// Channel B, for those inside it, differs on the way up and on the way down:
//
//	Ready ─SubmittedToUnit─▶ AtResearchUnit ─DossierApproved─▶ Approved
//	AtResearchUnit ─DossierReturned─▶ NeedsCorrection ─FormCompleted─▶ AtResearchUnit
//	Approved ─DossierDispatched─▶ InTransit ─DossierReceived─▶ AtAuthority ─DossierDispatched─▶ InTransit
//	InTransit ─DossierReceived─▶ AtOffice …
//	Issued ─TokenPersonalised, SheetPrinted─▶ ReadyForDispatch ─TokenArrived─▶ AtOrigin
//	AtOrigin ─TokenArrived─▶ BackAtUnit ─AccessNoted─▶ AccessDefined ─TokenArrived─▶ AtCompanyUnit
//	AtCompanyUnit ─Delivered─▶ Delivered ─Accepted─▶ Accepted ■
package enrollment

import (
	"maps"
	"slices"
	"time"

	"govahi/domain/event"
)

// Kind is the stream `enrollment-<tracking code>`.
var Kind = event.Kind[Enrollment]{
	Category: "enrollment", Catalog: Catalog, Evolve: Evolve,
	Status: func(s Enrollment) string { return string(s.Status) }, Life: life,
}

// Status is where the request stands.
type Status string

// The states of channel A.
const (
	StatusNone             Status = ""
	StatusDraft            Status = "draft"
	StatusCompleted        Status = "completed"
	StatusReady            Status = "ready"
	StatusAtOffice         Status = "at-office"
	StatusUnderControl     Status = "under-control"
	StatusNeedsCorrection  Status = "needs-correction"
	StatusControlled       Status = "controlled"
	StatusConfirmed        Status = "confirmed"
	StatusAtCA             Status = "at-ca"
	StatusIssued           Status = "issued"
	StatusReadyForDelivery Status = "ready-for-delivery"
	StatusDelivered        Status = "delivered"
	StatusAccepted         Status = "accepted"
	StatusRejected         Status = "rejected"
	StatusWithdrawn        Status = "withdrawn"
	StatusRevoked          Status = "revoked" // the certificate was, after its issue
)

// The states that only channel B has.
const (
	StatusAtResearchUnit   Status = "at-research-unit"
	StatusApproved         Status = "approved"
	StatusInTransit        Status = "in-transit" // the dossier, on its way up
	StatusAtAuthority      Status = "at-authority"
	StatusReadyForDispatch Status = "ready-for-dispatch"
	StatusAtOrigin         Status = "at-origin" // the token, on its way down
	StatusBackAtUnit       Status = "back-at-research-unit"
	StatusAccessDefined    Status = "access-defined"
	StatusAtCompanyUnit    Status = "at-company-unit"
)

// Statuses lists all states in the order of the story, those of channel B alone
// at the end, for documents and views.
var Statuses = []Status{
	StatusDraft, StatusCompleted, StatusReady, StatusAtOffice, StatusUnderControl, StatusNeedsCorrection,
	StatusControlled, StatusConfirmed, StatusAtCA, StatusIssued, StatusReadyForDelivery, StatusDelivered,
	StatusAccepted, StatusRejected, StatusWithdrawn, StatusRevoked,

	StatusAtResearchUnit, StatusApproved, StatusInTransit, StatusAtAuthority, StatusReadyForDispatch, StatusAtOrigin,
	StatusBackAtUnit, StatusAccessDefined, StatusAtCompanyUnit,
}

// Over tells whether the request is no longer an open one (invariant 3).
func (s Status) Over() bool {
	return s == StatusAccepted || s == StatusRejected || s == StatusWithdrawn || s == StatusRevoked
}

// Enrollment is the state of a request.
type Enrollment struct {
	TrackingCode    string
	Channel         Channel
	CertificateType string
	OpenedBy        event.Subject
	Counter         string // office whose officer opened it for a visitor, or empty
	Status          Status
	Renewal         RenewalOpened // empty of a first certificate

	Form   FormCompleted // the latest form; Version 0 before the first
	Email  EmailProof
	Liable int // form version for which liability was accepted

	Unit     string // research and technology unit, channel B
	Approval DossierApproved
	Dossier  Dossier // where the papers are, channel B
	Origin   string  // from where the office had them: the token goes back there and nowhere else (S1.21)
	TokenAt  string  // the last place that received the token
	Access   string  // CPMIS user name, channel B

	Office       string
	Sighted      map[Document]DocumentSighted
	Inquiry      IdentityInquired
	Identity     IdentityAnswered
	Fee          FeeSettled
	Controls     map[Control]bool // further controls that were required: passed or not
	Confirmation InformationConfirmed
	Hands        []event.Subject // everybody who ever had a part in the record; see MayConfirm

	Issuance    IssuanceRequested
	Attempt     IssuanceAttempted // the latest, if not yet finished
	Serial      string
	Fingerprint string
	Issued      time.Time
	OnToken     bool
	Copies      int // printed sheets
	DeliveredBy event.Subject
	DeliveredAt time.Time
	ReceivedBy  *event.Personal[Attorney] // instead of the applicant
	KnownBy     Document                  // the original by which the receiver was identified
}

// EmailProof is how far the proof of the form's address is.
type EmailProof struct {
	Sent      EmailCodeSent
	Refused   int  // wrong codes in this round
	Confirmed bool // for the form's present address
}

// Evolve is what each event means for the state.
func Evolve(s Enrollment, e event.Event) Enrollment {
	switch e := e.(type) {
	case Opened:
		s = opened(e)
	case RenewalOpened:
		s.Renewal = e
	case FormCompleted:
		s = s.withForm(e)
	case EmailCodeSent:
		s.Email.Sent, s.Email.Refused = e, 0
	case EmailCodeRefused:
		s.Email.Refused++
	case EmailConfirmed:
		s.Email.Confirmed = true
		s = s.settle()
	case LiabilityAccepted:
		s.Liable = e.FormVersion
		if e.AtCounter {
			s = s.touchedBy(e.By)
		}
		s = s.settle()
	case Submitted:
		s.Office, s.Status = e.Office, StatusAtOffice
	case SubmittedToUnit, DossierApproved, DossierReturned, DossierDispatched, DossierReceived, DossierLost:
		s = s.onItsWayUp(e)
	case TokenArrived, AccessNoted:
		s = s.onItsWayDown(e)
	case DocumentSighted, IdentityInquired, IdentityAnswered, FeeSettled, CorrectionRequested, ControlRequired, ControlClosed:
		s = s.underControl(e)
	case Rejected:
		s.Status = StatusRejected
	case Withdrawn:
		s.Status = StatusWithdrawn
	case InformationConfirmed:
		if e.Signature != "" {
			s.Confirmation, s.Status = e, StatusConfirmed
		}
	default:
		s = s.afterConfirmation(e)
	}
	return s
}

func opened(e Opened) Enrollment {
	s := Enrollment{
		TrackingCode: e.TrackingCode, Channel: e.Channel, CertificateType: e.CertificateType,
		OpenedBy: e.OpenedBy, Counter: e.Office, Status: StatusDraft,
	}
	if e.Office != "" {
		s = s.touchedBy(e.OpenedBy)
	}
	return s
}

// withForm replaces the form; what was proved about the old one must be proved
// again, and a correction goes back to the desk.
func (s Enrollment) withForm(e FormCompleted) Enrollment {
	s = s.touchedBy(e.EnteredBy)
	s.Form = e
	switch {
	case e.EmailChanged:
		s.Email = EmailProof{Sent: EmailCodeSent{Round: s.Email.Sent.Round}} // a code on its way counts no more
	case s.Email.Sent.Round > 0:
		s.Email.Sent.FormVersion = e.Version // the code on its way is for the same address
	}
	s.Identity, s.Inquiry = IdentityAnswered{}, IdentityInquired{}
	s.Sighted = nil // originals are compared with the form that stands
	s.Controls = reopened(s.Controls)
	switch s.Status {
	case StatusNeedsCorrection:
		s.Status = StatusUnderControl
		if s.Office == "" { // the unit sent it back, before any office had it
			s.Status = StatusAtResearchUnit
		}
	default:
		s.Status = StatusCompleted
	}
	return s.settle()
}

func (s Enrollment) underControl(e event.Event) Enrollment {
	if s.Status != StatusNeedsCorrection && s.Office != "" { // only a form mends a form; a unit sights, and controls nothing
		s.Status = StatusUnderControl
	}
	s.Confirmation = InformationConfirmed{} // a later change voids it (S1.10)
	switch e := e.(type) {
	case DocumentSighted:
		s.Sighted = with(s.Sighted, e)
		s = s.touchedBy(e.By)
	case IdentityInquired:
		s.Inquiry, s.Identity = e, IdentityAnswered{}
		s = s.touchedBy(e.By)
	case IdentityAnswered:
		s.Identity = e
		s = s.touchedBy(e.AskedBy)
	case ControlRequired:
		s.Controls = withControl(s.Controls, e.Control, false)
		s = s.touchedBy(e.By)
	case ControlClosed:
		s.Controls = withControl(s.Controls, e.Control, e.Passed)
		s = s.touchedBy(e.By)
	case FeeSettled:
		s.Fee = e
	case CorrectionRequested:
		s.Status = StatusNeedsCorrection
		return s
	}
	return s.settle()
}

func (s Enrollment) afterConfirmation(e event.Event) Enrollment {
	switch e := e.(type) {
	case IssuanceRequested:
		s.Issuance, s.Status = e, StatusAtCA
	case IssuanceAttempted:
		s.Attempt = e
	case IssuanceFailed:
		s.Issuance, s.Attempt, s.Status = IssuanceRequested{}, IssuanceAttempted{}, StatusConfirmed
		if e.Unconfirmed {
			s.Confirmation, s.Status = InformationConfirmed{}, StatusControlled
		}
	case Issued:
		s.Serial, s.Fingerprint, s.Issued, s.Status = e.Serial, e.Fingerprint, e.At, StatusIssued
	case TokenPersonalised:
		s.OnToken = true
		s = s.settle()
	case SheetPrinted:
		s.Copies = e.Copy
		s = s.settle()
	case Delivered:
		s.DeliveredBy, s.DeliveredAt, s.Status = e.By, e.At, StatusDelivered
		s.ReceivedBy, s.KnownBy = e.Attorney, e.IdentityChecked
	case Accepted:
		s.Status = StatusAccepted
	case Revoked:
		s.Status = StatusRevoked
	}
	return s
}

// settle moves on where nothing is missing any more.
func (s Enrollment) settle() Enrollment {
	switch {
	case s.Status == StatusCompleted && s.proved():
		s.Status = StatusReady
	case s.Status == StatusUnderControl && len(s.Missing()) == 0:
		s.Status = StatusControlled
	case s.Status == StatusIssued && s.OnToken && s.Copies > 0 && s.Channel == Inside:
		s.Status = StatusReadyForDispatch
	case s.Status == StatusIssued && s.OnToken && s.Copies > 0:
		s.Status = StatusReadyForDelivery
	}
	return s
}

func (s Enrollment) proved() bool {
	return s.Email.Confirmed && s.Liable == s.Form.Version
}

// Control is something that must be in order before information is confirmed.
type Control string

// Controls beside the documents, which go by their own names.
const (
	ControlEmail     Control = "email"
	ControlLiability Control = "liability"
	ControlIdentity  Control = "identity"
	ControlFee       Control = "fee"

	ControlAddress   Control = "address"       // S1.29
	ControlTelephone Control = "telephone"     // S1.29
	ControlOther     Control = "discretionary" // S1.31
)

// FurtherControls are those that an office may require besides.
var FurtherControls = []Control{ControlAddress, ControlTelephone, ControlOther}

// Missing lists the controls that do not hold yet (invariant 1).
func (s Enrollment) Missing() []Control {
	var missing []Control
	need := func(ok bool, c Control) {
		if !ok {
			missing = append(missing, c)
		}
	}
	need(s.Email.Confirmed, ControlEmail)
	need(s.Liable == s.Form.Version, ControlLiability)
	for _, d := range s.Required() {
		need(s.sighted(d), Control(d))
	}
	need(s.Identity.Matched && s.Identity.FormVersion == s.Form.Version, ControlIdentity)
	need(s.Fee.Order != "", ControlFee)
	for _, c := range FurtherControls {
		passed, required := s.Controls[c]
		need(passed || !required, c)
	}
	return missing
}

// Required lists the originals that must be sighted (S1.26–28): a passport
// stands for birth certificate and national card where the applicant is a
// foreigner. Who speaks for himself has no organisation to show a card and a
// letter of.
func (s Enrollment) Required() []Document {
	required := []Document{BirthCertificate, NationalCard}
	if s.Form.Foreign {
		required = []Document{Passport}
	}
	if s.Affiliated() {
		required = append(required, LegalPersonCard, IntroductionLetter)
	}
	return required
}

// Affiliated tells whether the applicant speaks for an organisation, or has a
// post in one.
func (s Enrollment) Affiliated() bool { return s.Form.Organization != "" }

// sighted lets a passport stand for a birth certificate (S1.26).
func (s Enrollment) sighted(d Document) bool {
	if _, ok := s.Sighted[d]; ok {
		return true
	}
	_, passport := s.Sighted[Passport]
	return d == BirthCertificate && passport
}

// touchedBy remembers a hand for the rule of four eyes: a correction does not
// make somebody's earlier part undone.
func (s Enrollment) touchedBy(by event.Subject) Enrollment {
	if by != "" && !slices.Contains(s.Hands, by) {
		s.Hands = append(slices.Clip(s.Hands), by)
	}
	return s
}

// with copies, because states are values that others may still hold.
func with(m map[Document]DocumentSighted, e DocumentSighted) map[Document]DocumentSighted {
	c := maps.Clone(m)
	if c == nil {
		c = map[Document]DocumentSighted{}
	}
	c[e.Document] = e
	return c
}

func withControl(m map[Control]bool, control Control, passed bool) map[Control]bool {
	c := maps.Clone(m)
	if c == nil {
		c = map[Control]bool{}
	}
	c[control] = passed
	return c
}

// reopened are the controls of an older form: address or telephone may be others.
func reopened(m map[Control]bool) map[Control]bool {
	c := maps.Clone(m)
	for control := range c {
		c[control] = false
	}
	return c
}
