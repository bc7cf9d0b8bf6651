package enrollment

import (
	"time"

	"govahi/domain/event"
)

// Catalog lists every event of a request, in the order in which the story tells
// them.
var Catalog = event.NewCatalog(
	event.Of[Opened]("enrollment.opened.v1"),
	event.Of[RenewalOpened]("enrollment.renewal-opened.v1"),
	event.Was("enrollment.form-completed.v1", formCompletedV1.upcast),
	event.Of[FormCompleted]("enrollment.form-completed.v2"),
	event.Of[EmailCodeSent]("enrollment.email-code-sent.v1"),
	event.Of[EmailCodeRefused]("enrollment.email-code-refused.v1"),
	event.Of[EmailConfirmed]("enrollment.email-confirmed.v1"),
	event.Of[LiabilityAccepted]("enrollment.liability-accepted.v1"),
	event.Of[Submitted]("enrollment.submitted.v1"),
	event.Of[SubmittedToUnit]("enrollment.submitted-to-unit.v1"),
	event.Of[DossierApproved]("enrollment.dossier-approved.v1"),
	event.Of[DossierReturned]("enrollment.dossier-returned.v1"),
	event.Of[DossierDispatched]("enrollment.dossier-dispatched.v1"),
	event.Of[DossierReceived]("enrollment.dossier-received.v1"),
	event.Of[DossierLost]("enrollment.dossier-lost.v1"),
	event.Of[DocumentSighted]("enrollment.document-sighted.v1"),
	event.Of[IdentityInquired]("enrollment.identity-inquired.v1"),
	event.Of[IdentityAnswered]("enrollment.identity-answered.v1"),
	event.Was("enrollment.fee-settled.v1", feeSettledV1.upcast),
	event.Of[FeeSettled]("enrollment.fee-settled.v2"),
	event.Of[ControlRequired]("enrollment.control-required.v1"),
	event.Of[ControlClosed]("enrollment.control-closed.v1"),
	event.Of[CorrectionRequested]("enrollment.correction-requested.v1"),
	event.Of[Rejected]("enrollment.rejected.v1"),
	event.Of[Withdrawn]("enrollment.withdrawn.v1"),
	event.Was("enrollment.information-confirmed.v1", informationConfirmedV1.upcast),
	event.Of[InformationConfirmed]("enrollment.information-confirmed.v2"),
	event.Of[IssuanceRequested]("enrollment.issuance-requested.v1"),
	event.Of[IssuanceAttempted]("enrollment.issuance-attempted.v1"),
	event.Was("enrollment.issuance-failed.v1", issuanceFailedV1.upcast),
	event.Of[IssuanceFailed]("enrollment.issuance-failed.v2"),
	event.Of[Issued]("enrollment.issued.v1"),
	event.Of[TokenPersonalised]("enrollment.token-personalised.v1"),
	event.Of[SheetPrinted]("enrollment.sheet-printed.v1"),
	event.Of[TokenArrived]("enrollment.token-arrived.v1"),
	event.Of[AccessNoted]("enrollment.access-noted.v1"),
	event.Was("enrollment.delivered.v1", deliveredV1.upcast),
	event.Of[Delivered]("enrollment.delivered.v2"),
	event.Of[Accepted]("enrollment.accepted.v1"),
	event.Of[Revoked]("enrollment.revoked.v1"),
)

// Opened starts a request (S1.3); its tracking code is the stream's ID.
type Opened struct {
	TrackingCode    string        `json:"trackingCode"` // 12 digits, domain §3.9
	Channel         Channel       `json:"channel"`
	CertificateType string        `json:"certificateType"`
	OpenedBy        event.Subject `json:"openedBy"`
	Office          string        `json:"office,omitempty"` // of the officer who opened it for a visitor
	At              time.Time     `json:"at"`
}

// FormCompleted holds the whole form (S1.4, S1.16). A later one replaces it.
type FormCompleted struct {
	Version      int                   `json:"version"`      // 1, 2, …
	Person       event.Subject         `json:"person"`       // the applicant
	Foreign      bool                  `json:"foreign"`      // a foreigner: passport instead of national card
	Organization string                `json:"organization"` // empty for who speaks for himself
	Province     string                `json:"province"`
	EmailChanged bool                  `json:"emailChanged"` // an earlier proof of the address no longer holds
	EnteredBy    event.Subject         `json:"enteredBy"`
	Entry        Entry                 `json:"entry"`
	Office       string                `json:"office,omitempty"` // of the officer, for an entry at the counter
	Form         *event.Personal[Form] `json:"form"`
	At           time.Time             `json:"at"`
}

// formCompletedV1 held a form without an organisation's Latin name; everybody
// belonged to an organisation.
type formCompletedV1 struct {
	Version      int                   `json:"version"`
	Person       event.Subject         `json:"person"`
	Foreign      bool                  `json:"foreign"`
	Organization string                `json:"organization"`
	Province     string                `json:"province"`
	EmailChanged bool                  `json:"emailChanged"`
	EnteredBy    event.Subject         `json:"enteredBy"`
	Entry        Entry                 `json:"entry"`
	Office       string                `json:"office,omitempty"`
	Form         *event.Personal[Form] `json:"form"`
	At           time.Time             `json:"at"`
}

func (v formCompletedV1) upcast() event.Event { return FormCompleted(v) }

// Personal seals the form.
func (e FormCompleted) Personal() []event.Sealable { return []event.Sealable{e.Form} }

// EmailCodeSent says that a code was made for the form's address (S1.29). The
// code itself is derived and never stored.
type EmailCodeSent struct {
	FormVersion int       `json:"formVersion"`
	Round       int       `json:"round"` // counts the codes of this request
	ExpiresAt   time.Time `json:"expiresAt"`
}

// EmailCodeRefused counts a wrong code; after five a new one is needed.
type EmailCodeRefused struct {
	Round int       `json:"round"`
	At    time.Time `json:"at"`
}

// EmailConfirmed proves the form's e-mail address (S1.5).
type EmailConfirmed struct {
	FormVersion int       `json:"formVersion"`
	At          time.Time `json:"at"`
}

// LiabilityAccepted records the notice of S1.7 that was accepted.
type LiabilityAccepted struct {
	FormVersion   int           `json:"formVersion"`
	NoticeVersion string        `json:"noticeVersion"`
	TextHash      string        `json:"textHash"` // SHA-256 of the text, hexadecimal
	By            event.Subject `json:"by"`
	AtCounter     bool          `json:"atCounter"`
	At            time.Time     `json:"at"`
}

// Submitted closes the form and brings the request to an office (S1.8).
type Submitted struct {
	Office      string    `json:"office"`
	FormVersion int       `json:"formVersion"`
	At          time.Time `json:"at"`
}

// DocumentSighted records that an officer saw an original; nothing is copied
// (S1.26–28, S3.5).
type DocumentSighted struct {
	Document Document      `json:"document"`
	Letter   *Letter       `json:"letter,omitempty"`
	By       event.Subject `json:"by"`
	At       time.Time     `json:"at"`
}

// IdentityInquired says which inquiry was started for which form (S1.30).
type IdentityInquired struct {
	Inquiry     string        `json:"inquiry"`
	FormVersion int           `json:"formVersion"`
	By          event.Subject `json:"by"`
	At          time.Time     `json:"at"`
}

// IdentityAnswered is the registry's answer; being out of reach is none.
type IdentityAnswered struct {
	Inquiry      string        `json:"inquiry"`
	FormVersion  int           `json:"formVersion"`
	Matched      bool          `json:"matched"`
	TrackingCode string        `json:"trackingCode"` // the registry's, S3.12
	AskedBy      event.Subject `json:"askedBy"`
	At           time.Time     `json:"at"`
}

// FeeSettled says that the request's fee order was paid (S1.9).
type FeeSettled struct {
	Order      string    `json:"order"`
	Revision   uint64    `json:"revision"` // of the payment in the order's stream; 0 if it was not noted
	AmountRial int64     `json:"amountRial"`
	At         time.Time `json:"at"`
}

// feeSettledV1 did not say where the payment stands.
type feeSettledV1 struct {
	Order      string    `json:"order"`
	AmountRial int64     `json:"amountRial"`
	At         time.Time `json:"at"`
}

func (v feeSettledV1) upcast() event.Event {
	return FeeSettled{Order: v.Order, AmountRial: v.AmountRial, At: v.At}
}

// ControlRequired opens a control that the office or the CA finds needed
// (S1.29, S1.31): nothing is confirmed while it is open.
type ControlRequired struct {
	Control Control       `json:"control"`
	By      event.Subject `json:"by"`
	At      time.Time     `json:"at"`
}

// ControlClosed says how it ended; a control that failed may be made again.
type ControlClosed struct {
	Control Control       `json:"control"`
	Passed  bool          `json:"passed"`
	By      event.Subject `json:"by"`
	At      time.Time     `json:"at"`
}

// CorrectionRequested sends the form back with the fields to mend.
type CorrectionRequested struct {
	Fields []string      `json:"fields"` // JSON names of form fields
	By     event.Subject `json:"by"`
	At     time.Time     `json:"at"`
}

// Rejected ends a request before issuance (S1.37).
type Rejected struct {
	Reason RejectionReason `json:"reason"`
	By     event.Subject   `json:"by"`
	At     time.Time       `json:"at"`
}

// Withdrawn ends a request at the applicant's wish.
type Withdrawn struct {
	By event.Subject `json:"by"`
	At time.Time     `json:"at"`
}

// InformationConfirmed is the second officer's word that the record is right
// (S1.10), bound to exactly what he saw and signed with his own token (domain
// §4.5).
type InformationConfirmed struct {
	RecordRevision uint64        `json:"recordRevision"`
	RecordHash     string        `json:"recordHash"`  // RecordHash of the stream up to there
	Certificate    string        `json:"certificate"` // serial of the officer's own
	Signature      string        `json:"signature"`   // of the record's Statement: CMS, DER, base64 (RFC 5652)
	By             event.Subject `json:"by"`
	Office         string        `json:"office"`
	At             time.Time     `json:"at"`
}

// informationConfirmedV1 was not signed, so nothing is issued on it.
type informationConfirmedV1 struct {
	RecordRevision uint64        `json:"recordRevision"`
	RecordHash     string        `json:"recordHash"`
	By             event.Subject `json:"by"`
	Office         string        `json:"office"`
	At             time.Time     `json:"at"`
}

func (v informationConfirmedV1) upcast() event.Event {
	return InformationConfirmed{RecordRevision: v.RecordRevision, RecordHash: v.RecordHash, By: v.By, Office: v.Office, At: v.At}
}

// IssuanceRequested hands the confirmed record and a proved key to the CA.
type IssuanceRequested struct {
	Token   string                       `json:"token"`   // serial of the reserved hardware token
	KeyHash string                       `json:"keyHash"` // SHA-256 of the SubjectPublicKeyInfo, hexadecimal
	Request *event.Personal[SigningInfo] `json:"request"`
	By      event.Subject                `json:"by"`
	Office  string                       `json:"office"`
	At      time.Time                    `json:"at"`
}

// Personal seals the PKCS#10 request.
func (e IssuanceRequested) Personal() []event.Sealable { return []event.Sealable{e.Request} }

// SigningInfo is what the applicant's token made.
type SigningInfo struct {
	CSR []byte `json:"csr"` // DER, RFC 2986
}

// IssuanceAttempted names the serial about to be intended, so that whoever
// comes after a crash knows what to abandon (pki §5.3).
type IssuanceAttempted struct {
	Serial  string    `json:"serial"`
	Handler string    `json:"handler"` // the running process that makes the attempt
	At      time.Time `json:"at"`
}

// IssuanceFailed ends the CA's work on a key that it cannot certify, such as
// one that the lint refuses; the request waits for another key, or for another
// confirmation where it was that which does not hold.
type IssuanceFailed struct {
	Code        string    `json:"code"`
	Unconfirmed bool      `json:"unconfirmed"`
	At          time.Time `json:"at"`
}

// issuanceFailedV1 knew failures of keys only.
type issuanceFailedV1 struct {
	Code string    `json:"code"`
	At   time.Time `json:"at"`
}

func (v issuanceFailedV1) upcast() event.Event { return IssuanceFailed{Code: v.Code, At: v.At} }

// Issued links the request with its certificate.
type Issued struct {
	Serial      string    `json:"serial"`
	Fingerprint string    `json:"fingerprint"` // SHA-256 of the DER, hexadecimal
	At          time.Time `json:"at"`
}

// TokenPersonalised says that the certificate was written to the token, read
// back and found equal.
type TokenPersonalised struct {
	Token string        `json:"token"`
	By    event.Subject `json:"by"`
	At    time.Time     `json:"at"`
}

// SheetPrinted records a printout of the certificate's particulars (S1.12).
type SheetPrinted struct {
	Copy int           `json:"copy"` // 1 for the first printout
	By   event.Subject `json:"by"`
	At   time.Time     `json:"at"`
}

// Delivered hands token and sheet to the applicant, identity re-checked (S1.11),
// or to his lawful attorney, and says so (invariant 5).
type Delivered struct {
	IdentityChecked Document                  `json:"identityChecked"` // by which original, of the receiver
	Attorney        *event.Personal[Attorney] `json:"attorney,omitempty"`
	By              event.Subject             `json:"by"`
	At              time.Time                 `json:"at"`
}

// Personal seals the attorney, under the applicant's key.
func (e Delivered) Personal() []event.Sealable {
	if e.Attorney == nil {
		return nil
	}
	return []event.Sealable{e.Attorney}
}

// Attorney is who acts for the applicant, and by which power.
type Attorney struct {
	Name   string `json:"name"`
	Power  string `json:"power"` // number of the notarised power of attorney
	Date   string `json:"date"`  // of the power, Jalali
	Notary string `json:"notary"`
}

// deliveredV1 knew no attorneys.
type deliveredV1 struct {
	IdentityChecked Document      `json:"identityChecked"`
	By              event.Subject `json:"by"`
	At              time.Time     `json:"at"`
}

func (v deliveredV1) upcast() event.Event {
	return Delivered{IdentityChecked: v.IdentityChecked, By: v.By, At: v.At}
}

// Accepted is the subscriber's acceptance of the certificate (RFC 3647 §4.4.1).
type Accepted struct {
	By event.Subject `json:"by"`
	At time.Time     `json:"at"`
}

// Revoked ends a request whose certificate was revoked, wherever it stands
// (§2.3, any after Issued).
type Revoked struct {
	Serial string    `json:"serial"`
	At     time.Time `json:"at"`
}
