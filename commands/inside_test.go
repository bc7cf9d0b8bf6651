package commands_test

import (
	"errors"
	"testing"
	"time"

	"govahi/commands"
	"govahi/commands/officertest"
	"govahi/domain/access"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/consignment"
	"govahi/domain/enrollment"
	"govahi/domain/office"
	"govahi/domain/token"
)

// The people and places of channel B, beside those of the house.
const (
	unitOfficer    = "9992020202" // research and technology unit of the company
	otherUnits     = "9992021217" // that of another company
	carrier        = "9992022221" // contracted authority
	companyOfficer = "9992023236" // the company's unit that hands tokens over
	company        = "10999001013"
)

// inside is a house with the places of channel B.
func inside(t *testing.T) *house {
	h := open(t)
	year := noon.AddDate(1, 0, 0)
	for code, p := range map[string]struct {
		sort    office.Sort
		company string
	}{
		"unit-b": {office.Research, company}, "unit-x": {office.Research, "10999002029"},
		"authority": {office.Authority, ""}, "company-unit": {office.CompanyUnit, company}, "company-x": {office.CompanyUnit, "10999002029"},
	} {
		h.did(h.OpenOffice(t.Context(), h.by(admin), commands.OpenOffice{Sort: p.sort, Code: code, Name: "نمونه", Province: "تهران", City: "تهران", Company: p.company}))
	}
	h.did(h.LicenseOffice(t.Context(), h.by(operator), "authority", commands.LicenseOffice{Number: "C-1", From: noon.AddDate(-1, 0, 0), Until: year}))
	h.appoint(unitOfficer, appointment.ResearchOfficer, "unit-b", year)
	h.appoint(otherUnits, appointment.ResearchOfficer, "unit-x", year)
	h.appoint(carrier, appointment.AuthorityOfficer, "authority", year)
	h.appoint(companyOfficer, appointment.UnitOfficer, "company-unit", year)
	h.did(h.ConcludeContract(h.t.Context(), h.by(manager), commands.ConcludeContract{Company: company, Number: "Q-1", Until: year}))
	return h
}

// draftInside opens a request of channel B and brings it to its unit.
func (h *house) draftInside(person string) *request {
	h.t.Helper()
	ctx := h.t.Context()
	r := h.did(h.OpenRequest(ctx, h.by(person), commands.OpenRequest{Channel: enrollment.Inside, CertificateType: "cpmis-signature"}))
	q := &request{house: h, code: r.Stream.ID(), of: person, token: "TOKEN" + r.Stream.ID()}
	h.did(h.CompleteForm(ctx, h.by(person), q.code, formOf(person)))
	h.settle()
	q.prove(q.now())
	h.did(h.SubmitToUnit(ctx, h.by(person), q.code, "unit-b"))
	h.settle()
	return q
}

func (r *request) approved() *request {
	r.t.Helper()
	r.did(r.VerifyDocuments(r.t.Context(), r.by(unitOfficer), r.code, originals))
	r.did(r.ApproveDossier(r.t.Context(), r.by(unitOfficer), r.code))
	return r
}

// shipped brings the dossiers from a place to the next, whole.
func (h *house) shipped(from, to, sender, receiver string, dossiers ...string) string {
	h.t.Helper()
	bag := h.did(h.DispatchConsignment(h.t.Context(), h.by(sender), commands.DispatchConsignment{From: from, To: to, Dossiers: dossiers, Seal: "S-1"})).Stream.ID()
	h.settle()
	h.did(h.ReceiveConsignment(h.t.Context(), h.by(receiver), bag, commands.ReceiveConsignment{Dossiers: dossiers, SealIntact: true}))
	h.settle()
	return bag
}

// atTheOffice brings it up the whole way.
func (r *request) atTheOffice() *request {
	r.t.Helper()
	r.approved()
	r.shipped("unit-b", "authority", unitOfficer, carrier, r.code)
	r.shipped("authority", "office-1", carrier, officer, r.code)
	return r
}

// readyForDispatch has the office issue the certificate and seal the token.
func (r *request) readyForDispatch() *request {
	r.t.Helper()
	ctx := r.t.Context()
	r.atTheOffice()
	r.did(r.VerifyDocuments(ctx, r.by(officer), r.code, commands.VerifyDocuments{Sighted: []enrollment.Document{enrollment.NationalCard}}))
	r.settle()
	return r.upTo(enrollment.StatusReadyForDispatch)
}

// leg is one hand-over and its receipt.
func (r *request) leg(to, sender, receiver string) {
	r.t.Helper()
	ctx := r.t.Context()
	r.did(r.HandOverToken(ctx, r.by(sender), r.token, commands.HandOverToken{To: to, Seal: "S-2"}))
	r.did(r.TakeToken(ctx, r.by(receiver), r.token, commands.TakeToken{SealIntact: true}))
	r.settle()
}

func (r *request) custody() token.Token {
	return state(r.house, token.Kind, token.Kind.Stream(r.token))
}

func (r *request) defineInside(by string) error {
	_, err := r.DefineAccess(r.t.Context(), r.by(by), commands.DefineAccess{
		TrackingCode: r.code, UserName: "nemune.inside", Level: access.Viewer, Fingerprint: r.now().Fingerprint, Unit: "unit-b",
	})
	return err
}

func (r *request) activation() []byte {
	der, err := r.certificate().Issued.Certificate.Open(r.t.Context(), r.keeper)
	if err != nil {
		r.t.Fatal(err)
	}
	return officertest.SignBy(der.DER, commands.ActivationStatement(r.code, r.now().Serial))
}

func TestTheInsideChannelFromTheFormToTheActiveUser(t *testing.T) {
	h := inside(t)
	r := h.draftInside(applicant).readyForDispatch()
	ctx := t.Context()
	r.refused(token.ErrNoPIN, func() error {
		_, err := r.HandOverToken(ctx, r.by(officer), r.token, commands.HandOverToken{To: "authority", Seal: "S-2"})
		return err
	})
	r.did(r.IssuePIN(ctx, r.by(officer), r.token, commands.IssuePIN{Envelope: "E-1", Via: token.Post}))
	for _, wrong := range []string{"unit-b", "company-unit", "office-2"} { // its origin and nowhere else, S1.21
		r.refused(commands.ErrWrongWay, func() error {
			_, err := r.HandOverToken(ctx, r.by(officer), r.token, commands.HandOverToken{To: wrong, Seal: "S-2"})
			return err
		})
	}
	r.leg("authority", officer, carrier)
	r.refused(access.ErrNotArrived, func() error { return r.defineInside(unitOfficer) })
	r.leg("unit-b", carrier, unitOfficer)
	r.refused(enrollment.WrongState(r.now(), enrollment.StatusReadyForDispatch, enrollment.StatusAtOrigin, enrollment.StatusAccessDefined), func() error {
		_, err := r.HandOverToken(ctx, r.by(unitOfficer), r.token, commands.HandOverToken{To: "company-unit", Seal: "S-3"})
		return err
	})
	if err := r.defineInside(unitOfficer); err != nil {
		t.Fatal(err)
	}
	r.settle()
	user := func() access.Access { return state(h, access.Kind, access.Kind.Stream("nemune.inside")) }
	if user().Active || r.now().Status != enrollment.StatusAccessDefined {
		t.Fatalf("defined before the delivery, the user is active: %v; the request is %s", user().Active, r.now().Status)
	}
	r.refused(commands.ErrWrongWay, func() error {
		_, err := r.HandOverToken(ctx, r.by(unitOfficer), r.token, commands.HandOverToken{To: "company-x", Seal: "S-3"})
		return err
	})
	r.leg("company-unit", unitOfficer, companyOfficer)
	r.did(r.DeliverToken(ctx, r.by(companyOfficer), r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard}))
	r.settle()
	r.refused(enrollment.ErrNotActivated, func() error { _, err := r.AcceptCertificate(ctx, r.by(applicant), r.code); return err })
	r.refused(token.ErrPINNotThere, func() error {
		_, err := r.ActivateToken(ctx, r.by(applicant), r.code, r.activation())
		return err
	})
	r.did(r.NotePIN(ctx, r.by(applicant), r.code))
	r.refused(officertest.ErrWrong, func() error {
		_, err := r.ActivateToken(ctx, r.by(applicant), r.code, officertest.Sign("67ff", commands.ActivationStatement(r.code, r.now().Serial)))
		return err
	})
	r.did(r.ActivateToken(ctx, r.by(applicant), r.code, r.activation()))
	r.did(r.AcceptCertificate(ctx, r.by(applicant), r.code))
	r.settle()
	if !user().Active || r.custody().Status != token.Activated || r.custody().Holder.Person != subject(applicant) {
		t.Errorf("the user is active: %v; the token %s with %v", user().Active, r.custody().Status, r.custody().Holder)
	}
	if got := r.custody().Route; len(got) != 4 {
		t.Errorf("the token went by %v", got)
	}
	r.did(r.RevokeCertificate(ctx, r.by(operator), r.now().Serial, certificate.AffiliationChanged))
	r.settle()
	if user().Active || r.custody().Status != token.StatusRecalled {
		t.Errorf("after the revocation the user is active: %v, the token %s", user().Active, r.custody().Status)
	}
}

func TestTheUnitOfTheApplicantsCompanyApprovesAndNeverItsOwn(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	r := h.draftInside(applicant)
	approve := func(by string) func() error {
		return func() error { _, err := r.ApproveDossier(ctx, r.by(by), r.code); return err }
	}
	r.refused(enrollment.ErrNotFound, approve(otherUnits))
	r.refused(enrollment.ErrNotFound, approve(officer))
	r.refused(commands.ErrNotOfUnit, approve(applicant))
	own := h.draftInside(unitOfficer)
	r.refused(enrollment.ErrOwnRequest, func() error { _, err := own.ApproveDossier(ctx, own.by(unitOfficer), own.code); return err })
	r.refused(enrollment.ErrNotSighted, approve(unitOfficer))
	r.approved()
	ready := h.did(h.OpenRequest(ctx, h.by(neighbour), commands.OpenRequest{Channel: enrollment.Inside, CertificateType: "cpmis-signature"})).Stream.ID()
	q := &request{house: h, code: ready, of: neighbour}
	h.did(h.CompleteForm(ctx, h.by(neighbour), ready, formOf(neighbour)))
	h.settle()
	q.prove(q.now())
	for unit, want := range map[string]error{"unit-x": commands.ErrOtherCompany, "nowhere": office.ErrNotFound, "office-1": office.ErrNotFound} {
		h.refused(want, func() error { _, err := h.SubmitToUnit(ctx, h.by(neighbour), ready, unit); return err })
	}
	h.refused(enrollment.ErrInside, func() error { _, err := h.SubmitRequest(ctx, h.by(neighbour), ready, "office-1"); return err })
}

func TestACountThatDiffersIsACase(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	a, b := h.draftInside(applicant).approved(), h.draftInside(neighbour).approved()
	bag := h.did(h.DispatchConsignment(ctx, h.by(unitOfficer), commands.DispatchConsignment{From: "unit-b", To: "authority", Dossiers: []string{a.code, b.code}, Seal: "S-1"})).Stream.ID()
	h.settle()
	if a.now().Status != enrollment.StatusInTransit || b.now().Status != enrollment.StatusInTransit {
		t.Fatalf("%s, %s", a.now().Status, b.now().Status)
	}
	h.refused(consignment.ErrNotFound, func() error {
		_, err := h.ReceiveConsignment(ctx, h.by(officer), bag, commands.ReceiveConsignment{Dossiers: []string{a.code}, SealIntact: true})
		return err
	})
	h.refused(commands.ErrNotReceiver, func() error {
		_, err := h.ReceiveConsignment(ctx, h.by(unitOfficer), bag, commands.ReceiveConsignment{Dossiers: []string{a.code}, SealIntact: true})
		return err
	})
	h.did(h.ReceiveConsignment(ctx, h.by(carrier), bag, commands.ReceiveConsignment{Dossiers: []string{a.code}, SealIntact: true}))
	h.settle()
	if a.now().Status != enrollment.StatusAtAuthority || b.now().Status != enrollment.StatusInTransit {
		t.Fatalf("%s, %s", a.now().Status, b.now().Status)
	}
	h.refused(enrollment.ErrDossierElsewhere, func() error {
		_, err := h.DispatchConsignment(ctx, h.by(carrier), commands.DispatchConsignment{From: "authority", To: "office-1", Dossiers: []string{a.code, b.code}, Seal: "S-2"})
		return err
	})
	resolve := commands.ResolveDiscrepancy{Lost: []string{b.code}, Cause: consignment.LostOnTheWay}
	h.refused(commands.ErrNotReceiver, func() error { _, err := h.ResolveDiscrepancy(ctx, h.by(unitOfficer), bag, resolve); return err })
	if by := consignment.Kind.Life[string(consignment.Discrepant)].Now[0].By; by.En != "receiver" || by.Fa != "گیرنده" { // as the door has it
		t.Errorf("a discrepancy is said to be resolved by %+v", by)
	}
	h.did(h.ResolveDiscrepancy(ctx, h.by(carrier), bag, resolve))
	h.settle()
	if b.now().Status != enrollment.StatusApproved {
		t.Fatalf("what was lost is %s", b.now().Status)
	}
	h.shipped("unit-b", "authority", unitOfficer, carrier, b.code)
	h.shipped("authority", "office-1", carrier, officer, a.code, b.code)
	if a.now().Status != enrollment.StatusUnderControl || a.now().Fee.Order == "" || b.now().Origin != "authority" {
		t.Errorf("%s; the origin is %q", a.now().Status, b.now().Origin)
	}
}

func TestAnAuthorityWithoutAContractCarriesNothing(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	r := h.draftInside(applicant).approved()
	h.did(h.LicenseOffice(ctx, h.by(operator), "authority", commands.LicenseOffice{Number: "C-2", From: noon.AddDate(-1, 0, 0), Until: noon}))
	send := func(to string) func() error {
		return func() error {
			_, err := h.DispatchConsignment(ctx, h.by(unitOfficer), commands.DispatchConsignment{From: "unit-b", To: to, Dossiers: []string{r.code}, Seal: "S-1"})
			return err
		}
	}
	h.refused(office.ErrUnlicensed, send("authority"))
	h.refused(office.ErrNotFound, send("office-1"))
	h.refused(office.ErrNotFound, send("nowhere"))
}

func TestNobodyCarriesHisOwnToken(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	r := h.draftInside(applicant).readyForDispatch()
	h.appoint(applicant, appointment.AuthorityOfficer, "authority", noon.AddDate(1, 0, 0))
	h.appoint(applicant, appointment.RegistrationOfficer, "office-1", noon.AddDate(1, 0, 0))
	issue := func(by string) error {
		_, err := r.IssuePIN(ctx, r.by(by), r.token, commands.IssuePIN{Envelope: "E-1", Via: token.Post})
		return err
	}
	hand := func(by, to string) error {
		_, err := r.HandOverToken(ctx, r.by(by), r.token, commands.HandOverToken{To: to, Seal: "S-2"})
		return err
	}
	take := func(by string) error {
		_, err := r.TakeToken(ctx, r.by(by), r.token, commands.TakeToken{SealIntact: true})
		return err
	}
	r.refused(enrollment.ErrOwnRequest, func() error { return issue(applicant) })
	if err := issue(officer); err != nil {
		t.Fatal(err)
	}
	r.refused(enrollment.ErrOwnRequest, func() error { return hand(applicant, "authority") })
	if err := hand(officer, "authority"); err != nil {
		t.Fatal(err)
	}
	r.refused(enrollment.ErrOwnRequest, func() error { return take(applicant) })
	if err := take(carrier); err != nil {
		t.Fatal(err)
	}
	r.refused(enrollment.ErrOwnRequest, func() error { return hand(applicant, "unit-b") })
}

func TestABrokenSealRevokes(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	r := h.draftInside(applicant).readyForDispatch()
	r.did(r.IssuePIN(ctx, r.by(officer), r.token, commands.IssuePIN{Envelope: "E-1", Via: token.Post}))
	r.did(r.HandOverToken(ctx, r.by(officer), r.token, commands.HandOverToken{To: "authority", Seal: "S-2"}))
	r.refused(token.ErrNotFound, func() error {
		_, err := r.TakeToken(ctx, r.by(companyOfficer), r.token, commands.TakeToken{SealIntact: true})
		return err
	})
	r.did(r.TakeToken(ctx, r.by(carrier), r.token, commands.TakeToken{}))
	r.settle()
	c := r.certificate()
	if c.Status != certificate.Withdrawn || c.Reason != certificate.KeyCompromise || r.now().Status != enrollment.StatusRevoked || r.custody().Status != token.Compromised {
		t.Errorf("the certificate is %s, %s; the request %s; the token %s", c.Status, c.Reason, r.now().Status, r.custody().Status)
	}
	r.did(r.ReturnToken(ctx, r.by(officer), r.token))
	r.did(r.DestroyToken(ctx, r.by(officer), r.token))
}

// TestARecalledTokenIsReceivedWhereItWasSent, so that somebody has it and can give
// it back.
func TestARecalledTokenIsReceivedWhereItWasSent(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	r := h.draftInside(applicant).readyForDispatch()
	r.did(r.IssuePIN(ctx, r.by(officer), r.token, envelope))
	r.did(r.HandOverToken(ctx, r.by(officer), r.token, toOrigin))
	r.did(r.RevokeCertificate(ctx, r.by(operator), r.now().Serial, certificate.AffiliationChanged))
	r.settle()
	h.clock.pass(7 * 24 * time.Hour)
	if err := h.WatchToken(ctx, commands.Caller{Policy: "watch"}, r.token); err != nil || len(h.all("token.alarm-raised.v1")) != 1 {
		t.Errorf("%d alarms: %v", len(h.all("token.alarm-raised.v1")), err)
	}
	r.did(r.TakeToken(ctx, r.by(carrier), r.token, commands.TakeToken{SealIntact: true}))
	r.settle()
	if s := r.custody(); s.Status != token.StatusRecalled || s.Holder.Place != "authority" || r.now().Status != enrollment.StatusRevoked {
		t.Errorf("the token is %s with %+v; the request is %s", s.Status, s.Holder, r.now().Status)
	}
	r.did(r.ReturnToken(ctx, r.by(officer), r.token))
}

// TestABrokenSealRevokesAfterTheReceiptToo, when a colleague of who received it
// sees it.
func TestABrokenSealRevokesAfterTheReceiptToo(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	h.appoint(neighbour, appointment.AuthorityOfficer, "authority", noon.AddDate(1, 0, 0))
	r := h.draftInside(applicant).readyForDispatch()
	r.did(r.IssuePIN(ctx, r.by(officer), r.token, envelope))
	r.leg("authority", officer, carrier)
	r.did(r.TakeToken(ctx, r.by(neighbour), r.token, commands.TakeToken{}))
	r.settle()
	if c := r.certificate(); c.Status != certificate.Withdrawn || c.Reason != certificate.KeyCompromise || r.custody().Status != token.Compromised {
		t.Errorf("the certificate is %s, %s; the token %s", c.Status, c.Reason, r.custody().Status)
	}
	r.refused(token.ErrReceived, func() error {
		_, err := r.TakeToken(ctx, r.by(carrier), r.token, commands.TakeToken{SealIntact: true})
		return err
	})
}

func TestTheEnvelopeNeverGoesWithTheToken(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	r := h.draftInside(applicant).readyForDispatch()
	via := func(way string) func() error {
		return func() error {
			_, err := r.IssuePIN(ctx, r.by(officer), r.token, commands.IssuePIN{Envelope: "E-1", Via: way})
			return err
		}
	}
	r.refused(office.ErrNotFound, via("nowhere"))
	for _, way := range []string{"office-1", "authority", "unit-b", "company-unit"} {
		r.refused(token.ErrPINTogether, via(way))
	}
	for _, way := range []string{"office-2", "company-x", token.Post} { // none of them is the token's
		if err := via(way)(); err != nil {
			t.Fatal(err)
		}
	}
	r.leg("authority", officer, carrier)
}

// TestAnOfficerOfTwoPlacesDoesNotHaveBoth: the envelope at one, the token at the
// other.
func TestAnOfficerOfTwoPlacesDoesNotHaveBoth(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	h.appoint(elsewhere, appointment.AuthorityOfficer, "authority", noon.AddDate(1, 0, 0)) // and of office-2
	r := h.draftInside(applicant).readyForDispatch()
	r.did(r.IssuePIN(ctx, r.by(officer), r.token, commands.IssuePIN{Envelope: "E-1", Via: "office-2"}))
	r.did(r.HandOverToken(ctx, r.by(officer), r.token, toOrigin))
	take := func(by string) func() error {
		return func() error {
			_, err := r.TakeToken(ctx, r.by(by), r.token, commands.TakeToken{SealIntact: true})
			return err
		}
	}
	r.refused(commands.ErrCarriesPIN, take(elsewhere))
	if err := take(carrier)(); err != nil {
		t.Error(err)
	}
}

// TestWhoBecomesThePINsCarrierHandsNothingOn: he had the token before the envelope
// came to a place of his.
func TestWhoBecomesThePINsCarrierHandsNothingOn(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	h.appoint(neighbour, appointment.AuthorityOfficer, "authority", noon.AddDate(1, 0, 0))
	r := h.draftInside(applicant).readyForDispatch()
	r.did(r.IssuePIN(ctx, r.by(officer), r.token, commands.IssuePIN{Envelope: "E-1", Via: "office-2"}))
	r.leg("authority", officer, carrier)
	h.appoint(carrier, appointment.RegistrationOfficer, "office-2", noon.AddDate(1, 0, 0))
	hand := func(by string) func() error {
		return func() error {
			_, err := r.HandOverToken(ctx, r.by(by), r.token, commands.HandOverToken{To: "unit-b", Seal: "S-2"})
			return err
		}
	}
	r.refused(commands.ErrCarriesPIN, hand(carrier))
	if err := hand(neighbour)(); err != nil {
		t.Error(err)
	}
}

// TestThePINsCarrierDeliversNothing that a colleague has received.
func TestThePINsCarrierDeliversNothing(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	h.appoint(elsewhere, appointment.UnitOfficer, "company-unit", noon.AddDate(1, 0, 0)) // and of office-2
	r := h.draftInside(applicant).readyForDispatch()
	r.did(r.IssuePIN(ctx, r.by(officer), r.token, commands.IssuePIN{Envelope: "E-1", Via: "office-2"}))
	r.leg("authority", officer, carrier)
	r.leg("unit-b", carrier, unitOfficer)
	if err := r.defineInside(unitOfficer); err != nil {
		t.Fatal(err)
	}
	r.settle()
	r.leg("company-unit", unitOfficer, companyOfficer)
	deliver := func(by string) func() error {
		return func() error {
			_, err := r.DeliverToken(ctx, r.by(by), r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard})
			return err
		}
	}
	r.refused(commands.ErrCarriesPIN, deliver(elsewhere))
	if err := deliver(companyOfficer)(); err != nil {
		t.Error(err)
	}
}

// TestNoEnvelopeGoesToWhoHadTheToken, though his other place never has it.
func TestNoEnvelopeGoesToWhoHadTheToken(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	h.appoint(elsewhere, appointment.AuthorityOfficer, "authority", noon.AddDate(1, 0, 0)) // and of office-2
	r := h.draftInside(applicant).readyForDispatch()
	r.did(r.IssuePIN(ctx, r.by(officer), r.token, commands.IssuePIN{Envelope: "E-1", Via: token.Post}))
	r.leg("authority", officer, elsewhere)
	via := func(way string) func() error {
		return func() error {
			_, err := r.IssuePIN(ctx, r.by(officer), r.token, commands.IssuePIN{Envelope: "E-2", Via: way})
			return err
		}
	}
	r.refused(token.ErrPINTogether, via("office-2"))
	if err := via("company-x")(); err != nil {
		t.Error(err)
	}
}

// TestTheDeskOfAnOfficeDelivers what it made, key and PIN: the envelope went by
// nobody in between.
func TestTheDeskOfAnOfficeDelivers(t *testing.T) {
	for _, way := range []string{token.Post, "office-2"} {
		h := inside(t)
		r := h.draft(applicant).upTo(enrollment.StatusReadyForDelivery)
		r.did(r.IssuePIN(t.Context(), r.by(officer), r.token, commands.IssuePIN{Envelope: "E-1", Via: way}))
		r.did(r.DeliverToken(t.Context(), r.by(officer), r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard}))
	}
}

// TestATokenDoesNotOutrunItsRequest: until the request knows where the token is,
// it goes nowhere from there; it would come to where nobody may hand it over.
func TestATokenDoesNotOutrunItsRequest(t *testing.T) {
	h := inside(t)
	h.did(h.OpenOffice(t.Context(), h.by(admin), commands.OpenOffice{Sort: office.CompanyUnit, Code: "company-unit-2", Name: "نمونه", Province: "تهران", City: "تهران", Company: company}))
	ctx := t.Context()
	r := h.draftInside(applicant).readyForDispatch()
	r.did(r.IssuePIN(ctx, r.by(officer), r.token, commands.IssuePIN{Envelope: "E-1", Via: token.Post}))
	hand := func(by, to string) func() error {
		return func() error {
			_, err := r.HandOverToken(ctx, r.by(by), r.token, commands.HandOverToken{To: to, Seal: "S-2"})
			return err
		}
	}
	take := func(by string) {
		r.did(r.TakeToken(ctx, r.by(by), r.token, commands.TakeToken{SealIntact: true}))
	}
	if err := hand(officer, "authority")(); err != nil {
		t.Fatal(err)
	}
	take(carrier)
	r.refused(commands.ErrWrongWay, hand(carrier, "authority")) // before the policy
	h.settle()
	r.leg("unit-b", carrier, unitOfficer)
	if err := r.defineInside(unitOfficer); err != nil {
		t.Fatal(err)
	}
	h.settle()
	if err := hand(unitOfficer, "company-unit")(); err != nil {
		t.Fatal(err)
	}
	take(companyOfficer)
	r.refused(commands.ErrWrongWay, hand(companyOfficer, "company-unit-2"))
	h.settle()
	r.did(r.DeliverToken(ctx, r.by(companyOfficer), r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard}))
}

// TestNobodyHasThePINForTheApplicant: that his envelope came is his own word, not
// that of the officer who opened the request for him and has his token.
func TestNobodyHasThePINForTheApplicant(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	in := outside
	in.Office = "office-1"
	code := h.did(h.OpenRequest(ctx, h.by(officer), in)).Stream.ID()
	r := &request{house: h, code: code, of: applicant, token: "TOKEN" + code}
	r.did(r.CompleteForm(ctx, r.by(officer), code, formOf(applicant)))
	h.settle()
	r.upTo(enrollment.StatusReadyForDelivery)
	r.did(r.IssuePIN(ctx, r.by(officer), r.token, envelope))
	r.refused(enrollment.ErrNotYours, func() error { _, err := r.NotePIN(ctx, r.by(officer), code); return err })
	r.did(r.NotePIN(ctx, r.by(applicant), code))
}

func TestWhatIsOverdueRaisesAnAlarmAndIsRevoked(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		to     func(*request)
		alarm  time.Duration
		end    time.Duration
		reason certificate.Reason
	}{
		"no receipt": {func(r *request) {
			r.did(r.IssuePIN(r.t.Context(), r.by(officer), r.token, commands.IssuePIN{Envelope: "E-1", Via: token.Post}))
			r.did(r.HandOverToken(r.t.Context(), r.by(officer), r.token, commands.HandOverToken{To: "authority", Seal: "S-2"}))
		}, 7 * day, 21 * day, certificate.KeyCompromise},
		"not delivered": {func(*request) {}, 30 * day, 60 * day, certificate.CessationOfOperation},
	} {
		t.Run(name, func(t *testing.T) {
			h := inside(t)
			r := h.draftInside(applicant).readyForDispatch()
			c.to(r)
			watch := func() {
				t.Helper()
				if err := h.WatchToken(t.Context(), commands.Caller{Policy: "watch"}, r.token); err != nil {
					t.Fatal(err)
				}
				h.settle()
			}
			h.clock.pass(c.alarm)
			watch()
			watch()
			if n := len(h.all("token.alarm-raised.v1")); n != 1 || r.certificate().Status != certificate.Valid {
				t.Fatalf("%d alarms; the certificate is %s", n, r.certificate().Status)
			}
			h.clock.pass(c.end - c.alarm)
			watch()
			watch()
			if s := r.certificate(); s.Status != certificate.Withdrawn || s.Reason != c.reason {
				t.Errorf("the certificate is %s, %s", s.Status, s.Reason)
			}
		})
	}
}

func TestALostTokenIsItsHoldersToReport(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	r := h.draft(applicant).upTo(enrollment.StatusAccepted)
	lose := func(by string) func() error {
		return func() error { _, err := r.ReportTokenLost(ctx, r.by(by), r.token); return err }
	}
	r.refused(token.ErrNotFound, lose(stranger))
	r.refused(token.ErrNotFound, lose(carrier))
	r.refused(commands.ErrNotTokenHolder, lose(manager))
	if err := lose(applicant)(); err != nil {
		t.Fatal(err)
	}
	r.settle()
	if s := r.certificate(); s.Status != certificate.Withdrawn || s.Reason != certificate.KeyCompromise {
		t.Errorf("the certificate is %s, %s", s.Status, s.Reason)
	}
}

func TestATokenThatIsGoneIsNotDelivered(t *testing.T) {
	h := inside(t)
	r := h.draft(applicant).upTo(enrollment.StatusReadyForDelivery)
	r.did(r.ReportTokenDefective(t.Context(), r.by(officer), r.token))
	if _, err := r.DeliverToken(t.Context(), r.by(officer), r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard}); !errors.Is(err, token.ErrNotHere) {
		t.Errorf("delivered: %v", err)
	}
}

func TestALawfulAttorneyReceivesAndIsMarked(t *testing.T) {
	h := inside(t)
	r := h.draft(applicant).upTo(enrollment.StatusReadyForDelivery)
	attorney := &commands.AttorneyInput{Name: "وکیل نمونه", Power: "۱۲۳/۴", Date: "1405/07/01", Notary: "دفترخانهٔ نمونه"}
	wrong := *attorney
	wrong.Date = "1410/01/01"
	if _, err := r.DeliverToken(t.Context(), r.by(officer), r.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard, Attorney: &wrong}); err == nil {
		t.Error("a power of attorney from the future")
	}
	received := commands.DeliverToken{IdentityChecked: enrollment.NationalCard, Attorney: attorney}
	r.did(r.DeliverToken(t.Context(), r.by(officer), r.code, received))
	r.did(r.DeliverToken(t.Context(), r.by(second), r.code, received))
	other := *attorney
	other.Power = "۱۲۳/۵"
	for _, in := range []commands.DeliverToken{{IdentityChecked: enrollment.NationalCard}, {IdentityChecked: enrollment.Passport, Attorney: attorney}, {IdentityChecked: enrollment.NationalCard, Attorney: &other}} {
		r.refused(enrollment.ErrDelivered, func() error { _, err := r.DeliverToken(t.Context(), r.by(officer), r.code, in); return err })
	}
	for _, e := range r.stream(r.request()) {
		is, err := enrollment.Catalog.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := is.(enrollment.Delivered); ok {
			if p, err := d.Attorney.Open(t.Context(), h.keeper); err != nil || p.Power != "۱۲۳/۴" {
				t.Errorf("%+v, %v", p, err)
			}
		}
	}
}
