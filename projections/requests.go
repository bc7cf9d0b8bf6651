package projections

import (
	_ "embed"
	"encoding/json"
	"slices"
	"time"

	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/iran"
	"govahi/domain/person"
)

//go:embed requests.sql
var requestsSQL string

// Requests is the officers' queue and the applicants' tracking page.
var Requests = Projection{
	Name: "requests", Version: 7, Tables: requestsSQL,
	Catalogs: []event.Catalog{enrollment.Catalog, person.Catalog},
	Apply:    applyRequest,
	Opens:    whoseForm,
}

var (
	requests = NewTable[requestRow]("requests", enrollment.Kind.Category)
	timeline = NewTable[stepRow]("steps", "")
)

// stepRow is a state that a request came into: its timeline is never changed.
type stepRow struct {
	Code     string `row:"key"`
	Revision int64  `row:"key"`
	State    string
	Since    time.Time
	Failure  *string // why the CA gave it back, if that brought it there
}

type requestRow struct {
	Code            string `row:"key"`
	Channel         string
	CertificateType string
	Basis           *string
	Renews          *string
	Status          string
	StatusSince     time.Time
	OpenedBy        string
	Counter         *string
	OpenedAt        time.Time
	Person          *string
	Organization    *string
	Province        *string
	FormVersion     int
	Entry           *string
	Form            json.RawMessage `row:"kept"`
	PersonTerm      []byte
	MobileTerm      []byte
	SurnameTerm     []byte
	Last4Term       []byte
	EmailConfirmed  bool
	Unit            *string
	Dossier         *string // place that has the papers, or sent them
	DossierTo       *string // while they are on their way
	Origin          *string
	TokenAt         *string
	UserName        *string
	Office          *string
	SubmittedAt     *time.Time
	Sighted         []string
	Corrections     []string
	Identity        *string
	RegistryCode    *string
	FeeRial         *int64
	Rejection       *string
	Token           *string
	Attempts        int     // serials that were tried
	Failure         *string // why the CA gave it back; until it is issued
	Serial          *string
	Fingerprint     *string
	Copies          int
	DeliveredAt     *time.Time
	ToAttorney      bool            // who received it for the applicant; also when that is erased
	Attorney        json.RawMessage `row:"kept"`
	Revision        int64
}

// whoseForm is the applicant whose form an event holds.
func whoseForm(e event.Event) event.Subject {
	if e, ok := e.(enrollment.FormCompleted); ok && e.Form != nil {
		return e.Form.Subject()
	}
	return ""
}

func applyRequest(w *Writer, e Event) {
	switch is := e.Is.(type) {
	case person.Erased:
		w.Exec(`UPDATE requests SET form = NULL, attorney = NULL, person_term = NULL, mobile_term = NULL, surname_term = NULL,
			last4_term = NULL WHERE person = $1`, is.Subject)
	case person.ErasureOrdered:
	case enrollment.Opened:
		requests.Insert(w, requestRow{
			Code: e.Stream.ID(), Channel: string(is.Channel), CertificateType: is.CertificateType, Status: e.Meta.Status, StatusSince: is.At,
			OpenedBy: string(is.OpenedBy), Counter: orNull(is.Office), OpenedAt: is.At, Sighted: []string{}, Corrections: []string{},
			Revision: int64(e.Revision),
		})
		timeline.Insert(w, stepRow{e.Stream.ID(), int64(e.Revision), e.Meta.Status, is.At, nil})
	default:
		r := requests.Change(w, e.Stream.ID())
		r.learn(w, e.Is)
		if r.Status != e.Meta.Status {
			r.Status, r.StatusSince = e.Meta.Status, e.Meta.At
			if r.Code != "" { // its opening was not skipped
				timeline.Insert(w, stepRow{r.Code, int64(e.Revision), r.Status, r.StatusSince, failureOf(e.Is)})
			}
		}
		r.Revision = int64(e.Revision)
	}
}

// failureOf is why the CA gave a request back, if the event says that.
func failureOf(e event.Event) *string {
	if failed, ok := e.(enrollment.IssuanceFailed); ok {
		return &failed.Code
	}
	return nil
}

// orNull is a text, or NULL for an empty one.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// learn takes what the event says beside the new state.
func (r *requestRow) learn(w *Writer, e event.Event) {
	switch e := e.(type) {
	case enrollment.RenewalOpened:
		r.Basis, r.Renews = new(string(e.Basis)), &e.Certificate
	case enrollment.FormCompleted:
		r.complete(w, e)
	case enrollment.EmailConfirmed:
		r.EmailConfirmed = true
	case enrollment.Submitted:
		r.Office, r.SubmittedAt = &e.Office, &e.At
	case enrollment.SubmittedToUnit:
		r.Unit, r.Dossier, r.SubmittedAt = &e.Unit, &e.Unit, &e.At
	case enrollment.DossierReturned:
		r.Corrections = append([]string{}, e.Fields...)
	case enrollment.DossierDispatched:
		r.Dossier, r.DossierTo = &e.From, &e.To
	case enrollment.DossierReceived:
		r.Dossier, r.DossierTo = &e.Place, nil
		if e.Office {
			r.Origin, r.Office = &e.From, &e.Place
		}
	case enrollment.DossierLost:
		r.DossierTo = nil
	case enrollment.TokenArrived:
		r.TokenAt = &e.Place
	case enrollment.AccessNoted:
		r.UserName = &e.UserName
	case enrollment.DocumentSighted:
		sighted := func(document string) bool { return document == string(e.Document) }
		r.Sighted = append(slices.DeleteFunc(r.Sighted, sighted), string(e.Document))
	case enrollment.IdentityInquired:
		r.Identity, r.RegistryCode = new("waiting"), nil
	case enrollment.IdentityAnswered:
		r.Identity, r.RegistryCode = new("mismatch"), &e.TrackingCode
		if e.Matched {
			r.Identity = new("matched")
		}
	case enrollment.FeeSettled:
		r.FeeRial = &e.AmountRial
	case enrollment.CorrectionRequested:
		r.Corrections = append([]string{}, e.Fields...)
	case enrollment.Rejected:
		r.Rejection = new(string(e.Reason))
	case enrollment.IssuanceRequested:
		r.Token = &e.Token
	case enrollment.IssuanceAttempted:
		r.Attempts++
	case enrollment.IssuanceFailed:
		r.Failure = &e.Code
	case enrollment.Issued:
		r.Serial, r.Fingerprint, r.Failure = &e.Serial, &e.Fingerprint, nil
	case enrollment.SheetPrinted:
		r.Copies = e.Copy
	case enrollment.Delivered:
		r.DeliveredAt, r.ToAttorney, r.Attorney = &e.At, e.Attorney != nil, Column(e.Attorney)
	}
}

// complete takes a form; what was found out about an earlier one is void. Terms
// stay as they were where the form cannot be opened any more.
func (r *requestRow) complete(w *Writer, e enrollment.FormCompleted) {
	r.Person, r.Organization, r.Province = new(string(e.Person)), &e.Organization, &e.Province
	r.FormVersion, r.Entry, r.Form = e.Version, new(string(e.Entry)), Column(e.Form)
	r.EmailConfirmed = r.EmailConfirmed && !e.EmailChanged
	r.Identity, r.RegistryCode, r.Sighted, r.Corrections = nil, nil, []string{}, []string{}
	f, ok := Open(w, e.Form)
	if !ok {
		return
	}
	r.PersonTerm, r.MobileTerm = w.Term("person", f.PersonCode), w.Term("mobile", f.Mobile)
	r.SurnameTerm = w.Term("surname", iran.NameKey(f.Surname))
	r.Last4Term = w.Term("last4", r.Code+f.Mobile[len(f.Mobile)-4:])
}
