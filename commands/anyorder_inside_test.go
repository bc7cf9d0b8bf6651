package commands_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"govahi/commands"
	"govahi/domain/access"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/consignment"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/office"
	"govahi/domain/token"
)

// TestAnythingInAnyOrderInside does the same to channel B: units, authority,
// office and company unit, bags and tokens on their way, and all that happens to
// them. After each step the bare history shows invariants 1 to 6 and 8.
func TestAnythingInAnyOrderInside(t *testing.T) {
	t.Parallel()
	crowds(t, func(rt *rapid.T, seen map[string]int) {
		c := gatheredInside(t, rt, seen)
		for range 250 {
			c.something()
			c.overdue()
			c.judges()
		}
		c.comesToRest()
		c.holdsAsTold()
	}, []string{
		"enrollment.submitted-to-unit.v1", "enrollment.dossier-approved.v1", "enrollment.dossier-returned.v1",
		"consignment.dispatched.v1", "consignment.received.v1", "a discrepancy", "a bag of a broken seal", "consignment.discrepancy-resolved.v1",
		"enrollment.dossier-received.v1", "enrollment.dossier-lost.v1", "enrollment.issued.v1",
		"token.pin-issued.v1", "token.handed-over.v1", "token.received.v1", "a token of a broken seal", "enrollment.token-arrived.v1",
		"enrollment.access-noted.v1", "enrollment.delivered.v2", "an attorney", "token.delivered.v1", "token.pin-delivered.v1",
		"token.pin-activated.v1", "enrollment.accepted.v1", "access.certificate-bound.v1", "access.suspended.v1",
		"token.alarm-raised.v1", "token.lost.v1", "token.found-defective.v1", "token.recalled.v1", "token.returned.v1", "token.destroyed.v1",
		"enrollment.withdrawn.v1", "enrollment.revoked.v1", "enrollment.correction-requested.v1",
		"wrong-state", "own-request", "open-request-exists", "second-officer-needed", "record-changed", "dossier-elsewhere", "originals-not-sighted",
		"consignment-received", "consignment-not-discrepant", "dossiers-unaccounted", "not-the-receiver", "not-the-holder",
		"token-not-here", "wrong-destination", "pin-with-token", "pin-not-issued", "token-not-yours", "token-not-activated", "token-not-at-unit",
		"unit-of-other-company", "user-name-taken", "certificate-not-valid",
	})
}

// placesInside are those of the way, and who is there: two of each, for nobody
// handles his own.
var placesInside = map[string][]string{
	"unit-b": {unitOfficer, research}, "authority": {carrier, neighbour}, "office-1": {officer, second}, "company-unit": {companyOfficer, stranger}, "company-unit-2": {elsewhere},
}

// anyPlace is one of the way, or another.
func (c *crowd) anyPlace() string {
	all := slices.Sorted(maps.Keys(placesInside))
	return rapid.SampledFrom(append(all, "unit-x", "office-2", "company-x", "nowhere")).Draw(c.rt, "place")
}

// gatheredInside is a crowd of channel B: two requests are one person's, one is
// an officer's of the way; ends are near too.
func gatheredInside(t *testing.T, rt *rapid.T, seen map[string]int) *crowd {
	h := inside(t)
	year := noon.AddDate(1, 0, 0)
	h.appoint(research, appointment.ResearchOfficer, "unit-b", year)
	h.appoint(neighbour, appointment.AuthorityOfficer, "authority", year)
	h.appoint(stranger, appointment.UnitOfficer, "company-unit", year)
	h.did(h.OpenOffice(t.Context(), h.by(admin), commands.OpenOffice{Sort: office.CompanyUnit, Code: "company-unit-2", Name: "نمونه", Province: "تهران", City: "تهران", Company: company}))
	h.appoint(elsewhere, appointment.UnitOfficer, "company-unit-2", year)
	c := &crowd{house: h, rt: rt, seen: seen, told: untold()}
	c.way = way{c.begunInside, c.onwardsInside, c.othersInside, append(slices.Clone(crowdInside), neighbour)}
	for _, of := range []string{applicant, applicant, rapid.SampledFrom([]string{unitOfficer, carrier}).Draw(rt, "third")} {
		c.requests = append(c.requests, c.begunInside(of))
	}
	far := rapid.SampledFrom([]string{"ready", "at-authority", "ready-for-dispatch", "at-origin", "access-defined"}).Draw(rt, "far")
	c.requests[1].prove(c.requests[1].filled())
	c.requests[1].comesTo(far)
	c.judges()
	return c
}

func (c *crowd) begunInside(of string) *request {
	r := &request{house: c.house, of: of, csr: newCSR(c.t)}
	r.code = c.did(c.OpenRequest(c.t.Context(), c.by(of), commands.OpenRequest{Channel: enrollment.Inside, CertificateType: "cpmis-signature"})).Stream.ID()
	r.token = "TOKEN" + r.code
	r.stock()
	return r
}

func (r *request) filled() enrollment.Enrollment {
	r.t.Helper()
	r.did(r.CompleteForm(r.t.Context(), r.by(r.of), r.code, formOf(r.of)))
	r.settle()
	return r.now()
}

// comesTo tells the chapters from ready to another one.
func (r *request) comesTo(chapter string) {
	r.t.Helper()
	i := slices.IndexFunc(chapters, func(c chapterInside) bool { return c.name == chapter })
	if chapters[i].from == "" {
		return
	}
	r.comesTo(chapters[i].from)
	chapters[i].then(r)
	r.settle()
}

// overdue lets, now and then, weeks go by, and the watch looks at each token.
func (c *crowd) overdue() {
	if rapid.IntRange(0, 249).Draw(c.rt, "late") > 0 || c.clock.Now().After(noon.AddDate(0, 10, 0)) { // while everybody has his post
		return
	}
	c.clock.pass(time.Duration(rapid.IntRange(1, 22).Draw(c.rt, "days")) * 24 * time.Hour)
	for _, s := range slices.SortedFunc(maps.Keys(c.told.tokens), func(a, b event.Stream) int { return len(a) - len(b) }) {
		c.passes("watch", c.WatchToken(c.t.Context(), commands.Caller{Policy: "watch"}, s.ID()))
	}
}

// holdsAsTold compares each token's one holder with the bare history's.
func (c *crowd) holdsAsTold() {
	c.t.Helper()
	for s, t := range c.told.tokens {
		held := state(c.house, token.Kind, s).Holder
		if held.Place != t.place || held.Person != t.person || (held == token.Holder{}) != t.destroyed {
			c.rt.Fatalf("%s is with %+v, and by its history with %q, %q (invariant 5)", s, held, t.place, t.person)
		}
	}
}

// onwardInside names the doors by which a request of channel B comes further.
var onwardInside = map[enrollment.Status][]string{
	enrollment.StatusDraft:           {"CompleteForm"},
	enrollment.StatusCompleted:       {"ConfirmEmail, the present code", "AcceptLiability"},
	enrollment.StatusReady:           {"SubmitToUnit", "SubmitToUnit", "SubmitToUnit", "SubmitToUnit, anywhere", "Withdraw"},
	enrollment.StatusAtResearchUnit:  {"VerifyDocuments", "VerifyDocuments", "VerifyDocuments", "ApproveDossier", "ApproveDossier", "ApproveDossier", "ApproveDossier", "ReturnDossier", "ConfirmEmail, the present code", "AcceptLiability"},
	enrollment.StatusNeedsCorrection: {"CompleteForm"},
	enrollment.StatusApproved:        {"DispatchConsignment, on", "DispatchConsignment, on", "DispatchConsignment, of more"},
	enrollment.StatusInTransit:       {"ReceiveConsignment, as it is", "ReceiveConsignment, as it is", "ReceiveConsignment, as it is", "ReceiveConsignment, otherwise", "ResolveDiscrepancy, of the bag", "ResolveDiscrepancy, of the bag", "ResolveDiscrepancy, of others"},
	enrollment.StatusAtAuthority:     {"DispatchConsignment, on", "DispatchConsignment, on", "DispatchConsignment, of more"},
	enrollment.StatusAtOffice:        {"VerifyDocuments", "VerifyDocuments", "RequireControl", "SettleByContract"},
	enrollment.StatusUnderControl:    {"VerifyDocuments", "VerifyDocuments", "CloseControl", "CloseControl", "SettleByContract", "RequestCorrection", "ConfirmEmail, the present code", "AcceptLiability"},
	enrollment.StatusControlled:      {"ConfirmInformation", "ConfirmInformation", "ConfirmInformation", "ConfirmInformation, of old", "ConfirmInformation, by who looked"},
	enrollment.StatusConfirmed:       {"ReserveToken", "ReserveToken", "IssueCertificate", "IssueCertificate"},
	enrollment.StatusAtCA:            {"PrintSheet"}, // the policies' turn
	enrollment.StatusIssued:          {"PersonaliseToken", "PrintSheet"},
	enrollment.StatusBackAtUnit:      {"DefineAccess, before the delivery", "DefineAccess, before the delivery", "HandOverToken, on"},
	enrollment.StatusAtCompanyUnit:   {"DeliverToken", "DeliverToken, to an attorney", "ActivateToken"},
	enrollment.StatusDelivered:       {"NotePIN", "NotePIN", "ActivateToken", "ActivateToken", "AcceptCertificate", "AcceptCertificate"},
	enrollment.StatusAccepted:        {"RevokeCertificate", "ReportTokenLost", "ReportTokenDefective", "ReportTokenDefective", "NotePIN", "DefineAccess, before the delivery"},
	enrollment.StatusRejected:        {"ReturnToken", "DestroyToken"},
	enrollment.StatusWithdrawn:       {"ReturnToken", "DestroyToken"},
	enrollment.StatusRevoked:         {"TakeToken, as it is", "ReturnToken", "DestroyToken", "DestroyToken", "DestroyToken", "DefineAccess, before the delivery"},
}

// onToken are those by which its token does.
func onToken(t *carried) []string {
	switch {
	case t.gone:
		return []string{"ReturnToken"}
	case len(t.pins) == 0:
		return []string{"IssuePIN", "IssuePIN", "IssuePIN", "IssuePIN, by a place", "HandOverToken, on", "DefineAccess, before the delivery"}
	case t.to != "":
		return []string{"TakeToken, as it is", "TakeToken, as it is", "TakeToken, as it is", "TakeToken, as it is", "TakeToken, as it is", "TakeToken, of a broken seal", "HandOverToken, on"}
	}
	return []string{"HandOverToken, on", "HandOverToken, on", "HandOverToken, on", "HandOverToken, on", "HandOverToken, anywhere", "IssuePIN, by a place"}
}

// onwardsInside is such a door, and who stands before it: the applicant, or an
// officer of the place that has the papers or the token.
func (c *crowd) onwardsInside(r *request) (door, string) {
	names, listed := onwardInside[r.status()]
	if !listed {
		names = onToken(c.carried(r))
	}
	d := c.named(r, rapid.SampledFrom(names).Draw(c.rt, "next"))
	if slices.Contains([]string{"ConfirmInformation", "ConfirmInformation, of old"}, d.name) {
		return d, second
	}
	if slices.Equal(d.may, party) {
		return d, r.of
	}
	his := rapid.IntRange(0, 4).Draw(c.rt, "his own") == 0
	for _, who := range c.people(r, d) {
		if who != r.of || his {
			return d, who
		}
	}
	return d, officer
}

func (c *crowd) people(r *request, d door) []string {
	switch d.name {
	case "VerifyDocuments", "ApproveDossier", "ReturnDossier", "DefineAccess, before the delivery":
		if f := c.told.files[r.request()]; f.origin == "" || d.name != "VerifyDocuments" {
			return placesInside["unit-b"]
		}
	case "DispatchConsignment, on", "DispatchConsignment, of more":
		return placesInside[c.told.files[r.request()].place]
	case "ReceiveConsignment, as it is", "ReceiveConsignment, otherwise", "ResolveDiscrepancy, of the bag", "ResolveDiscrepancy, of others":
		return placesInside[c.bag(r).To]
	case "HandOverToken, on", "HandOverToken, anywhere":
		return placesInside[c.carried(r).place]
	case "TakeToken, as it is", "TakeToken, of a broken seal":
		return placesInside[c.carried(r).to]
	case "DeliverToken", "DeliverToken, to an attorney":
		return placesInside[c.carried(r).place]
	}
	return d.may
}

func (c *crowd) carried(r *request) *carried { return c.told.tokens[token.Kind.Stream(r.token)] }

// bag is the latest that the request's papers went in, or any.
func (c *crowd) bag(r *request) consignment.Dispatched {
	for _, bag := range slices.Backward(c.told.bags) {
		if slices.Contains(bag.Dossiers, r.code) {
			return bag
		}
	}
	if len(c.told.bags) > 0 {
		return rapid.SampledFrom(c.told.bags).Draw(c.rt, "bag")
	}
	return consignment.Dispatched{Number: "050000000018"}
}

// nextPlace is where papers, or a token, go from where they are.
var nextPlace = map[string]string{"unit-b": "authority", "authority": "office-1"}

var nextOfToken = map[string][]string{
	"office-1": {"authority"}, "authority": {"unit-b"}, "unit-b": {"company-unit", "company-unit-2"}, "company-unit": {"company-unit-2"},
}

// some are a few of the requests, and this one more often than not.
func (c *crowd) some(r *request) (codes []string) {
	if rapid.IntRange(0, 5).Draw(c.rt, "it") > 0 {
		codes = append(codes, r.code)
	}
	for _, other := range c.requests {
		if other != r && rapid.IntRange(0, 3).Draw(c.rt, "too") == 0 {
			codes = append(codes, other.code)
		}
	}
	return codes
}

// othersInside are the doors of channel B with what may be so, and with what may
// not.
func (c *crowd) othersInside(r *request) []door {
	all := c.others(r)
	for _, d := range doorsInside {
		all = append(all, d.door())
	}
	return slices.Concat(all, c.doorsOfBags(), c.doorsOfTokens(), []door{
		{name: "SubmitToUnit, anywhere", may: party, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.SubmitToUnit(ctx, by, r.code, c.anyPlace())
		}},
		{name: "DefineAccess, another's name", may: []string{unitOfficer}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.DefineAccess(ctx, by, commands.DefineAccess{
				TrackingCode: r.code, UserName: "inside." + string(rune('a'+rapid.IntRange(0, 1).Draw(c.rt, "name"))), Level: access.Approver, Fingerprint: r.now().Fingerprint, Unit: "unit-b",
			})
		}},
		{name: "RevokeCertificate, of B", may: operators, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.RevokeCertificate(ctx, by, r.now().Serial, certificate.Superseded)
		}},
	})
}

func (c *crowd) doorsOfBags() []door {
	return []door{
		{name: "DispatchConsignment, on", may: []string{unitOfficer}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			from := c.told.files[r.request()].place
			return r.DispatchConsignment(ctx, by, commands.DispatchConsignment{From: from, To: nextPlace[from], Dossiers: c.alike(r), Seal: "S-1"})
		}},
		{name: "DispatchConsignment, of more", may: []string{unitOfficer}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			from := c.told.files[r.request()].place
			return r.DispatchConsignment(ctx, by, commands.DispatchConsignment{From: from, To: nextPlace[from], Dossiers: c.some(r), Seal: "S-1"})
		}},
		{name: "DispatchConsignment, anyhow", may: []string{unitOfficer}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.DispatchConsignment(ctx, by, commands.DispatchConsignment{From: c.anyPlace(), To: c.anyPlace(), Dossiers: c.some(r), Seal: "S-1"})
		}},
		{name: "ReceiveConsignment, as it is", may: []string{carrier}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			bag := c.bag(r)
			return c.counts(ctx, by, bag, commands.ReceiveConsignment{Dossiers: bag.Dossiers, SealIntact: true})
		}},
		{name: "ReceiveConsignment, otherwise", may: []string{carrier}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return c.counts(ctx, by, c.bag(r), commands.ReceiveConsignment{Dossiers: c.some(r), SealIntact: rapid.Bool().Draw(c.rt, "whole")})
		}},
		{name: "ResolveDiscrepancy, of the bag", may: []string{carrier}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			bag := c.bag(r).Number
			resolve := commands.ResolveDiscrepancy{Cause: consignment.LeftBehind}
			for _, code := range state(c.house, consignment.Kind, consignment.Kind.Stream(bag)).Received.Missing {
				if rapid.IntRange(0, 3).Draw(c.rt, "found") == 0 {
					resolve.Found = append(resolve.Found, code)
				} else {
					resolve.Lost = append(resolve.Lost, code)
				}
			}
			return r.ResolveDiscrepancy(ctx, by, bag, resolve)
		}},
		{name: "ResolveDiscrepancy, of others", may: []string{carrier}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.ResolveDiscrepancy(ctx, by, c.bag(r).Number, commands.ResolveDiscrepancy{Found: c.some(r), Cause: consignment.Miscounted})
		}},
	}
}

// alike are the papers that are at the same place, as far as anybody there knows.
func (c *crowd) alike(r *request) []string {
	codes := []string{r.code}
	at := c.told.files[r.request()]
	for _, other := range c.requests {
		if f := c.told.files[other.request()]; f != nil && other != r && f.place == at.place && f.to == "" && f.approved && f.origin == "" {
			codes = append(codes, other.code)
		}
	}
	return codes
}

func (c *crowd) counts(ctx context.Context, by commands.Caller, bag consignment.Dispatched, in commands.ReceiveConsignment) (commands.Receipt, error) {
	receipt, err := c.ReceiveConsignment(ctx, by, bag.Number, in)
	if err == nil {
		c.notes(!in.SealIntact, "a bag of a broken seal")
		c.notes(state(c.house, consignment.Kind, receipt.Stream).Status == consignment.Discrepant, "a discrepancy")
	}
	return receipt, err
}

func (c *crowd) notes(so bool, what string) {
	if so {
		c.seen[what]++
	}
}

func (c *crowd) doorsOfTokens() []door {
	attorney := &commands.AttorneyInput{Name: "وکیل نمونه", Power: "۱۲۳/۴", Date: "1405/07/01", Notary: "دفترخانهٔ نمونه"}
	take := func(whole bool) func(*request, context.Context, commands.Caller) (commands.Receipt, error) {
		return func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			receipt, err := r.TakeToken(ctx, by, r.token, commands.TakeToken{SealIntact: whole})
			c.notes(err == nil && !whole && r.custody().Status == token.Compromised, "a token of a broken seal")
			return receipt, err
		}
	}
	return []door{
		{name: "IssuePIN, by a place", may: officers, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.IssuePIN(ctx, by, r.token, commands.IssuePIN{Envelope: "E-2", Via: c.anyPlace()})
		}},
		{name: "HandOverToken, on", may: officers, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			to := rapid.SampledFrom(append(slices.Clone(nextOfToken[c.carried(r).place]), "company-unit")).Draw(c.rt, "to")
			return r.HandOverToken(ctx, by, r.token, commands.HandOverToken{To: to, Seal: "S-2"})
		}},
		{name: "HandOverToken, anywhere", may: officers, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			return r.HandOverToken(ctx, by, r.token, commands.HandOverToken{To: c.anyPlace(), Seal: "S-3"})
		}},
		{name: "TakeToken, as it is", may: []string{carrier}, ask: take(true)},
		{name: "TakeToken, of a broken seal", may: []string{carrier}, ask: take(false)},
		{name: "DeliverToken, to an attorney", may: []string{companyOfficer}, ask: func(r *request, ctx context.Context, by commands.Caller) (commands.Receipt, error) {
			receipt, err := r.DeliverToken(ctx, by, r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard, Attorney: attorney})
			c.notes(err == nil, "an attorney")
			return receipt, err
		}},
	}
}
