package commands_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/office"
)

// door is a way to ask for something, and who may.
type door struct {
	name  string
	at    enrollment.Status // where the request stands when it is asked
	ready func(*request)    // what else must be so
	ask   func(*request, context.Context, commands.Caller) (commands.Receipt, error)
	may   []string
}

var (
	officers = []string{officer, second}
	party    = []string{applicant}
	operators,
	administrators,
	managers = []string{operator}, []string{admin}, []string{manager}
)

// doors lists every command that a person can ask for.
var doors = []door{
	{"OpenRequest", enrollment.StatusDraft, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.OpenRequest(ctx, c, outside)
	}, everybody},
	{"OpenRequest, at a counter", enrollment.StatusDraft, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.OpenRequest(ctx, c, commands.OpenRequest{Channel: enrollment.Outside, CertificateType: "cpmis-signature", Office: "office-1"})
	}, officers},
	{"CompleteForm", enrollment.StatusDraft, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.CompleteForm(ctx, c, r.code, formOf(r.of))
	}, party},
	{"SendEmailCode", enrollment.StatusCompleted, func(r *request) { r.clock.pass(time.Minute) }, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.SendEmailCode(ctx, c, r.code)
	}, party},
	{"ConfirmEmail", enrollment.StatusCompleted, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ConfirmEmail(ctx, c, r.code, r.EmailCode(r.request(), 1))
	}, party},
	{"AcceptLiability", enrollment.StatusCompleted, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.AcceptLiability(ctx, c, r.code, commands.LiabilityNotice.Version, commands.LiabilityNotice.Hash())
	}, party},
	{"SubmitRequest", enrollment.StatusReady, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.SubmitRequest(ctx, c, r.code, "office-1")
	}, party},
	{"Withdraw", enrollment.StatusAtOffice, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.Withdraw(ctx, c, r.code)
	}, party},
	{"VerifyDocuments", enrollment.StatusAtOffice, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.VerifyDocuments(ctx, c, r.code, originals)
	}, officers},
	{"RecordPayment", enrollment.StatusAtOffice, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RecordPayment(ctx, c, r.code, slip(r.code))
	}, officers},
	{"StartPayment", enrollment.StatusAtOffice, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		receipt, _, err := r.StartPayment(ctx, c, r.code, commands.StartPayment{Provider: "bank1"})
		return receipt, err
	}, party},
	{"SettleByContract", enrollment.StatusUnderControl, (*request).insideUnderContract, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.SettleByContract(ctx, c, r.code, price)
	}, officers},
	{"RecordRefund", enrollment.StatusConfirmed, (*request).rejectedAfterPayment, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RecordRefund(ctx, c, r.code, commands.RecordRefund{Number: 1, Reference: "H-1"})
	}, []string{officer, second, manager}},
	{"ConcludeContract", enrollment.StatusDraft, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ConcludeContract(ctx, c, contracted)
	}, managers},
	{"EndContract", enrollment.StatusDraft, (*request).contract, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.EndContract(ctx, c, contracted.Company)
	}, managers},
	{"RequireControl", enrollment.StatusUnderControl, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RequireControl(ctx, c, r.code, enrollment.ControlTelephone)
	}, officers},
	{"CloseControl", enrollment.StatusUnderControl, (*request).telephone, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.CloseControl(ctx, c, r.code, enrollment.ControlTelephone, true)
	}, officers},
	{"RequestCorrection", enrollment.StatusUnderControl, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RequestCorrection(ctx, c, r.code, []string{"post"})
	}, officers},
	{"RejectRequest", enrollment.StatusUnderControl, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RejectRequest(ctx, c, r.code, enrollment.NotEntitled)
	}, officers},
	{"RepeatInquiry", enrollment.StatusAtOffice, (*request).inconclusive, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RepeatInquiry(ctx, c, r.code)
	}, officers},
	{"ConfirmInformation", enrollment.StatusControlled, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.confirm(ctx, c, r.record())
	}, []string{second}},
	{"ReserveToken", enrollment.StatusConfirmed, (*request).stock, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ReserveToken(ctx, c, r.code, r.token)
	}, officers},
	{"IssueCertificate", enrollment.StatusConfirmed, (*request).reserve, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.IssueCertificate(ctx, c, r.code, r.token, r.csr)
	}, officers},
	{"PersonaliseToken", enrollment.StatusIssued, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.PersonaliseToken(ctx, c, r.code, r.token, r.now().Fingerprint)
	}, officers},
	{"PrintSheet", enrollment.StatusIssued, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.PrintSheet(ctx, c, r.code)
	}, officers},
	{"DeliverToken", enrollment.StatusReadyForDelivery, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.DeliverToken(ctx, c, r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard})
	}, officers},
	{"AcceptCertificate", enrollment.StatusDelivered, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.AcceptCertificate(ctx, c, r.code)
	}, party},
	{"DefineAccess", enrollment.StatusDelivered, nil, func(r *request, _ context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.define(c, "nemune")
	}, []string{research}},
	{"RevokeCertificate", enrollment.StatusAccepted, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RevokeCertificate(ctx, c, r.now().Serial, certificate.AffiliationChanged)
	}, []string{operator, applicant}},
	{"RevokeCertificate, for falsity", enrollment.StatusAccepted, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RevokeCertificate(ctx, c, r.now().Serial, certificate.PrivilegeWithdrawn)
	}, operators},
	{"RevokeFormally", enrollment.StatusAccepted, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RevokeFormally(ctx, c, r.now().Serial, powerOfAttorney)
	}, []string{officer, second, operator}},
	{"SuspendCertificate", enrollment.StatusAccepted, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.SuspendCertificate(ctx, c, r.now().Serial, 7)
	}, []string{applicant, officer, second, operator}},
	{"LiftSuspension", enrollment.StatusAccepted, (*request).suspend, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.LiftSuspension(ctx, c, r.now().Serial)
	}, []string{applicant, operator}},
	{"ReportInaccuracy", enrollment.StatusIssued, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ReportInaccuracy(ctx, c, r.now().Serial, "درست نیست")
	}, everybody},
	{"RefuteInaccuracy", enrollment.StatusIssued, (*request).report, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RefuteInaccuracy(ctx, c, r.number(), "درست است")
	}, operators},
	{"EstablishInaccuracy", enrollment.StatusIssued, (*request).report, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.EstablishInaccuracy(ctx, c, r.number(), "نادرست است", "")
	}, operators},
	{"OpenInvestigation", enrollment.StatusIssued, (*request).report, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.OpenInvestigation(ctx, c, r.number())
	}, operators},
	{"AddEvidence", enrollment.StatusIssued, (*request).report, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.AddEvidence(ctx, c, r.number(), "بررسی شد", "12")
	}, operators},
	{"ReportAffiliationEnded", enrollment.StatusIssued, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ReportAffiliationEnded(ctx, c, r.now().Serial, "12", "1405/08/01")
	}, []string{officer, second, operator}},
	{"OpenOffice", enrollment.StatusDraft, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.OpenOffice(ctx, c, commands.OpenOffice{Sort: office.Registration, Code: "office-3", Name: "دفتر", Province: "تهران", City: "ری"})
	}, administrators},
	{"Appoint", enrollment.StatusDraft, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.Appoint(ctx, c, commands.Appoint{PersonCode: neighbour, Role: appointment.Auditor, Until: noon.AddDate(1, 0, 0)})
	}, administrators},
	{"Dismiss", enrollment.StatusDraft, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.Dismiss(ctx, c, commands.Dismiss{PersonCode: auditor, Role: appointment.Auditor})
	}, administrators},
	{"PublishTariff", enrollment.StatusDraft, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.PublishTariff(ctx, c, commands.PublishTariff{Product: "cpmis-signature", IssuanceRial: price, ValidFrom: noon})
	}, managers},
	{"ReceiveToken", enrollment.StatusDraft, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.ReceiveToken(ctx, c, r.blank())
	}, officers},
	{"RetireIssuer", enrollment.StatusDraft, (*request).introduced, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.RetireIssuer(ctx, c, r.signer.elderly())
	}, operators},
	{"DeclareCACompromised", enrollment.StatusDraft, (*request).introduced, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.DeclareCACompromised(ctx, c, r.signer.elderly())
	}, operators},
	{"EraseSubject", enrollment.StatusDraft, nil, func(r *request, ctx context.Context, c commands.Caller) (commands.Receipt, error) {
		return r.EraseSubject(ctx, c, neighbour, "subject-request")
	}, managers},
}

func (r *request) inconclusive() {
	r.registry.answer = &commands.RegistryAnswer{Inconclusive: "review"}
	r.did(r.VerifyDocuments(r.t.Context(), r.by(officer), r.code, originals))
	r.settle()
	r.registry.answer = nil
}

func (r *request) introduced() { r.succeeds() }

func (r *request) telephone() {
	r.did(r.RequireControl(r.t.Context(), r.by(officer), r.code, enrollment.ControlTelephone))
}

// suspend holds the certificate, at its holder's wish.
func (r *request) suspend() {
	r.did(r.SuspendCertificate(r.t.Context(), r.by(r.of), r.now().Serial, 7))
}

func (r *request) report() {
	r.did(r.ReportInaccuracy(r.t.Context(), r.by(stranger), r.now().Serial, "درست نیست"))
}

// number is the first case's about the request's certificate.
func (r *request) number() string { return r.cases()[0].Stream.ID() }

// cases are the openings of those about the request's certificate.
func (r *request) cases() (all []event.Recorded) {
	for _, e := range r.all("revocation.opened.v1") {
		if c := r.theCase(e.Stream.ID()).Opened.Certificate; c != "" && c == r.now().Serial {
			all = append(all, e)
		}
	}
	return all
}

func (d door) before(t *testing.T) *request {
	r := open(t).draft(applicant).upTo(d.at)
	if d.ready != nil {
		d.ready(r)
	}
	return r
}

func TestWhoMayAsk(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			r := d.before(t)
			for _, person := range everybody {
				if slices.Contains(d.may, person) {
					continue
				}
				before := r.head()
				want := fault.Forbidden
				if d.hidden(r, person) {
					want = fault.NotFound
				}
				_, err := d.ask(r, t.Context(), r.by(person))
				if f, ok := fault.Of(err); !ok || f.Kind != want {
					t.Errorf("%s was answered %v", subject(person), err)
				}
				if r.head() != before {
					t.Fatalf("%s was refused and still left events", subject(person))
				}
			}
			for _, person := range d.may {
				d.before(t).accepts(d, person)
			}
		})
	}
}

// hidden tells whether what the door is about does not exist for a person.
func (d door) hidden(r *request, person string) bool {
	sees := []string{operator, manager, auditor}
	switch {
	case slices.Contains(ofCases, d.name):
		sees = append(sees, stranger) // who reported it
	case d.name == "DefineAccess" || slices.Contains(unknowing, d.name):
		return false
	case r.now().Office != "":
		sees = append(sees, applicant, officer, second)
	default:
		sees = append(sees, applicant)
	}
	return !slices.Contains(sees, person)
}

// accepts shows that a person is let in, and that the act cites him and his
// right.
func (r *request) accepts(d door, person string) {
	r.t.Helper()
	c := r.by(person)
	before := r.head()
	receipt, err := d.ask(r, r.t.Context(), c)
	if err != nil || r.head() == before {
		r.t.Errorf("%s was refused: %v", subject(person), err)
		return
	}
	all := r.stream(receipt.Stream)
	m, err := all[receipt.Revision].DecodeMeta()
	if err != nil || m.Actor != string(subject(person)) || m.Authority == "" || !m.At.Equal(r.clock.now) || m.Correlation == "" {
		r.t.Errorf("the event says of its origin %+v, %v", m, err)
	}
}

func TestAskedTwiceIsDoneOnce(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			r := d.before(t)
			c := r.by(d.may[0])
			first := r.did(d.ask(r, t.Context(), c))
			r.sameAgain(d, c, first, "at once")
			r.settle()
			r.sameAgain(d, c, first, "after the policies")
			r.tellOn()
			r.sameAgain(d, c, first, "after the story went on")
		})
	}
}

func (r *request) sameAgain(d door, c commands.Caller, first commands.Receipt, when string) {
	r.t.Helper()
	before := r.head()
	again, err := d.ask(r, r.t.Context(), c)
	if err != nil || again != first {
		r.t.Errorf("%s: got %+v, %v; the first time %+v", when, again, err, first)
	}
	if r.head() != before {
		r.t.Errorf("%s: there are new events", when)
	}
}

// tellOn goes on with the story as far as it goes.
func (r *request) tellOn() {
	r.t.Helper()
	for range 30 {
		if s := r.now(); s.Status.Over() || s.Status == enrollment.StatusNeedsCorrection || s.Status == enrollment.StatusReadyForDispatch {
			return
		}
		r.step()
		r.settle()
	}
	r.t.Fatalf("the story stands still at %s", r.now().Status)
}

func TestAskedByManyAtOnceIsDoneOnce(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			r := d.before(t)
			c := r.by(d.may[0])
			before := r.head()
			var receipts [16]commands.Receipt
			var errs [16]error
			var all sync.WaitGroup
			for i := range receipts {
				all.Go(func() { receipts[i], errs[i] = d.ask(r, context.Background(), c) })
			}
			all.Wait()
			for i := range receipts {
				if errs[i] != nil || receipts[i] != receipts[0] {
					t.Fatalf("one was told %+v, another %+v, %v", receipts[0], receipts[i], errs[i])
				}
			}
			r.onceEach(before)
		})
	}
}

// onceEach expects that no event after a position stands twice in its stream.
func (h *house) onceEach(after event.Position) {
	h.t.Helper()
	seen := map[event.ID]bool{}
	for _, r := range h.after(after) {
		if seen[r.ID] {
			h.t.Errorf("%s stands twice in %s", r.Type, r.Stream)
		}
		seen[r.ID] = true
	}
	if len(seen) == 0 {
		h.t.Error("nothing was done")
	}
}

func TestTheSameKeyOfAnotherIsAnotherCommand(t *testing.T) {
	h := open(t)
	first := h.did(h.OpenRequest(t.Context(), keyed(applicant, "mine"), outside))
	if other := h.did(h.OpenRequest(t.Context(), keyed(neighbour, "mine"), outside)); first.Stream == other.Stream {
		t.Fatal("two people share a request because they chose the same key")
	}
	r := h.draft(applicant).upTo(enrollment.StatusIssued)
	for i, person := range officers {
		r.did(r.PrintSheet(t.Context(), keyed(person, "same"), r.code))
		if got := r.now().Copies; got != i+1 {
			t.Fatalf("%d copies after %d people printed", got, i+1)
		}
	}
}

// ofCases are the doors of who decides a case.
var ofCases = []string{"RefuteInaccuracy", "EstablishInaccuracy", "OpenInvestigation", "AddEvidence"}

// unknowing lists the doors that are not about a request which must exist.
var unknowing = []string{
	"OpenRequest", "OpenRequest, at a counter", "ReportInaccuracy", "RefuteInaccuracy", "EstablishInaccuracy",
	"OpenInvestigation", "AddEvidence",
	"OpenOffice", "Appoint", "Dismiss", "PublishTariff", "ReceiveToken", "EraseSubject", "ConcludeContract", "EndContract", "RetireIssuer", "DeclareCACompromised",
}

func TestAnUnknownRequestIsNotFound(t *testing.T) {
	h := open(t)
	none := &request{house: h, code: "051234567890", of: applicant, token: "TOKEN1", csr: newCSR(t)}
	for _, d := range doors {
		if slices.Contains(unknowing, d.name) {
			continue
		}
		before := h.head()
		_, err := d.ask(none, t.Context(), h.by(d.may[0]))
		if f, ok := fault.Of(err); !ok || f.Kind != fault.NotFound || h.head() != before {
			t.Errorf("%s: %v", d.name, err)
		}
	}
}
