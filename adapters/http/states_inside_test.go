package http

import (
	"slices"
	"strings"
	"testing"

	"govahi/domain/consignment"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/token"
)

// momentsInside are those of the story of channel B, in its order; the last two
// are the end of a token that was lost on its way.
var momentsInside = []string{
	"draft", "completed", "proved", "ready", "at-research-unit", "sighted", "approved", "dispatched", "discrepant", "at-authority", "dispatched on",
	"at-office", "under-control", "controlled", "confirmed", "stocked", "reserved", "issued", "on-token", "ready-for-dispatch", "pin issued",
	"in transit", "at-origin", "in transit on", "back-at-unit", "access-defined", "in transit to the company", "at-company-unit", "delivered",
	"pin there", "activated", "accepted", "lost", "returned",
}

// moments lists those of the story from one to another.
func moments(first, last string) []string {
	all := momentsInside
	return slices.Clone(all[slices.Index(all, first) : slices.Index(all, last)+1])
}

func but(all []string, not ...string) []string {
	return slices.DeleteFunc(all, func(m string) bool { return slices.Contains(not, m) })
}

// operationInside is an operation of channel B, who asks for it, and the moments
// at which he is let in, or has done it already.
type operationInside struct {
	id, persona, path string
	body              any
	in                []string
}

func (p *prepared) operationsInside() []operationInside {
	token, code := "/tokens/TOKEN1/", "/requests/"+p.code+"/"
	return []operationInside{
		{"complete-form", "applicant", code + "form", form(), moments("draft", "ready")},
		{"submit-request", "applicant", code + "submission", map[string]string{"unit": "unit-b"}, moments("ready", "ready")},
		{"withdraw-request", "applicant", code + "withdrawal", nil, moments("draft", "reserved")},
		{"verify-documents", companyRT, code + "documents", originals(), moments("at-research-unit", "sighted")},
		{"approve-dossier", companyRT, code + "approval", nil, moments("sighted", "approved")},
		{"return-dossier", companyRT, code + "return", map[string]any{"fields": []string{"post"}}, moments("at-research-unit", "sighted")},
		{"dispatch-consignment", companyRT, "/consignments", p.toAuthority(), moments("approved", "approved")},
		{"dispatch-consignment, on", carrier, "/consignments", map[string]any{"from": "authority", "to": "office-1", "dossiers": []string{p.code}, "seal": "S-2"}, moments("at-authority", "at-authority")},
		{"receive-consignment", carrier, "/consignments/" + p.bag + "/receipt", counted(p.code), but(moments("dispatched", "returned"), "discrepant")},
		{"resolve-discrepancy", carrier, "/consignments/" + p.bag + "/resolution", map[string]any{"lost": []string{p.code}, "cause": "lost-on-the-way"}, moments("discrepant", "discrepant")},
		{"verify-documents, at the office", "officer-1", code + "documents", map[string]any{"sighted": []string{"national-card"}}, moments("at-office", "reserved")},
		{"settle-by-contract", "officer-1", code + "contract-payment", map[string]any{"amountRial": 1_500_000}, but(moments("at-office", "returned"), "at-company-unit")},
		{"confirm-information", "officer-2", code + "confirmation", p.record, moments("under-control", "reserved")},
		{"reserve-token", "officer-1", code + "token", map[string]string{"token": "TOKEN1"}, moments("stocked", "reserved")},
		{"issue-certificate", "officer-1", code + "issuance", map[string]string{"token": "TOKEN1", "csr": newCSR(p.t)}, moments("reserved", "reserved")},
		{"personalise-token", "officer-1", code + "personalisation", p.readBack(), but(moments("issued", "returned"), "at-company-unit")},
		{"print-sheet", "officer-1", code + "sheet", nil, append(moments("issued", "in transit"), moments("delivered", "accepted")...)},
		{"issue-pin", "officer-1", token + "pin", byPost(), moments("on-token", "returned")},
		{"hand-over-token, to the origin", "officer-1", token + "hand-over", sealedTo("authority"), moments("pin issued", "in transit")},
		{"hand-over-token, to the unit", carrier, token + "hand-over", sealedTo("unit-b"), moments("at-origin", "in transit on")},
		{"hand-over-token, to the company", companyRT, token + "hand-over", sealedTo("unit-c"), moments("access-defined", "in transit to the company")},
		{"take-token, at the origin", carrier, token + "receipt", whole(), append(moments("in transit", "at-origin"), "lost")},
		{"take-token, at the unit", companyRT, token + "receipt", whole(), moments("in transit on", "access-defined")},
		{"take-token, at the company", companyUnit, token + "receipt", whole(), moments("in transit to the company", "at-company-unit")},
		{"define-access", companyRT, "/accesses", p.accessInside(), moments("back-at-unit", "accepted")},
		{"deliver-token", companyUnit, code + "delivery", map[string]string{"identityChecked": "national-card"}, moments("at-company-unit", "at-company-unit")},
		{"note-pin", "applicant", code + "pin", nil, moments("pin issued", "accepted")},
		{"activate-token", "applicant", code + "activation", map[string]string{"signature": p.activation()}, moments("pin there", "accepted")},
		{"accept-certificate", "applicant", code + "acceptance", nil, moments("activated", "accepted")},
		{"report-token-lost", "officer-1", token + "loss", nil, moments("stocked", "lost")},
		{"return-token", "officer-1", token + "return", nil, moments("lost", "returned")},
		{"destroy-token", "officer-1", token + "destruction", nil, moments("returned", "returned")},
	}
}

// TestEachOperationAtEachMomentInside asks for every operation of channel B at
// every moment of its story: who comes out of order is refused in both languages
// and told where the thing stands and what is possible, and nothing is stored.
func TestEachOperationAtEachMomentInside(t *testing.T) {
	t.Parallel()
	p := prepareInside(t)
	for _, o := range p.operationsInside() {
		var in []string
		for _, moment := range momentsInside {
			p.back(moment)
			if a := p.postIn("fa", o.persona, o.path, o.body); a.StatusCode/100 == 2 {
				in = append(in, moment)
				continue
			}
			p.back(moment)
			p.refusesOutOfOrder(o, moment)
		}
		if !slices.Equal(in, o.in) {
			t.Errorf("%s is let in at %q, and not at %q", o.id, in, o.in)
		}
	}
}

func (p *prepared) refusesOutOfOrder(o operationInside, moment string) {
	p.t.Helper()
	before := p.head()
	fa, en := p.postIn("fa", o.persona, o.path, o.body).problem(p.t), p.postIn("en", o.persona, o.path, o.body).problem(p.t)
	if p.head() != before {
		p.t.Errorf("%s at %s was refused and still left events", o.id, moment)
	}
	hides := fa.Status == 403 || fa.Status == 404
	if fa.Status != en.Status || fa.Code != en.Code || fa.Detail == en.Detail || fa.Status != 409 && !hides {
		p.t.Errorf("%s at %s: %d %s %q, %q", o.id, moment, fa.Status, fa.Code, fa.Detail, en.Detail)
	}
	if hides || fa.Code == enrollment.ErrDossierElsewhere.Code { // its own words name the remedy
		return
	}
	if !slices.ContainsFunc(p.standings(), func(s event.State) bool {
		possible := s.Possible()
		return strings.HasSuffix(fa.Detail, "«"+s.Name.Fa+"». "+possible.Fa) && strings.HasSuffix(en.Detail, " "+s.Name.En+". "+possible.En)
	}) {
		p.t.Errorf("%s at %s is not told what is possible: %s %q, %q", o.id, moment, fa.Code, fa.Detail, en.Detail)
	}
}

// standings are where the request stands now, its token and its bag.
func (p *prepared) standings() []event.State {
	return []event.State{
		enrollment.Kind.Life[string(folded(p, enrollment.Kind, p.code).Status)],
		token.Kind.Life[string(folded(p, token.Kind, "TOKEN1").Status)],
		consignment.Kind.Life[string(folded(p, consignment.Kind, p.bag).Status)],
	}
}

func folded[S any](p *prepared, kind event.Kind[S], id string) (state S) {
	p.t.Helper()
	for r, err := range p.log.Read(p.t.Context(), kind.Stream(id), 0) {
		if err != nil {
			p.t.Fatal(err)
		}
		e, err := kind.Catalog.Open(r)
		if err != nil {
			p.t.Fatal(err)
		}
		state = kind.Evolve(state, e)
	}
	return state
}
