package commands_test

import (
	"context"

	"govahi/commands"
	"govahi/commands/officertest"
	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fee"
	"govahi/domain/token"
)

// price is what the tariff of the house asks.
const price = 1_500_000

var outside = commands.OpenRequest{Channel: enrollment.Outside, CertificateType: "cpmis-signature"}

func formOf(code string) commands.FormInput {
	return commands.FormInput{
		GivenName: "متقاضی", Surname: "نمونه‌پور", LatinGivenName: "Motaghazi", LatinSurname: "Nemunepur",
		PersonCode: code, BirthDate: "۱۳۶۰/۰۱/۰۱", Mobile: "۰۹۱۲۰۰۰۰۰۰۰", Email: "nemune@example.ir",
		Address: "تهران، خیابان نمونه", PostalCode: "1619735744", Province: "تهران", City: "تهران",
		OrganizationName: "شرکت نمونه", Organization: "10999001013", Post: "کارشناس",
	}
}

var originals = commands.VerifyDocuments{
	Sighted: []enrollment.Document{
		enrollment.BirthCertificate, enrollment.NationalCard, enrollment.LegalPersonCard, enrollment.IntroductionLetter,
	},
	Letter: &enrollment.Letter{Number: "۱۲/۳۴۵", Date: "1405/08/01"},
}

func slip(rrn string) commands.RecordPayment {
	return commands.RecordPayment{Provider: "samplebank", Terminal: "10000001", RRN: rrn, Trace: "123", AmountRial: price}
}

// request is somebody's request on its way; its states follow each other as
// the story goes.
type request struct {
	*house
	code  string
	of    string // the applicant's code
	token string
	csr   []byte

	fill func(*commands.FormInput) // what the type of certificate asks for otherwise
	seen *commands.VerifyDocuments
}

// draft opens a request of a person.
func (h *house) draft(person string) *request {
	h.t.Helper()
	r := h.did(h.OpenRequest(h.t.Context(), h.by(person), outside))
	code := r.Stream.ID()
	return &request{house: h, code: code, of: person, token: "TOKEN" + code}
}

func (r *request) request() event.Stream { return enrollment.Kind.Stream(r.code) }

func (r *request) now() enrollment.Enrollment { return state(r.house, enrollment.Kind, r.request()) }

// upTo tells the story on until the request is in a state.
func (r *request) upTo(status enrollment.Status) *request {
	r.t.Helper()
	for range 30 {
		if r.now().Status == status {
			return r
		}
		r.step()
		r.settle()
	}
	r.t.Fatalf("the request is %s and never became %s", r.now().Status, status)
	return r
}

// step does the next thing in the story.
func (r *request) step() {
	r.t.Helper()
	ctx, s := r.t.Context(), r.now()
	switch s.Status {
	case enrollment.StatusDraft:
		r.did(r.CompleteForm(ctx, r.by(r.of), r.code, r.form()))
	case enrollment.StatusCompleted:
		r.prove(s)
	case enrollment.StatusReady:
		r.did(r.SubmitRequest(ctx, r.by(r.of), r.code, "office-1"))
	case enrollment.StatusAtOffice, enrollment.StatusUnderControl:
		r.control(s)
	case enrollment.StatusControlled:
		r.did(r.confirm(ctx, r.by(second), r.record()))
	default:
		r.laterStep(s)
	}
}

func (r *request) form() commands.FormInput {
	in := formOf(r.of)
	if r.fill != nil {
		r.fill(&in)
	}
	return in
}

// sighted are the originals that the officer looks at.
func (r *request) sighted() commands.VerifyDocuments {
	if r.seen != nil {
		return *r.seen
	}
	return originals
}

func (r *request) prove(s enrollment.Enrollment) {
	r.t.Helper()
	ctx := r.t.Context()
	if !s.Email.Confirmed {
		r.did(r.ConfirmEmail(ctx, r.by(r.of), r.code, r.EmailCode(r.request(), s.Email.Sent.Round)))
	}
	r.did(r.AcceptLiability(ctx, r.by(r.of), r.code, commands.LiabilityNotice.Version, commands.LiabilityNotice.Hash()))
}

// control does what the desk has to do next.
func (r *request) control(s enrollment.Enrollment) {
	r.t.Helper()
	ctx := r.t.Context()
	for control, passed := range s.Controls {
		if !passed {
			r.did(r.CloseControl(ctx, r.by(officer), r.code, control, true))
			return
		}
	}
	switch {
	case s.Inquiry.FormVersion != s.Form.Version:
		r.did(r.VerifyDocuments(ctx, r.by(officer), r.code, r.sighted()))
	case s.Identity.Inquiry == "":
		r.did(r.RepeatInquiry(ctx, r.by(officer), r.code))
	default:
		paid := slip(r.code)
		paid.AmountRial = r.fee().Raised.AmountRial
		r.did(r.RecordPayment(ctx, r.by(officer), r.code, paid))
	}
}

// confirm confirms and signs.
func (r *request) confirm(ctx context.Context, c commands.Caller, seen enrollment.Record) (commands.Receipt, error) {
	return r.ConfirmInformation(ctx, c, r.code, seen, officertest.Sign(officertest.SerialOf(c.Person), seen.Statement(r.code)))
}

func (r *request) record() enrollment.Record { return enrollment.RecordOf(r.stream(r.request())) }

func (r *request) laterStep(s enrollment.Enrollment) {
	r.t.Helper()
	ctx := r.t.Context()
	switch s.Status {
	case enrollment.StatusConfirmed:
		r.reserve()
		r.did(r.IssueCertificate(ctx, r.by(officer), r.code, r.token, r.csr))
	case enrollment.StatusAtCA:
		if err := r.issue(); err != nil {
			r.t.Fatal(err)
		}
	case enrollment.StatusIssued:
		r.did(r.PersonaliseToken(ctx, r.by(officer), r.code, r.token, s.Fingerprint))
		r.did(r.PrintSheet(ctx, r.by(officer), r.code))
	case enrollment.StatusReadyForDelivery:
		r.did(r.DeliverToken(ctx, r.by(officer), r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard}))
	case enrollment.StatusDelivered:
		r.did(r.AcceptCertificate(ctx, r.by(r.of), r.code))
	default:
		r.t.Fatalf("the story knows no way on from %s", s.Status)
	}
}

// stock puts a blank token into the office's stock.
func (r *request) stock() {
	r.t.Helper()
	if len(r.stream(token.Kind.Stream(r.token))) == 0 {
		r.did(r.ReceiveToken(r.t.Context(), r.by(officer), r.blank()))
	}
}

func (r *request) blank() commands.ReceiveToken {
	return commands.ReceiveToken{Serial: r.token, Model: "SoftHSM", Office: "office-1"}
}

// reserve takes a token of the stock and makes a key on it.
func (r *request) reserve() {
	r.t.Helper()
	if r.now().OnOwnToken() {
		return
	}
	r.stock()
	r.did(r.ReserveToken(r.t.Context(), r.by(officer), r.code, r.token))
	if r.csr == nil {
		r.csr = newCSR(r.t)
	}
}

// issue runs the issuance handler once, as its policy would.
func (r *request) issue() error { return r.issueBy(r.App) }

func (r *request) issueBy(a *commands.App) error {
	cause := r.all("enrollment.issuance-requested.v1")
	last := cause[len(cause)-1]
	m, err := last.DecodeMeta()
	if err != nil {
		return err
	}
	return a.Issue(r.t.Context(), commands.ByPolicy("issue-on-issuance-requested", last, m), r.request())
}

// define gives the applicant his CPMIS name.
func (r *request) define(c commands.Caller, name string) (commands.Receipt, error) {
	return r.DefineAccess(r.t.Context(), c, commands.DefineAccess{
		TrackingCode: r.code, UserName: name, Level: access.Viewer, Fingerprint: r.now().Fingerprint, Unit: "unit-rt",
	})
}

func (r *request) certificate() certificate.Certificate {
	return state(r.house, certificate.Kind, certificate.Kind.Stream(r.now().Serial))
}

func (r *request) fee() fee.Fee { return state(r.house, fee.Kind, fee.Kind.Stream(r.code)) }

// attempts lists the serials that the request's handler ever took, in order.
func (r *request) attempts() []string {
	r.t.Helper()
	var serials []string
	for _, e := range r.stream(r.request()) {
		is, err := enrollment.Catalog.Open(e)
		if err != nil {
			r.t.Fatal(err)
		}
		if a, ok := is.(enrollment.IssuanceAttempted); ok {
			serials = append(serials, a.Serial)
		}
	}
	return serials
}

func (h *house) serial(s string) certificate.Certificate {
	return state(h, certificate.Kind, certificate.Kind.Stream(s))
}
