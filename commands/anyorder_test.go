package commands_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"govahi/commands"
	"govahi/commands/policies"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
)

// TestAnythingInAnyOrder lets a crowd ask at all doors about a few requests, in
// any order, while the policies come sooner or later. Nothing that is refused
// leaves anything, nothing is our own fault, and the bare history shows every
// invariant (domain §2.6: 1, 2, 3, 4, 8).
func TestAnythingInAnyOrder(t *testing.T) {
	t.Parallel()
	crowds(t, func(rt *rapid.T, seen map[string]int) {
		c := gathered(t, rt, seen)
		for range 100 {
			c.something()
			c.judges()
		}
		c.comesToRest()
	}, []string{
		"certificate.issued.v2", "certificate.revoked.v2", "access.user-defined.v2", "access.suspended.v1",
		"enrollment.correction-requested.v1", "enrollment.accepted.v1", "enrollment.rejected.v1", "enrollment.withdrawn.v1",
		"enrollment.control-closed.v1", "revocation.inaccuracy-established.v2",
		"wrong-state", "open-request-exists", "second-officer-needed", "record-changed", "token-taken", "user-name-taken",
		"not-appointed", "token-not-delivered", "fee-already-settled",
	})
}

// crowds come until each thing was seen at least once: a run may miss what is
// rare, and several in a row do not.
func crowds(t *testing.T, comes func(rt *rapid.T, seen map[string]int), all []string) {
	t.Helper()
	seen := map[string]int{}
	for range 5 {
		rapid.Check(t, func(rt *rapid.T) { comes(rt, seen) })
		if !slices.ContainsFunc(all, func(what string) bool { return seen[what] == 0 }) {
			break
		}
	}
	happened(t, seen, all)
}

// happened wants each to have been seen at least once.
func happened(t *testing.T, seen map[string]int, all []string) {
	t.Helper()
	for _, what := range all {
		t.Logf("%s: %d", what, seen[what])
		if seen[what] == 0 {
			t.Errorf("%s never happened: this test does not look there", what)
		}
	}
}

// crowd is a house full of people with a few requests; two are one person's,
// and one was opened at a counter.
type crowd struct {
	*house
	rt       *rapid.T
	seen     map[string]int
	requests []*request
	records  []enrollment.Record // that somebody saw once
	way      way
	told     chronicle
}

// way is how the people of a channel go on: who begins, which door is the next
// one and whose, and which others there are.
type way struct {
	begins func(of string) *request
	next   func(*request) (door, string)
	others func(*request) []door
	people []string
}

func gathered(t *testing.T, rt *rapid.T, seen map[string]int) *crowd {
	h := open(t)
	c := &crowd{house: h, rt: rt, seen: seen, told: untold()}
	c.way = way{c.begun, c.onwards, c.others, append(slices.Clone(everybody), neighbour)}
	for _, of := range []string{applicant, applicant, neighbour, stranger} {
		c.requests = append(c.requests, c.begun(of))
	}
	c.requests[2].upTo(enrollment.StatusDelivered) // so that ends are near too
	return c
}

// begun is a new request, with a token and a key at hand; the stranger's is
// opened at a counter.
func (c *crowd) begun(of string) *request {
	r := &request{house: c.house, of: of, csr: newCSR(c.t)}
	in, by := outside, c.by(of)
	if of == stranger {
		in.Office, by = "office-1", c.by(officer)
	}
	r.code = c.did(c.OpenRequest(c.t.Context(), by, in)).Stream.ID()
	r.token = "TOKEN" + r.code
	r.stock()
	return r
}

// ended tells whether nothing at all can follow.
func ended(s enrollment.Status) bool { return s.Over() && s != enrollment.StatusAccepted }

// something is, more often than not, what brings a request further.
func (c *crowd) something() {
	i := rapid.IntRange(0, len(c.requests)-1).Draw(c.rt, "request")
	r := c.requests[i]
	switch n := rapid.IntRange(0, 99).Draw(c.rt, "what"); {
	case n < 10 && ended(r.status()):
		c.requests[i] = c.way.begins(r.of)
	case n < 70:
		d, who := c.way.next(r)
		c.asks(r, d, who)
		if rapid.Bool().Draw(c.rt, "at once") {
			c.policies()
		}
	case n < 75:
		c.records = append(c.records, r.record())
	case n < 77:
		c.clock.pass(11 * time.Minute)
	default:
		all := append(slices.Clone(doors), c.way.others(r)...)
		d := rapid.IntRange(0, len(all)-1).Draw(c.rt, "door")
		c.asks(r, all[d], rapid.SampledFrom(c.way.people).Draw(c.rt, "who"))
	}
}

// onwards is a door by which a request comes further, and somebody who may.
func (c *crowd) onwards(r *request) (door, string) {
	d := c.named(r, rapid.SampledFrom(onward[r.status()]).Draw(c.rt, "next"))
	who := d.may[0]
	if who == applicant {
		who = r.of
	}
	if r.of == stranger && r.status() == enrollment.StatusDraft {
		who = officer // enters the visitor's form
	}
	return d, who
}

func (c *crowd) named(r *request, name string) door {
	all := append(slices.Clone(doors), c.way.others(r)...)
	return all[slices.IndexFunc(all, func(d door) bool { return d.name == name })]
}

// judges what happened since it last did, by the bare history.
func (c *crowd) judges() {
	c.t.Helper()
	for _, r := range c.after(c.told.read) {
		if err := c.told.hears(r); err != nil {
			c.rt.Fatalf("%s in %s: %v", r.Type, r.Stream, err)
		}
		c.seen[r.Type]++
	}
}

// comesToRest lets the policies do all that is due: then what spans streams
// holds too.
func (c *crowd) comesToRest() {
	c.t.Helper()
	c.policies()
	c.judges()
	for user, serial := range c.told.users {
		if c.told.dead[serial] {
			c.rt.Fatalf("%s is active with a revoked certificate (invariant 8)", user)
		}
	}
}

// onward names the doors by which a request comes further.
var onward = map[enrollment.Status][]string{
	enrollment.StatusDraft:            {"CompleteForm"},
	enrollment.StatusCompleted:        {"ConfirmEmail, the present code", "AcceptLiability", "SendEmailCode"},
	enrollment.StatusReady:            {"SubmitRequest", "SubmitRequest", "SubmitRequest", "Withdraw"},
	enrollment.StatusAtOffice:         {"VerifyDocuments", "VerifyDocuments", "RecordPayment", "RecordPayment", "RequireControl", "RejectRequest"},
	enrollment.StatusUnderControl:     {"VerifyDocuments", "RecordPayment", "RecordPayment", "CloseControl", "ConfirmEmail, the present code", "AcceptLiability"},
	enrollment.StatusNeedsCorrection:  {"CompleteForm"},
	enrollment.StatusControlled:       {"ConfirmInformation", "ConfirmInformation", "ConfirmInformation", "ConfirmInformation, of old", "RequestCorrection", "ConfirmInformation, by who looked"},
	enrollment.StatusConfirmed:        {"ReserveToken", "ReserveToken", "IssueCertificate", "IssueCertificate", "RecordPayment, another slip"},
	enrollment.StatusAtCA:             {"PrintSheet"}, // the policies' turn
	enrollment.StatusIssued:           {"PersonaliseToken", "PrintSheet", "PersonaliseToken", "PrintSheet", "DefineAccess"},
	enrollment.StatusReadyForDelivery: {"DeliverToken", "DeliverToken", "DefineAccess"},
	enrollment.StatusDelivered:        {"AcceptCertificate", "DefineAccess", "DefineAccess, by the request"},
	enrollment.StatusAccepted:         {"DefineAccess", "DefineAccess, by the request", "RevokeCertificate", "ReportInaccuracy", "ReportInaccuracy", "EstablishInaccuracy", "EstablishInaccuracy"},
	enrollment.StatusRejected:         {"CompleteForm"}, // nothing does
	enrollment.StatusWithdrawn:        {"SubmitRequest"},
	enrollment.StatusRevoked:          {"PrintSheet"},
}

// others are the doors with what belongs to another request, or came too late,
// or with another content.
func (c *crowd) others(r *request) []door {
	other := c.requests[rapid.IntRange(0, len(c.requests)-1).Draw(c.rt, "other")]
	records := append([]enrollment.Record{{}}, c.records...)
	seen := records[rapid.IntRange(0, len(records)-1).Draw(c.rt, "seen")]
	return []door{
		anotherSlip,
		{name: "ConfirmInformation, by who looked", may: []string{officer}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.confirm(ctx, by, r.record())
		}},
		{name: "ConfirmInformation, of old", may: []string{second}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.confirm(ctx, by, seen)
		}},
		{name: "ConfirmEmail, the present code", may: party, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.ConfirmEmail(ctx, by, r.code, r.EmailCode(r.request(), r.now().Email.Sent.Round))
		}},
		{name: "ConfirmEmail, wrongly", may: party, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.ConfirmEmail(ctx, by, r.code, "00000")
		}},
		{name: "ReserveToken, another's", may: officers, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.ReserveToken(ctx, by, r.code, other.token)
		}},
		{name: "IssueCertificate, another's", may: officers, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.IssueCertificate(ctx, by, r.code, other.token, other.csr)
		}},
		{name: "RecordPayment, another's", may: officers, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.RecordPayment(ctx, by, r.code, slip(other.code))
		}},
		{name: "CloseControl, failed", may: officers, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.CloseControl(ctx, by, r.code, enrollment.ControlTelephone, false)
		}},
		{name: "VerifyDocuments, a passport", may: officers, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.VerifyDocuments(ctx, by, r.code, commands.VerifyDocuments{Sighted: []enrollment.Document{enrollment.Passport}})
		}},
		{name: "CompleteForm, another organisation", may: party, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			in := formOf(r.of)
			in.Organization = otherCompany
			return r.CompleteForm(ctx, by, r.code, in)
		}},
		{name: "DefineAccess, by the request", may: []string{research}, ask: func(r *request, _ context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.define(by, "user."+string(rune('a'+slices.Index(c.requests, r))))
		}},
		{name: "RevokeCertificate, key compromised", may: operators, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.RevokeCertificate(ctx, by, r.now().Serial, certificate.KeyCompromise)
		}},
	}
}

// asks at a door, and looks at a refusal. Two facts may follow from one: a wrong
// code was tried, under its key, and a submission lets go of the opening of a
// request that is over.
func (c *crowd) asks(r *request, d door, who string) {
	if slices.Contains(ofCases, d.name) && len(r.cases()) == 0 {
		return
	}
	before := c.head()
	_, err := d.ask(r, c.t.Context(), c.by(who))
	if err == nil {
		return
	}
	f, ok := fault.Of(err)
	if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		c.rt.Fatalf("%s by %s in %s: %v", d.name, subject(who), r.status(), err)
	}
	for _, left := range c.after(before) {
		tried := f.Code == enrollment.ErrEmailCode.Code && left.Type == "idempotency.claimed.v1"
		if !tried && left.Type != "enrollment.email-code-refused.v1" && left.Type != "opening.released.v1" {
			c.rt.Fatalf("%s in %s was refused as %v and still left %s", d.name, r.status(), f, left.Type)
		}
	}
	c.seen[f.Code]++
}

// status is what the last event says, without a fold.
func (r *request) status() enrollment.Status {
	r.t.Helper()
	all := r.stream(r.request())
	m, err := all[len(all)-1].DecodeMeta()
	if err != nil {
		r.t.Fatal(err)
	}
	return enrollment.Status(m.Status)
}

// policies do what is due, and the CA issues.
func (c *crowd) policies() {
	c.settle()
	for _, r := range c.requests {
		if r.status() != enrollment.StatusAtCA {
			continue
		}
		if err := r.issue(); err != nil {
			c.rt.Fatal(err)
		}
	}
	c.settle()
}

// settle lets the policies react as their runner does: a refusal is final, for
// the world may have gone on before they came.
func (c *crowd) settle() {
	c.t.Helper()
	for fresh := c.after(c.read); len(fresh) > 0; fresh = c.after(c.read) {
		for _, r := range fresh {
			c.read = r.Position
			for _, p := range policies.OfRecord() {
				c.passes(p.Name, p.Handle(c.t.Context(), c.App, r))
			}
			if r.Type == "inquiry.requested.v1" {
				c.passes("inquire", c.AskRegistry(c.t.Context(), commands.Caller{Policy: "inquire"}, r.Stream.ID()))
			}
		}
	}
}

func (c *crowd) passes(policy string, err error) {
	f, refused := fault.Of(err)
	if err != nil && (!refused || f.Kind == fault.Internal || f.Kind == fault.Unavailable) {
		c.rt.Fatalf("%s: %v", policy, err)
	}
}
