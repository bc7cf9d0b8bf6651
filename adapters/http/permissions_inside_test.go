package http

import (
	"encoding/base64"
	"testing"

	"govahi/commands"
	"govahi/commands/officertest"
)

// prepareInside tells the story of one certificate of channel B (S1.18–S1.24),
// and keeps each moment of it.
func prepareInside(t *testing.T) *prepared {
	t.Helper()
	l := bare(t)
	p := &prepared{life: l, chapters: map[string]chapter{}}
	l.open(t, House{})
	l.settled()
	l.formerly()
	p.done("manager", "/contracts", map[string]any{"company": company, "number": "Q-1", "until": now().AddDate(1, 0, 0)})
	p.toTheUnit()
	p.up()
	p.madeInside()
	p.down()
	return p
}

// toTheUnit is the applicant's part.
func (p *prepared) toTheUnit() {
	p.t.Helper()
	var opened TrackingCode
	p.does("draft", "applicant", "/requests", map[string]string{"channel": "inside", "certificateType": "cpmis-signature"}).json(p.t, &opened)
	p.code = opened.TrackingCode
	p.does("completed", "applicant", "/requests/{code}/form", form())
	p.does("proved", "applicant", "/requests/{code}/email-confirmation", p.emailCode())
	p.does("ready", "applicant", "/requests/{code}/liability", notice())
	p.does("at-research-unit", "applicant", "/requests/{code}/submission", map[string]string{"unit": "unit-b"})
}

// up is the way of the papers, and a bag of which nothing came.
func (p *prepared) up() {
	p.t.Helper()
	p.does("sighted", companyRT, "/requests/{code}/documents", originals())
	p.does("approved", companyRT, "/requests/{code}/approval", nil)
	p.sends("dispatched", companyRT, p.toAuthority())
	p.does("discrepant", carrier, "/consignments/"+p.bag+"/receipt", counted())
	p.back("dispatched")
	p.does("at-authority", carrier, "/consignments/"+p.bag+"/receipt", counted(p.code))
	sent := p.bag
	p.sends("dispatched on", carrier, map[string]any{"from": "authority", "to": "office-1", "dossiers": []string{p.code}, "seal": "S-2"})
	p.does("at-office", "officer-1", "/consignments/"+p.bag+"/receipt", counted(p.code))
	p.bag = sent
}

func (p *prepared) sends(then, persona string, bag map[string]any) {
	p.t.Helper()
	var sent ConsignmentNumber
	p.does(then, persona, "/consignments", bag).json(p.t, &sent)
	p.bag = sent.Number
}

func (p *prepared) toAuthority() map[string]any {
	return map[string]any{"from": "unit-b", "to": "authority", "dossiers": []string{p.code}, "seal": "S-1"}
}

func counted(found ...string) map[string]any {
	return map[string]any{"dossiers": append([]string{}, found...), "sealIntact": true}
}

// madeInside is the office's part, to a token that is ready to go down.
func (p *prepared) madeInside() {
	p.t.Helper()
	p.does("under-control", "officer-1", "/requests/{code}/documents", map[string]any{"sighted": []string{"national-card"}})
	p.does("controlled", "officer-1", "/requests/{code}/contract-payment", map[string]any{"amountRial": 1_500_000})
	var review commands.Review
	p.get("officer-2", "/requests/"+p.code+"/record").json(p.t, &review)
	p.record = confirming("officer-2", review)
	p.does("confirmed", "officer-2", "/requests/{code}/confirmation", p.record)
	p.does("stocked", "officer-1", "/tokens", blank("TOKEN1"))
	p.does("reserved", "officer-1", "/requests/{code}/token", map[string]string{"token": "TOKEN1"})
	p.does("issued", "officer-1", "/requests/{code}/issuance", map[string]string{"token": "TOKEN1", "csr": newCSR(p.t)})
	p.get("officer-1", "/requests/"+p.code+"/record").json(p.t, &review)
	held, err := p.app.StatusOf(p.t.Context(), review.Serial)
	if err != nil {
		p.t.Fatal(err)
	}
	p.serial, p.fingerprint = review.Serial, held.Issued.Fingerprint
	p.does("on-token", "officer-1", "/requests/{code}/personalisation", p.readBack())
	p.does("ready-for-dispatch", "officer-1", "/requests/{code}/sheet", nil)
}

// down is the way of the token to its holder, and the end of one that was lost.
func (p *prepared) down() {
	p.t.Helper()
	p.does("pin issued", "officer-1", "/tokens/TOKEN1/pin", byPost())
	p.does("in transit", "officer-1", "/tokens/TOKEN1/hand-over", sealedTo("authority"))
	p.does("at-origin", carrier, "/tokens/TOKEN1/receipt", whole())
	p.does("in transit on", carrier, "/tokens/TOKEN1/hand-over", sealedTo("unit-b"))
	p.does("back-at-unit", companyRT, "/tokens/TOKEN1/receipt", whole())
	p.does("access-defined", companyRT, "/accesses", p.accessInside())
	p.does("in transit to the company", companyRT, "/tokens/TOKEN1/hand-over", sealedTo("unit-c"))
	p.does("at-company-unit", companyUnit, "/tokens/TOKEN1/receipt", whole())
	p.does("delivered", companyUnit, "/requests/{code}/delivery", map[string]string{"identityChecked": "national-card"})
	p.does("pin there", "applicant", "/requests/{code}/pin", nil)
	signature := map[string]string{"signature": p.activation()}
	p.does("activated", "applicant", "/requests/{code}/activation", signature)
	p.does("accepted", "applicant", "/requests/{code}/acceptance", nil)
	p.back("in transit")
	p.does("lost", "officer-1", "/tokens/TOKEN1/loss", nil)
	p.does("returned", "officer-1", "/tokens/TOKEN1/return", nil)
}

func (p *prepared) accessInside() map[string]string {
	access := p.access()
	access["unit"] = "unit-b"
	return access
}

func byPost() map[string]string { return map[string]string{"envelope": "E-1", "via": "post"} }

func sealedTo(place string) map[string]string { return map[string]string{"to": place, "seal": "S-3"} }

func whole() map[string]bool { return map[string]bool{"sealIntact": true} }

// dueInside is every command of channel B with its moment.
func (p *prepared) dueInside() map[string]ripe {
	return map[string]ripe{
		"approve-dossier":        when("sighted", nil),
		"return-dossier":         when("at-research-unit", map[string]any{"fields": []string{"post"}}),
		"dispatch-consignment":   when("approved", p.toAuthority()),
		"receive-consignment":    when("dispatched", counted(p.code)),
		"resolve-discrepancy":    when("discrepant", map[string]any{"lost": []string{p.code}, "cause": "lost-on-the-way"}),
		"issue-pin":              when("ready-for-dispatch", byPost()),
		"hand-over-token":        when("pin issued", sealedTo("authority")),
		"take-token":             when("in transit", whole()),
		"note-pin":               when("delivered", nil),
		"activate-token":         when("pin there", map[string]string{"signature": p.activation()}),
		"report-token-lost":      when("delivered", nil),
		"report-token-defective": when("delivered", nil),
		"return-token":           when("lost", nil),
		"destroy-token":          when("returned", nil),
	}
}

// activation is the statement, signed by the certificate on the token.
func (p *prepared) activation() string {
	p.t.Helper()
	p.back("pin there")
	held, err := p.app.StatusOf(p.t.Context(), p.serial)
	if err != nil {
		p.t.Fatal(err)
	}
	der, err := held.Issued.Certificate.Open(p.t.Context(), p.app.Keeper)
	if err != nil {
		p.t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(officertest.SignBy(der.DER, commands.ActivationStatement(p.code, p.serial)))
}
