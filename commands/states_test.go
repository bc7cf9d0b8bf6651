package commands_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/fee"
	"govahi/domain/inquiry"
	"govahi/domain/revocation"
	"govahi/domain/token"
)

// place is where a request stands, and how it came there; ends come at several
// moments of the story.
type place struct {
	name string
	from enrollment.Status
	then func(*request)
}

var places = []place{
	{"draft", enrollment.StatusDraft, nil},
	{"completed", enrollment.StatusCompleted, nil},
	{"ready", enrollment.StatusReady, nil},
	{"at-office", enrollment.StatusAtOffice, nil},
	{"under-control", enrollment.StatusUnderControl, nil},
	{"needs-correction", enrollment.StatusUnderControl, (*request).sentBack},
	{"controlled", enrollment.StatusControlled, nil},
	{"confirmed", enrollment.StatusConfirmed, nil},
	{"at-ca", enrollment.StatusAtCA, nil},
	{"issued", enrollment.StatusIssued, nil},
	{"ready-for-delivery", enrollment.StatusReadyForDelivery, nil},
	{"delivered", enrollment.StatusDelivered, nil},
	{"accepted", enrollment.StatusAccepted, nil},
	{"rejected", enrollment.StatusUnderControl, (*request).rejected},
	{"rejected late", enrollment.StatusConfirmed, (*request).rejected},
	{"withdrawn", enrollment.StatusDraft, (*request).withdrawn},
	{"withdrawn late", enrollment.StatusConfirmed, (*request).withdrawn},
	{"revoked", enrollment.StatusIssued, (*request).revoked},
	{"revoked late", enrollment.StatusDelivered, (*request).revoked},
}

func (r *request) sentBack() {
	r.did(r.RequestCorrection(r.t.Context(), r.by(officer), r.code, []string{"post"}))
}

func (r *request) rejected() {
	r.did(r.RejectRequest(r.t.Context(), r.by(officer), r.code, enrollment.NotEntitled))
}

func (r *request) withdrawn() { r.did(r.Withdraw(r.t.Context(), r.by(r.of), r.code)) }

func (r *request) revoked() {
	r.did(r.RevokeCertificate(r.t.Context(), r.by(operator), r.now().Serial, certificate.AffiliationChanged))
}

// reach tells the story to a place; a blank token and a key are at hand there,
// and what was sent was sent a while ago.
func (p place) reach(t *testing.T) *request {
	t.Helper()
	r := open(t).draft(applicant).upTo(p.from)
	if p.then != nil {
		p.then(r)
		r.settle()
	}
	r.stock()
	if r.csr == nil {
		r.csr = newCSR(t)
	}
	r.clock.pass(time.Minute)
	if name, _, _ := strings.Cut(p.name, " "); string(r.now().Status) != name {
		t.Fatalf("the request is %s and not %s", r.now().Status, p.name)
	}
	return r
}

// rule says at which places a door lets its people in, or says that it is done
// already; and at which it refuses them for another reason than the state.
type rule struct {
	door string
	in   []string
	but  map[string][]string
}

var (
	beforeOffice = between("draft", "ready")
	desk         = []string{"at-office", "under-control", "controlled", "confirmed"}
	unissued     = append(between("draft", "at-ca"), "rejected", "rejected late", "withdrawn", "withdrawn late")
)

// between lists the places of the story from one to another.
func between(first, last string) []string {
	var names []string
	for _, p := range places {
		names = append(names, p.name)
	}
	return slices.Clone(names[slices.Index(names, first) : slices.Index(names, last)+1])
}

// rules of every door that leads to a request. What is in none of a door's
// lists is refused for the state.
var rules = []rule{
	{"CompleteForm", append(between("draft", "ready"), "needs-correction"), nil},
	{"SendEmailCode", []string{"completed", "ready", "under-control"}, nil},
	{"ConfirmEmail", except(between("completed", "revoked late"), "withdrawn"), nil},    // proved before
	{"AcceptLiability", except(between("completed", "revoked late"), "withdrawn"), nil}, // accepted before
	{"SubmitRequest", []string{"ready"}, nil},
	{"Withdraw", append(between("draft", "confirmed"), "withdrawn", "withdrawn late"), nil},
	{"VerifyDocuments", desk, nil},
	{"RecordPayment", except(between("at-office", "revoked late"), "withdrawn"), nil}, // what was paid is recorded, once
	{
		"RecordPayment, another slip",
		[]string{"at-office", "under-control", "needs-correction", "rejected"},
		map[string][]string{"fee-already-settled": append(between("controlled", "accepted"), "rejected late", "withdrawn late", "revoked", "revoked late")},
	},
	{
		"StartPayment",
		[]string{"at-office", "under-control", "needs-correction"},
		map[string][]string{"fee-already-settled": {"controlled", "confirmed"}},
	},
	{"SettleByContract", nil, map[string][]string{"contract-not-for-channel": except(between("at-office", "revoked late"), "withdrawn")}},
	{"RecordRefund", []string{"rejected late", "withdrawn late"}, map[string][]string{
		"refund-unknown": except(except(except(between("at-office", "revoked late"), "withdrawn"), "rejected late"), "withdrawn late"),
	}},
	{"RequireControl", desk, nil},
	{"CloseControl", nil, map[string][]string{"control-not-required": desk}},
	{"RequestCorrection", desk, nil},
	{"RejectRequest", append(between("at-office", "confirmed"), "rejected", "rejected late"), nil},
	{"RepeatInquiry", []string{"under-control", "controlled", "confirmed"}, nil},
	{"ConfirmInformation", []string{"controlled"}, nil},
	{"ReserveToken", []string{"confirmed"}, nil},
	{"IssueCertificate", []string{"at-ca"}, map[string][]string{"token-taken": {"confirmed"}}},
	{"PersonaliseToken", append(between("issued", "accepted"), "revoked late"), nil},
	{"PrintSheet", between("issued", "accepted"), nil},
	{"DeliverToken", []string{"ready-for-delivery", "delivered"}, nil},
	{"AcceptCertificate", []string{"delivered", "accepted"}, nil},
	{"DefineAccess", []string{"delivered", "accepted"}, map[string][]string{
		"sheet-not-found":       unissued, // there is none yet by which he would know the request
		"token-not-delivered":   {"issued", "ready-for-delivery", "revoked"},
		"certificate-not-valid": {"revoked late"},
	}},
	{"RevokeCertificate", append(between("issued", "accepted"), "revoked", "revoked late"), map[string][]string{"certificate-not-found": unissued}},
	{"RevokeCertificate, for falsity", between("issued", "accepted"), map[string][]string{
		"certificate-not-found": unissued, "certificate-already-revoked": {"revoked", "revoked late"},
	}},
	{"RevokeFormally", between("issued", "accepted"), map[string][]string{
		"certificate-not-found": unissued, "certificate-already-revoked": {"revoked", "revoked late"},
	}},
	{"SuspendCertificate", between("issued", "accepted"), map[string][]string{
		"certificate-not-found": unissued, "certificate-already-revoked": {"revoked", "revoked late"},
	}},
	{"LiftSuspension", nil, map[string][]string{
		"certificate-not-found": unissued, "certificate-already-revoked": {"revoked", "revoked late"},
		"certificate-not-suspended": between("issued", "accepted"),
	}},
	{"ReportAffiliationEnded", append(between("issued", "accepted"), "revoked", "revoked late"), map[string][]string{"certificate-not-found": unissued}},
	{"ReportInaccuracy", append(between("issued", "accepted"), "revoked", "revoked late"), map[string][]string{"certificate-not-found": unissued}},
}

func except(names []string, name string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return n == name })
}

// anotherSlip is a second payment of the same fee.
var anotherSlip = door{
	"RecordPayment, another slip", enrollment.StatusAtOffice, nil,
	func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RecordPayment(ctx, c, r.code, slip("987654"))
	}, officers,
}

func (l rule) ask(t *testing.T) door {
	t.Helper()
	for _, d := range append(slices.Clone(doors), anotherSlip) {
		if d.name == l.door {
			return d
		}
	}
	t.Fatalf("there is no door %s", l.door)
	return door{}
}

// code is how a person who may ask is refused at a place, or empty.
func (l rule) code(p place) string {
	if slices.Contains(l.in, p.name) {
		return ""
	}
	for code, at := range l.but {
		if slices.Contains(at, p.name) {
			return code
		}
	}
	return "wrong-state"
}

// aside are the doors whose story is not a request's.
var aside = []string{
	"OpenRequest", "OpenRequest, at a counter", "RefuteInaccuracy", "EstablishInaccuracy", "OpenInvestigation", "AddEvidence", "OpenOffice", "Appoint",
	"Dismiss", "PublishTariff", "ReceiveToken", "EraseSubject", "ConcludeContract", "EndContract", "RetireIssuer", "DeclareCACompromised",
}

func TestEveryDoorHasItsRule(t *testing.T) {
	for _, d := range doors {
		ruled := slices.ContainsFunc(rules, func(l rule) bool { return l.door == d.name })
		if ruled == slices.Contains(aside, d.name) {
			t.Errorf("%s needs a rule in states_test.go, or to be set aside", d.name)
		}
	}
}

// TestEachDoorInEachState asks at every door in every state: who is refused is
// told where the request stands and what is possible there, and nothing is
// stored.
func TestEachDoorInEachState(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			refusing := p.reach(t)
			for _, l := range rules {
				d := l.ask(t)
				code := l.code(p)
				if code == "" {
					r := p.reach(t)
					if _, err := d.ask(r, t.Context(), r.by(d.may[0])); err != nil {
						t.Errorf("%s: %v", d.name, err)
					}
					continue
				}
				refusing.refuses(d, d.may[0], func(f *fault.Fault) bool {
					if slices.Contains(beforeOffice, p.name) || p.name == "withdrawn" { // no office has it yet
						if (d.may[0] == officer || d.may[0] == second) && hides(f) {
							return true
						}
					}
					return f.Code == code && refusing.explained(f)
				})
			}
		})
	}
}

func hides(f *fault.Fault) bool { return f.Kind == fault.Forbidden || f.Kind == fault.NotFound }

// refuses expects a refusal that a judge agrees with, and that the log holds
// nothing of it.
func (r *request) refuses(d door, person string, agrees func(*fault.Fault) bool) {
	r.t.Helper()
	before := r.head()
	_, err := d.ask(r, r.t.Context(), r.by(person))
	f, ok := fault.Of(err)
	switch {
	case !ok:
		r.t.Errorf("%s in %s: %v", d.name, r.now().Status, err)
	case !agrees(f):
		r.t.Errorf("%s in %s: %v, %q", d.name, r.now().Status, f, f.Text)
	}
	if r.head() != before {
		r.t.Errorf("%s in %s was refused and still left events", d.name, r.now().Status)
	}
}

// explained tells whether a conflict says where what it is about stands, and
// what is possible there, in both languages.
func (r *request) explained(f *fault.Fault) bool {
	if f.Kind != fault.Conflict {
		return true
	}
	s := enrollment.Kind.Life[string(r.now().Status)]
	switch f.Code {
	case "control-not-required", "certificate-not-valid", "contract-not-for-channel":
		return true // their own words name the remedy
	case "fee-already-settled":
		s = fee.Kind.Life[string(r.fee().Status())]
	case "token-taken":
		s = token.Kind.Life[string(state(r.house, token.Kind, token.Kind.Stream(r.token)).Status)]
	case "certificate-already-revoked", "certificate-not-suspended":
		s = certificate.Kind.Life[string(r.certificate().Status)]
	}
	if inquired := r.inquiry().Status; inquired == inquiry.None && strings.Contains(f.Text.En, "asked") {
		s = inquiry.Kind.Life[string(inquired)]
	}
	return told(f, s)
}

func told(f *fault.Fault, s event.State) bool {
	possible := s.Possible()
	return possible.Fa != "" && strings.HasSuffix(f.Text.Fa, "«"+s.Name.Fa+"». "+possible.Fa) &&
		strings.HasSuffix(f.Text.En, " "+s.Name.En+". "+possible.En)
}

// TestSomebodyElsesRequest is nobody's business, in whatever state it is: not
// another applicant's, and not another office's.
func TestSomebodyElsesRequest(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			r := p.reach(t)
			for _, l := range rules {
				d := l.ask(t)
				if l.door == "ReportInaccuracy" { // anybody's business
					continue
				}
				for _, person := range []string{neighbour, stranger, elsewhere, research, dismissed, expired} {
					if !slices.Contains(d.may, person) {
						r.refuses(d, person, hides)
					}
				}
			}
		})
	}
}

// TestNobodyIsAskedAboutAfterTheDesk: once the request is over, or sent back,
// there is no purpose to ask the registry for (invariant 10).
func TestNobodyIsAskedAboutAfterTheDesk(t *testing.T) {
	for name, end := range map[string]func(*request){
		"withdrawn": (*request).withdrawn, "rejected": (*request).rejected, "sent back": (*request).sentBack,
	} {
		r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
		r.inconclusive()
		end(r)
		r.settle()
		before := r.head()
		_, err := r.RepeatInquiry(t.Context(), r.by(officer), r.code)
		if f, ok := fault.Of(err); !ok || f.Code != "wrong-state" || !r.explained(f) || r.head() != before {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestACaseIsClosedOnce: the other verdict comes too late, and says so.
func TestACaseIsClosedOnce(t *testing.T) {
	verdicts := map[string]func(*request) error{
		"refuted": func(r *request) error {
			_, err := r.RefuteInaccuracy(t.Context(), r.by(operator), r.number(), "درست است")
			return err
		},
		"established": func(r *request) error {
			_, err := r.EstablishInaccuracy(t.Context(), r.by(operator), r.number(), "نادرست است", "")
			return err
		},
	}
	for first, then := range map[string]string{"refuted": "established", "established": "refuted"} {
		r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
		r.report()
		if err := verdicts[first](r); err != nil {
			t.Fatal(err)
		}
		r.settle()
		before := r.head()
		f, ok := fault.Of(verdicts[then](r))
		if !ok || f.Code != revocation.ErrClosed.Code || !told(f, revocation.Kind.Life[first]) || r.head() != before {
			t.Errorf("%s after it was %s: %v", then, first, f)
		}
	}
}

// TestATokenIsRegisteredOnce: a token that has a story is not in stock again.
func TestATokenIsRegisteredOnce(t *testing.T) {
	for _, at := range []enrollment.Status{enrollment.StatusAtCA, enrollment.StatusReadyForDelivery, enrollment.StatusDelivered} {
		r := open(t).draft(applicant).upTo(at)
		before := r.head()
		_, err := r.ReceiveToken(t.Context(), r.by(officer), r.blank())
		held := state(r.house, token.Kind, token.Kind.Stream(r.token))
		if f, ok := fault.Of(err); !ok || f.Code != token.ErrKnown.Code || !told(f, token.Kind.Life[string(held.Status)]) || r.head() != before {
			t.Errorf("a token that is %s: %v", held.Status, err)
		}
	}
}

// TestAUserNameIsOnePersonsWithOneCertificate: neither another person's nor a
// second active certificate comes under the name.
func TestAUserNameIsOnePersonsWithOneCertificate(t *testing.T) {
	h := open(t)
	first := h.draft(applicant).upTo(enrollment.StatusDelivered)
	h.did(first.define(h.by(research), "nemune"))
	other := h.draft(neighbour).upTo(enrollment.StatusDelivered)
	for _, status := range []access.Status{access.StatusActive, access.StatusSuspended} {
		if status == access.StatusSuspended {
			first.revoked()
			h.settle()
		}
		before := h.head()
		_, err := other.define(h.by(research), "nemune")
		if f, ok := fault.Of(err); !ok || f.Code != access.ErrTaken.Code || !told(f, access.Kind.Life[string(status)]) || h.head() != before {
			t.Errorf("a name that is %s: %v", status, err)
		}
	}
}

// TestAStaleConfirmationIsRefused: whatever happened since the record was seen,
// the word on it no longer counts.
func TestAStaleConfirmationIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		seen   enrollment.Status
		change func(*request)
		code   string
	}{
		{"another original", enrollment.StatusControlled, (*request).passport, "record-changed"},
		{"another letter", enrollment.StatusControlled, (*request).letter, "record-changed"},
		{"a control required", enrollment.StatusControlled, (*request).telephone, "wrong-state"},
		{"a control passed", enrollment.StatusControlled, func(r *request) { r.telephone(); r.upTo(enrollment.StatusControlled) }, "record-changed"},
		{"a correction asked for", enrollment.StatusControlled, (*request).sentBack, "wrong-state"},
		{"the form corrected, not checked", enrollment.StatusControlled, func(r *request) { r.sentBack(); r.corrected() }, "wrong-state"},
		{"the form corrected and checked", enrollment.StatusControlled, func(r *request) {
			r.sentBack()
			r.corrected()
			r.upTo(enrollment.StatusControlled)
		}, "record-changed"},
		{"the fee paid since", enrollment.StatusUnderControl, func(r *request) { r.upTo(enrollment.StatusControlled) }, "record-changed"},
		{"the registry answered since", enrollment.StatusAtOffice, func(r *request) { r.upTo(enrollment.StatusControlled) }, "record-changed"},
		{"withdrawn", enrollment.StatusControlled, (*request).withdrawn, "wrong-state"},
		{"rejected", enrollment.StatusControlled, (*request).rejected, "wrong-state"},
		{"confirmed before, and changed", enrollment.StatusControlled, func(r *request) {
			r.upTo(enrollment.StatusConfirmed)
			r.passport()
		}, "record-changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := open(t).draft(applicant).upTo(c.seen)
			seen := r.record()
			c.change(r)
			r.settle()
			before := r.head()
			f, ok := fault.Of(r.confirmBy(second, seen))
			if !ok || f.Code != c.code || c.code == "wrong-state" && !r.explained(f) || r.head() != before {
				t.Fatalf("got %v in %s", f, r.now().Status)
			}
			if err := r.confirmBy(second, r.record()); (err == nil) != (c.code == "record-changed") {
				t.Errorf("the present record: %v", err)
			}
		})
	}
}

func (r *request) passport() {
	seen := commands.VerifyDocuments{Sighted: []enrollment.Document{enrollment.Passport}}
	r.did(r.VerifyDocuments(r.t.Context(), r.by(officer), r.code, seen))
}

func (r *request) letter() {
	r.did(r.VerifyDocuments(r.t.Context(), r.by(officer), r.code, commands.VerifyDocuments{
		Sighted: []enrollment.Document{enrollment.IntroductionLetter},
		Letter:  &enrollment.Letter{Number: "۹۹", Date: "1405/08/02"},
	}))
}

// corrected is the form sent again, and what must be proved of it again.
func (r *request) corrected() {
	in := formOf(r.of)
	in.Post = "کارشناس ارشد"
	r.did(r.CompleteForm(r.t.Context(), r.by(r.of), r.code, in))
	r.settle()
	if s := r.now(); s.Liable != s.Form.Version {
		r.prove(s)
	}
}

// TestAStaleSubmissionIsRefused: what is submitted is the form that was proved.
func TestAStaleSubmissionIsRefused(t *testing.T) {
	for name, change := range map[string]func(*commands.FormInput){
		"another post":    func(f *commands.FormInput) { f.Post = "کارشناس ارشد" },
		"another address": func(f *commands.FormInput) { f.Email = "other@example.ir" },
		"nothing changed": func(*commands.FormInput) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t).draft(applicant).upTo(enrollment.StatusReady)
			in := formOf(applicant)
			change(&in)
			r.did(r.CompleteForm(t.Context(), r.by(applicant), r.code, in))
			r.settle()
			before := r.head()
			if f, ok := fault.Of(r.submit()); !ok || f.Code != "wrong-state" || !r.explained(f) || r.head() != before {
				t.Errorf("submitted before the new form was proved: %v", f)
			}
			if err := r.upTo(enrollment.StatusReady).submit(); err != nil {
				t.Errorf("submitted after: %v", err)
			}
		})
	}
}
