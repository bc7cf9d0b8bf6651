package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	pkiprofiles "govahi/adapters/pki/profiles"
	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/commands/officertest"
	"govahi/commands/policies"
	"govahi/domain/access"
	"govahi/domain/appointment"
	"govahi/domain/audit"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/event/spec"
	"govahi/domain/fault"
	"govahi/domain/fee"
	"govahi/domain/inquiry"
	"govahi/domain/issuer"
	"govahi/domain/limit"
	"govahi/domain/office"
	"govahi/domain/payment"
	certprofile "govahi/domain/profile"
	"govahi/projections"
)

// A tale is what many people did in a house, in any order, by the real commands
// and policies on a log in memory. The world outside, the issuing CA among it,
// is made of paper, and every answer of it is drawn. Who may do what is of no
// interest here: a refusal is no fault, it only leaves nothing to tell.

// tale is one that is being told.
type tale struct {
	keeper *spec.Keeper
	*commands.App
	*rapid.T
	log       *memlog.Log
	ctx       context.Context
	clock     time.Time
	people    map[string]int // how often a code's person was erased
	publisher *commands.Publisher
	affairs   []*affair
	keys      int
	heard     event.Position // by the policies
}

// affair is a request on its way.
type affair struct {
	by, person, code, token string
	key                     string   // of the token
	inside                  bool     // channel B
	next                    *affair  // that follows its certificate
	attempts                []string // to pay online
}

// Those who act, by their codes; the others are whoever comes.
const (
	admin, manager, operator = "9992001011", "9992002026", "9992004045"
	officer, second          = "9992005051", "9992006064"
	research                 = "9992008083"

	unitOfficer, carrier, companyOfficer = "9992020202", "9992022221", "9992023236" // of channel B
)

// company is that of channel B's unit.
const company = "10999001013"

var visitors = []string{"9992009098", "9992010101", "9992011114", "9992012129", "9992013133", "9992003030"}

// taleOf lets so much happen, and returns the log.
func taleOf(t *testing.T, rt *rapid.T, acts int) []event.Recorded {
	s := &tale{T: rt, log: memlog.New(), ctx: t.Context(), people: map[string]int{}}
	s.clock = time.Date(2026, time.November, 1, 8, 30, 0, 123456789, time.UTC)
	keeper := spec.NewKeeper()
	s.keeper = keeper
	s.App = &commands.App{
		Log: s.log, Standing: commands.NewStanding(s.log), Keeper: keeper, People: s, Secrets: openSecrets{}, Authority: paper{s}, Signer: paper{s}, Signatures: officertest.Signatures{}, Registry: s,
		CodeLimit: limit.Rule{}, Terms: commands.DefaultTerms(), Clock: func() time.Time { return s.clock }, Handler: "handler", Step: func(string) {},
	}
	s.Gateways = commands.Gateways{Look: 20 * time.Second, End: 3 * time.Minute, Named: map[string]commands.Gateway{
		"bank1": tillOf{s, false}, "bank2": tillOf{s, true},
	}}
	s.publisher = commands.NewPublisher(s.App, commands.Publishing{
		Authority: paper{s}, Signer: paper{s}, Shelf: memlog.NewShelf(), Checker: paper{s},
	})
	s.found()
	for range acts {
		s.something(keeper)
	}
	s.settle(keeper)
	all, err := event.ReadBatch(s.ctx, s.log, 0, 1<<30)
	s.must(err)
	return all
}

func (s *tale) must(err error) {
	if err != nil {
		s.Fatal(err)
	}
}

// found is how the house begins.
func (s *tale) found() {
	_, err := s.Bootstrap(s.ctx, admin)
	s.must(err)
	for _, code := range []string{"office-1", "office-2"} {
		s.asked(s.OpenOffice(s.ctx, s.as(admin), place(office.Registration, code)))
	}
	s.asked(s.OpenOffice(s.ctx, s.as(admin), place(office.Research, "unit-1")))
	s.asked(s.OpenOffice(s.ctx, s.as(admin), place(office.Authority, "authority")))
	for code, sort := range map[string]office.Sort{"unit-b": office.Research, "unit-c": office.CompanyUnit} {
		in := place(sort, code)
		in.Company = company
		s.asked(s.OpenOffice(s.ctx, s.as(admin), in))
	}
	for _, p := range []struct {
		who   string
		role  appointment.Role
		place string
	}{
		{manager, appointment.Manager, ""},
		{operator, appointment.CAOperator, ""},
		{officer, appointment.RegistrationOfficer, "office-1"},
		{second, appointment.RegistrationOfficer, "office-1"},
		{research, appointment.ResearchOfficer, "unit-1"},
		{unitOfficer, appointment.ResearchOfficer, "unit-b"},
		{carrier, appointment.AuthorityOfficer, "authority"},
		{companyOfficer, appointment.UnitOfficer, "unit-c"},
	} {
		s.asked(s.Appoint(s.ctx, s.as(admin), commands.Appoint{PersonCode: p.who, Role: p.role, Place: p.place, Until: s.clock.AddDate(2, 0, 0)}))
	}
	s.asked(s.PublishTariff(s.ctx, s.as(manager), s.price()))
	for _, licensed := range []string{"office-1", "authority"} {
		s.asked(s.LicenseOffice(s.ctx, s.as(operator), licensed, commands.LicenseOffice{Number: "P-1", From: s.clock, Until: s.clock.AddDate(2, 0, 0)}))
	}
	s.must(officertest.Certify(s.ctx, s.log, s.Keeper, s.person(second), s.clock))
	s.begin()
}

func place(sort office.Sort, code string) commands.OpenOffice {
	return commands.OpenOffice{Sort: sort, Code: code, Name: "دفتر " + code, Province: "تهران", City: "ری"}
}

func (s *tale) price() commands.PublishTariff {
	return commands.PublishTariff{Product: "cpmis-signature", TokenRial: 1_000_000, IssuanceRial: 500_000, ValidFrom: s.clock}
}

// as is somebody with a new key.
func (s *tale) as(code string) commands.Caller {
	s.keys++
	return commands.Caller{Person: s.person(code), Key: fmt.Sprintf("key-%d", s.keys)}
}

// asked looks at an answer: it may be a refusal, but not a fault of ours.
func (s *tale) asked(_ commands.Receipt, err error) { s.refused(err) }

func (s *tale) refused(err error) (unavailable bool) {
	f, refused := fault.Of(err)
	if err != nil && (!refused || f.Kind == fault.Internal) {
		s.Fatalf("the tale breaks off: %v", err)
	}
	return refused && f.Kind == fault.Unavailable
}

// evenly draws below n: rapid itself is fond of small numbers, and then nobody
// ever comes far.
func evenly(t *rapid.T, n int, of string) int {
	return rapid.Custom(func(t *rapid.T) int {
		drawn := 0
		for bit := 1; bit < 4*n; bit *= 2 {
			if rapid.Bool().Draw(t, "bit") {
				drawn += bit
			}
		}
		return drawn % n
	}).Draw(t, of)
}

func pick[T any](t *rapid.T, of string, from ...T) T { return from[evenly(t, len(from), of)] }

func chance(t *rapid.T, percent int, of string) bool { return evenly(t, 100, of) >= 100-percent }

func (s *tale) chance(percent int, of string) bool { return chance(s.T, percent, of) }

func (s *tale) one(of string, from ...string) string { return pick(s.T, of, from...) }

// something is, more often than not, what brings a request further.
func (s *tale) something(keeper *spec.Keeper) {
	s.clock = s.clock.Add(time.Duration(1+evenly(s.T, 90_000_000, "µs")) * time.Microsecond)
	late := s.affairs[max(0, len(s.affairs)-4):] // the others are forgotten
	a := late[evenly(s.T, len(late), "affair")]
	now := s.state(a)
	switch {
	case s.chance(1, "begins") || now.Status.Over() && s.chance(40, "begins"):
		s.begin()
	case s.chance(3, "renews"):
		s.renewsOne()
	case s.chance(8, "beside"):
		s.beside(a, now)
	case s.chance(10, "anything"):
		doings[evenly(s.T, len(doings), "doing")].do(s, a, now)
	default:
		s.onward(a, now)
	}
	if s.chance(60, "policies come") {
		s.settle(keeper)
	}
}

func (s *tale) onward(a *affair, now enrollment.Enrollment) {
	var apt []doing
	for _, d := range doings {
		if slices.Contains(d.at, now.Status) {
			apt = append(apt, d)
		}
	}
	if len(apt) > 0 {
		apt[evenly(s.T, len(apt), "doing")].do(s, a, now)
	}
}

func (s *tale) begin() {
	a := &affair{person: s.one("visitor", visitors...)}
	a.by = a.person
	in := commands.OpenRequest{Channel: enrollment.Outside, CertificateType: "cpmis-signature"}
	switch {
	case s.chance(55, "inside"):
		a.inside, in.Channel = true, enrollment.Inside
	case s.chance(30, "counter"):
		a.by, in.Office = officer, "office-1"
	}
	r, err := s.OpenRequest(s.ctx, s.as(a.by), in)
	s.asked(r, err)
	if err == nil {
		a.code = r.Stream.ID()
		a.token, a.key = "TOKEN"+a.code, "key of "+a.code
		s.affairs = append(s.affairs, a)
	}
}

func (s *tale) state(a *affair) (now enrollment.Enrollment) {
	for r, err := range s.log.Read(s.ctx, enrollment.Kind.Stream(a.code), 0) {
		s.must(err)
		e, err := enrollment.Catalog.Open(r)
		s.must(err)
		now = enrollment.Kind.Evolve(now, e)
	}
	return now
}

// doing is something that is done about a request, and where it brings it
// further.
type doing struct {
	at []enrollment.Status
	do func(*tale, *affair, enrollment.Enrollment)
}

func at(of ...enrollment.Status) []enrollment.Status { return of }

var doings []doing

func init() { doings = slices.Concat(doingsOfAll, doingsInside) } // some of them lead to others

var doingsOfAll = []doing{
	{at(enrollment.StatusDraft, enrollment.StatusDraft, enrollment.StatusNeedsCorrection), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.CompleteForm(s.ctx, s.as(a.by), a.code, s.form(a)))
	}},
	{at(enrollment.StatusCompleted, enrollment.StatusUnderControl), func(s *tale, a *affair, now enrollment.Enrollment) {
		code := s.EmailCode(enrollment.Kind.Stream(a.code), now.Email.Sent.Round)
		s.asked(s.ConfirmEmail(s.ctx, s.as(a.by), a.code, s.one("code", code, code, code, code, code, code, "00000")))
	}},
	{at(), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.clock = s.clock.Add(time.Minute)
		s.asked(s.SendEmailCode(s.ctx, s.as(a.by), a.code))
	}},
	{at(enrollment.StatusCompleted, enrollment.StatusUnderControl), func(s *tale, a *affair, _ enrollment.Enrollment) {
		n := commands.LiabilityNotice
		s.asked(s.AcceptLiability(s.ctx, s.as(a.by), a.code, n.Version, n.Hash()))
	}},
	{at(enrollment.StatusReady), func(s *tale, a *affair, _ enrollment.Enrollment) {
		if a.inside {
			s.asked(s.SubmitToUnit(s.ctx, s.as(a.by), a.code, "unit-b"))
			return
		}
		s.asked(s.SubmitRequest(s.ctx, s.as(a.by), a.code, "office-1"))
	}},
	{at(), func(s *tale, a *affair, _ enrollment.Enrollment) { s.asked(s.Withdraw(s.ctx, s.as(a.by), a.code)) }},
	{at(enrollment.StatusAtOffice, enrollment.StatusUnderControl), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.VerifyDocuments(s.ctx, s.as(officer), a.code, s.documents()))
	}},
	{at(enrollment.StatusAtOffice, enrollment.StatusUnderControl), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.RecordPayment(s.ctx, s.as(officer), a.code, commands.RecordPayment{
			Provider: "samplebank", Terminal: "10000001", RRN: a.code, Trace: "1", AmountRial: max(1, folds(s, fee.Kind, fee.Kind.Stream(a.code)).Raised.AmountRial),
		}))
	}},
	{at(enrollment.StatusAtOffice, enrollment.StatusUnderControl), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.pays(a)
	}},
	{at(enrollment.StatusAtOffice, enrollment.StatusUnderControl, enrollment.StatusControlled), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.comesBack(a)
	}},
	{at(enrollment.StatusRejected, enrollment.StatusWithdrawn), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.comesBack(a)
		s.asked(s.RecordPayment(s.ctx, s.as(officer), a.code, commands.RecordPayment{
			Provider: "samplebank", Terminal: "10000001", RRN: "9" + a.code, Trace: "1", AmountRial: 1_500_000,
		}))
	}},
	{at(enrollment.StatusRejected, enrollment.StatusWithdrawn), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.RecordRefund(s.ctx, s.as(officer), a.code, commands.RecordRefund{Number: 1 + evenly(s.T, 2, "case"), Reference: "H-1"}))
	}},
	{at(enrollment.StatusUnderControl), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.CloseControl(s.ctx, s.as(officer), a.code, s.control(), s.chance(80, "passed")))
	}},
	{at(enrollment.StatusAtOffice), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.RequireControl(s.ctx, s.as(officer), a.code, s.control()))
	}},
	{at(enrollment.StatusUnderControl), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.RepeatInquiry(s.ctx, s.as(officer), a.code))
	}},
	{at(), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.RequestCorrection(s.ctx, s.as(officer), a.code, []string{s.one("field", "post", "email", "address"), "surname"}))
	}},
	{at(), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.RejectRequest(s.ctx, s.as(officer), a.code, enrollment.NotEntitled))
	}},
	{at(enrollment.StatusControlled), func(s *tale, a *affair, _ enrollment.Enrollment) {
		review, err := s.ReviewRecord(s.ctx, s.as(second), a.code)
		if !s.refused(err) && err == nil {
			s.asked(s.ConfirmInformation(s.ctx, s.as(second), a.code, review.Record, officertest.Sign(officertest.SerialOf(s.person(second)), []byte(review.Statement))))
		}
	}},
	{at(enrollment.StatusConfirmed), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.ReceiveToken(s.ctx, s.as(officer), commands.ReceiveToken{Serial: a.token, Model: "sample", Office: "office-1"}))
		s.asked(s.ReserveToken(s.ctx, s.as(officer), a.code, a.token))
	}},
	{at(enrollment.StatusConfirmed, enrollment.StatusConfirmed), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.IssueCertificate(s.ctx, s.as(officer), a.code, a.token, []byte(a.key)))
	}},
	{at(enrollment.StatusIssued), func(s *tale, a *affair, now enrollment.Enrollment) {
		s.asked(s.PersonaliseToken(s.ctx, s.as(officer), a.code, a.token, now.Fingerprint))
	}},
	{at(enrollment.StatusIssued), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.PrintSheet(s.ctx, s.as(officer), a.code))
	}},
	{at(enrollment.StatusReadyForDelivery), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.DeliverToken(s.ctx, s.as(second), a.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard}))
	}},
	{at(enrollment.StatusDelivered), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.AcceptCertificate(s.ctx, s.as(a.person), a.code))
	}},
	{at(enrollment.StatusDelivered, enrollment.StatusAccepted), func(s *tale, a *affair, now enrollment.Enrollment) {
		s.asked(s.DefineAccess(s.ctx, s.as(research), commands.DefineAccess{
			TrackingCode: a.code, UserName: "user." + s.one("name", "a", "b", "c", "d"), Level: access.Viewer, Fingerprint: now.Fingerprint, Unit: "unit-1",
		}))
	}},
	{at(enrollment.StatusAccepted), func(s *tale, a *affair, now enrollment.Enrollment) {
		reason := pick(s.T, "reason", certificate.AffiliationChanged, certificate.KeyCompromise)
		s.asked(s.RevokeCertificate(s.ctx, s.as(operator), now.Serial, reason))
	}},
	{at(enrollment.StatusAccepted), func(s *tale, a *affair, now enrollment.Enrollment) {
		s.asked(s.RevokeFormally(s.ctx, s.as(officer), now.Serial, commands.RevokeFormally{
			Ground: certificate.HoldersWish, AskedBy: certificate.Attorney, Identity: "passport", Number: "12", Date: "1405/08/01",
			Name: "وکیل نمونه", Notary: "دفترخانهٔ نمونه", Scope: true,
		}))
	}},
	{at(enrollment.StatusAccepted, enrollment.StatusAccepted, enrollment.StatusDelivered), func(s *tale, a *affair, now enrollment.Enrollment) {
		held, err := s.StatusOf(s.ctx, now.Serial)
		s.must(err)
		if held.Status != certificate.OnHold {
			s.asked(s.SuspendCertificate(s.ctx, s.as(s.one("holds", a.person, officer, operator)), now.Serial, 0))
			if s.chance(50, "not for long") {
				return
			}
			s.settle(s.keeper)
		}
		s.refused(s.EndSuspension(s.ctx, commands.Caller{Policy: "lapse-suspension"}, now.Serial))
		s.asked(s.LiftSuspension(s.ctx, s.as(s.one("lifts", a.person, operator, operator)), now.Serial))
	}},
	{at(enrollment.StatusAccepted), (*tale).renews},
	{at(enrollment.StatusAccepted, enrollment.StatusIssued), func(s *tale, a *affair, now enrollment.Enrollment) {
		switch s.one("doubt", "report", "report", "unsigned", "letter") {
		case "report":
			s.asked(s.ReportInaccuracy(s.ctx, s.as(s.one("reporter", visitors...)), now.Serial, "نمونه: درست نیست"))
		case "unsigned":
			s.asked(s.ReportUnsigned(s.ctx, s.as(officer).Key, now.Serial, "نمونه: درست نیست"))
		case "letter":
			s.asked(s.ReportAffiliationEnded(s.ctx, s.as(officer), now.Serial, "12", "1405/08/01"))
		}
	}},
}

// renewsOne lets somebody renew who has what he asked for, also long ago.
func (s *tale) renewsOne() {
	for _, a := range slices.Backward(s.affairs) {
		if now := s.state(a); now.Status == enrollment.StatusAccepted {
			s.renews(a, now)
			return
		}
	}
}

// renews begins what follows a certificate, and more often than not brings it to
// the desk at once: few tales are long enough for two.
func (s *tale) renews(a *affair, now enrollment.Enrollment) {
	if a.next != nil && !s.state(a.next).Status.Over() {
		return
	}
	basis := pick(s.T, "basis", enrollment.Bases...)
	r, err := s.OpenRenewal(s.ctx, s.as(a.person), now.Serial, commands.OpenRenewal{Basis: basis})
	s.asked(r, err)
	if err != nil {
		return
	}
	for _, other := range s.affairs { // which may stand in its way
		if other.person == a.person {
			s.asked(s.Withdraw(s.ctx, s.as(other.by), other.code))
		}
	}
	next := *a
	next.by, next.code, next.attempts = a.person, r.Stream.ID(), nil
	if basis != enrollment.Renewal { // which is for the same key, on the token that he has
		next.token, next.key = "TOKEN"+next.code, "key of "+next.code
	}
	next.next, a.next = nil, &next
	s.affairs = append(s.affairs, &next)
	if s.settle(s.keeper); s.chance(80, "hurries") {
		for range 40 {
			s.onward(&next, s.state(&next))
			s.settle(s.keeper)
		}
	}
}

func (s *tale) control() enrollment.Control {
	return pick(s.T, "control", enrollment.ControlTelephone, enrollment.ControlAddress)
}

func (s *tale) documents() commands.VerifyDocuments {
	all := []enrollment.Document{enrollment.BirthCertificate, enrollment.NationalCard, enrollment.LegalPersonCard, enrollment.IntroductionLetter}
	if s.chance(10, "not all") {
		return commands.VerifyDocuments{Sighted: all[:1+evenly(s.T, 3, "documents")]}
	}
	return commands.VerifyDocuments{Sighted: all, Letter: &enrollment.Letter{Number: "۱۲/۳۴۵", Date: "1405/08/01"}}
}

// form is the person's, with small differences, or a visitor's at the counter.
func (s *tale) form(a *affair) commands.FormInput {
	person := a.person
	if a.by == officer && s.chance(10, "another") {
		person = s.one("visitor", visitors...)
	}
	organization := company
	if !a.inside {
		organization = s.one("organization", company, "10999002029")
	}
	return commands.FormInput{
		GivenName: "متقاضی", Surname: s.one("surname", "نمونه‌پور", "نمونه‌زاده"), LatinGivenName: "Motaghazi", LatinSurname: "Nemunepur",
		PersonCode: person, BirthDate: "۱۳۶۰/۰۱/۰۱", Mobile: s.one("mobile", "۰۹۱۲۰۰۰۱۲۳۴", "09120005678"),
		Email: s.one("email", "nemune@example.ir", "degar@example.ir"), Address: "تهران، خیابان نمونه", PostalCode: "1619735744",
		Province: s.one("province", "تهران", "فارس"), City: "تهران", OrganizationName: "شرکت نمونه",
		Organization: organization, Post: "کارشناس",
	}
}

// audit is begun by one process, and perhaps ended, or taken over by another.
func (s *tale) audit() {
	of := *s.App
	of.Handler = s.one("handler", "handler", "handler", "another")
	day := dayOf(s.clock)
	s.refused(of.StartAudit(s.ctx, day))
	if s.chance(60, "ends") {
		found := map[string]int{}
		for _, kind := range []string{"lint", "crl-date", "fee-twice"} {
			if n := evenly(s.T, 3, kind); n > 0 {
				found[kind] = n
			}
		}
		s.refused(of.CompleteAudit(s.ctx, day, audit.Completed{Checked: evenly(s.T, 9, "checked"), Differences: found}))
	}
}

// beside is what others do, who have their own business.
func (s *tale) beside(a *affair, now enrollment.Enrollment) {
	who := s.one("who", visitors...)
	switch s.one("beside", "appoint", "appoint", "dismiss", "dismiss", "office", "tariff", "token", "case", "case", "case", "case", "erase", "day", "contract", "contract", "bounce", "bounce", "again", "credential", "credential", "credential", "announce", "audit") {
	case "appoint":
		s.asked(s.Appoint(s.ctx, s.as(admin), commands.Appoint{
			PersonCode: who, Role: appointment.RegistrationOfficer, Place: s.one("place", "office-1", "office-2"), Until: s.clock.AddDate(0, 0, 7),
		}))
	case "dismiss":
		s.asked(s.Dismiss(s.ctx, s.as(admin), commands.Dismiss{PersonCode: who, Role: appointment.RegistrationOfficer, Place: s.one("place", "office-1", "office-2")}))
	case "office":
		s.asked(s.OpenOffice(s.ctx, s.as(admin), place(office.Registration, fmt.Sprint("office-", evenly(s.T, 9, "office")))))
	case "announce":
		s.asked(s.AnnounceControls(s.ctx, s.as(officer), "office-1", commands.AnnounceControls{
			Controls: []enrollment.Control{s.control()}, Text: s.one("hours", "", "۸ تا ۱۴"),
		}))
	case "audit":
		s.audit()
	case "tariff":
		s.asked(s.PublishTariff(s.ctx, s.as(manager), s.price()))
	case "token":
		s.asked(s.ReceiveToken(s.ctx, s.as(officer), commands.ReceiveToken{Serial: fmt.Sprint("STOCK", s.keys), Model: "sample", Office: "office-1"}))
	case "case":
		s.decide()
	case "erase":
		s.asked(s.EraseSubject(s.ctx, s.as(manager), who, "subject-request"))
	case "contract":
		company := s.one("company", "10999001013", "10999002029")
		if s.chance(30, "ends") {
			s.asked(s.EndContract(s.ctx, s.as(manager), company))
			return
		}
		s.asked(s.ConcludeContract(s.ctx, s.as(manager), commands.ConcludeContract{Company: company, Number: s.one("number", "Q-1", "Q-2"), Until: s.clock.AddDate(1, 0, 0)}))
	case "again":
		s.clock = s.clock.Add(time.Hour)
		if issued := s.ids("certificate.issued.v2"); len(issued) > 0 {
			s.refused(s.Reinquire(s.ctx, commands.Caller{Policy: "reinquire"}, s.one("again", issued...)))
		}
	case "bounce":
		if sent := s.ids("notification.sent.v1"); len(sent) > 0 {
			err := s.TakeBounce(s.ctx, commands.Caller{Policy: "bounces"}, returned{s}, s.one("bounced", sent...))
			if !errors.Is(err, commands.ErrSetAside) {
				s.refused(err)
			}
		}
	case "credential":
		s.certifies()
	case "day":
		s.clock = s.clock.Add(13 * time.Hour)
		s.refused(s.publisher.Publish(s.ctx, commands.Caller{Policy: "daily-crl", Key: fmt.Sprint(s.clock.Unix())}))
	}
}

func (s *tale) decide() {
	open := s.ids("revocation.opened.v1")
	if len(open) == 0 {
		return
	}
	number := s.one("case", open...)
	switch s.one("before", "verdict", "look", "find") {
	case "look":
		s.asked(s.OpenInvestigation(s.ctx, s.as(operator), number))
	case "find":
		s.asked(s.AddEvidence(s.ctx, s.as(operator), number, "نمونه: بررسی شد", ""))
	}
	if s.chance(50, "established") {
		s.asked(s.EstablishInaccuracy(s.ctx, s.as(operator), number, "نمونه: نادرست است", ""))
		return
	}
	s.asked(s.RefuteInaccuracy(s.ctx, s.as(operator), number, "نمونه: درست است"))
}

// ids are the streams in which something of a name happened.
func (s *tale) ids(name string) (ids []string) {
	for r, err := range s.log.ReadAll(s.ctx, 0, name) {
		s.must(err)
		if r.Type == name {
			ids = append(ids, r.Stream.ID())
		}
	}
	return ids
}

// settle lets the policies and workers come. What is not available is tried
// again when they come next.
func (s *tale) settle(keeper *spec.Keeper) {
	all := slices.Concat(policies.OfRecord(), policies.OfIssuance(), policies.OfRevocation(commands.Publishers{s.publisher}), policies.OfErasure(shredder{s, keeper}))
	for {
		fresh, err := event.ReadBatch(s.ctx, s.log, s.heard, 1000)
		s.must(err)
		if len(fresh) == 0 {
			break
		}
		for _, r := range fresh {
			for _, p := range all {
				if s.refused(p.Handle(s.ctx, s.App, r)) {
					return
				}
			}
			s.heard = r.Position
		}
	}
	for _, id := range latest(s.ids("inquiry.requested.v1")) {
		s.refused(s.AskRegistry(s.ctx, commands.Caller{Policy: "inquire"}, id))
	}
	for _, id := range latest(s.ids("payment.requested.v1")) {
		s.refused(s.ReconcilePayment(s.ctx, commands.Caller{Policy: "reconcile"}, id))
	}
	for _, id := range latest(s.ids("notification.requested.v1")) {
		s.refused(s.SendNotification(s.ctx, commands.Caller{Policy: "post"}, s, id))
	}
}

// TestTalesTellEverything that any view takes in, or the histories would not look
// there.
func TestTalesTellEverything(t *testing.T) {
	t.Parallel()
	told := map[string]int{}
	for seed := range 60 {
		rapid.Custom(func(rt *rapid.T) bool {
			for _, r := range taleOf(t, rt, 1200) {
				told[r.Type]++
			}
			return true
		}).Example(seed)
	}
	for _, p := range projections.All() {
		for _, c := range p.Catalogs {
			for _, e := range c.Entries() {
				if told[e.Name] < 2 && !e.Old {
					t.Errorf("%s happened %d times", e.Name, told[e.Name])
				}
			}
		}
	}
}

// pays goes to a bank's page.
func (s *tale) pays(a *affair) {
	in := commands.StartPayment{Provider: s.one("bank", "bank1", "bank2")}
	_, started, err := s.StartPayment(s.ctx, s.as(a.person), a.code, in)
	if s.refused(err); err == nil {
		a.attempts = append(a.attempts, started.Attempt)
	}
}

// comesBack calls the callback's address.
func (s *tale) comesBack(a *affair) {
	if len(a.attempts) == 0 {
		return
	}
	attempt := a.attempts[evenly(s.T, len(a.attempts), "attempt")]
	token := hex.EncodeToString(s.Secrets.Derive("payment-callback", attempt)[:16])
	_, err := s.PaymentCallback(s.ctx, attempt, token, map[string]string{})
	s.refused(err)
}

// tillOf is a bank whose every answer is drawn.
type tillOf struct {
	*tale
	separate bool
}

var errTill = errors.New("the bank is closed")

func (b tillOf) Separate() bool { return b.separate }

func (b tillOf) Open(_ context.Context, p commands.GatewayPayment, _ string) (string, error) {
	return "R" + p.Attempt, pick(b.T, "opens", nil, nil, nil, nil, errTill)
}

func (tillOf) Page(reference string) commands.GatewayPage {
	return commands.GatewayPage{Method: "GET", URL: "http://bank.example.ir/" + reference}
}

func (b tillOf) Read(map[string]string) (payment.Claim, string) {
	return pick(b.T, "claim", payment.ClaimsPaid, payment.ClaimsPaid, payment.ClaimsFailed), b.one("hint", "", "17", "18")
}

func (b tillOf) Verify(_ context.Context, p commands.GatewayPayment) (commands.Verdict, error) {
	standing := pick(b.T, "verdict", commands.Held, commands.Held, commands.Held, commands.Awaited, commands.Declined, commands.Returned, commands.Differs)
	money := payment.Money{RRN: fmt.Sprintf("7%011d", binary.BigEndian.Uint32([]byte(p.Attempt))), Card: "999999******1234", AmountRial: p.AmountRial}
	return commands.Verdict{Standing: standing, Money: money}, pick(b.T, "verifies", nil, nil, nil, nil, errTill)
}

func (b tillOf) Settle(context.Context, commands.GatewayPayment) (commands.PaymentStanding, error) {
	return pick(b.T, "settlement", commands.Held, commands.Held, commands.Held, commands.Returned, commands.Awaited), pick(b.T, "settles", nil, nil, nil, errTill)
}

func (b tillOf) Inquire(context.Context, commands.GatewayPayment) (commands.PaymentStanding, error) {
	return pick(b.T, "standing", commands.Awaited, commands.Awaited, commands.Awaited, commands.Held, commands.Paid, commands.Declined, commands.Returned), nil
}

func (tillOf) Reverse(context.Context, commands.GatewayPayment) error { return nil }

// latest leaves out what is done, or forgotten.
func latest(ids []string) []string { return ids[max(0, len(ids)-12):] }

// Send is the mail server.
func (s *tale) Send(context.Context, commands.Mail) error {
	return pick(s.T, "mail", nil, nil, nil, nil, commands.ErrAddressFull, errors.New("mail is down"))
}

// returned is a mail server's word that a message came back.
type returned struct{ s *tale }

func (returned) Names(context.Context, time.Time, int) ([]string, error) { return nil, nil }
func (returned) Done(context.Context, string) error                      { return nil }
func (returned) SetAside(context.Context, string) error                  { return nil }

// Read reports the address that the form had, or another one.
func (r returned) Read(_ context.Context, name string) (commands.Bounce, error) {
	to := r.s.one("to", "nemune@example.ir", "nemune@example.ir", "degar@example.ir")
	return commands.Bounce{Message: name, Recipient: to, Status: "5.1.1", Permanent: true}, nil
}

// Inquire is the civil registry.
func (s *tale) Inquire(_ context.Context, id string, _ commands.RegistryQuestion) (commands.RegistryAnswer, error) {
	found := commands.RegistryAnswer{Matched: true, TrackingCode: "REG-" + id}
	switch s.one("registry", "matches", "matches", "matches", "matches", "mismatch", "dead", "review", "closed", "down") {
	case "mismatch":
		found.Matched, found.Differs = false, []string{"surname", "birthDate"}
	case "dead":
		found.Matched, found.Finding = false, inquiry.Dead
	case "review":
		return commands.RegistryAnswer{Inconclusive: "review"}, nil
	case "closed":
		return commands.RegistryAnswer{Deferred: "out-of-hours"}, nil
	case "down":
		return found, errors.New("the registry is down")
	}
	return found, nil
}

func (s *tale) person(code string) event.Subject {
	return event.Subject(fmt.Sprintf("person-%s-%d", code[6:], s.people[code]))
}

// Person gives everybody a pseudonym, and another one after an erasure.
func (s *tale) Person(_ context.Context, code string) (event.Subject, error) {
	return s.person(code), nil
}

// Lookup knows everybody.
func (s *tale) Lookup(_ context.Context, code string) (event.Subject, bool, error) {
	return s.person(code), true, nil
}

// shredder destroys a person's key; his code is somebody else's then.
type shredder struct {
	*tale
	keeper *spec.Keeper
}

// Destroy forgets for good.
func (s shredder) Destroy(_ context.Context, who event.Subject) error {
	s.keeper.Forget(who)
	for _, code := range visitors {
		if s.person(code) == who {
			s.people[code]++
		}
	}
	return nil
}

// openSecrets derive from nothing secret.
type openSecrets struct{}

func (openSecrets) Derive(purpose string, parts ...string) []byte {
	sum := sha256.Sum256([]byte(purpose + "\x00" + strings.Join(parts, "\x00")))
	return sum[:]
}

// Term is as good a search term as any.
func (o openSecrets) Term(kind, text string) []byte { return o.Derive("term", kind, text) }

// paper is a CA and its signer, whose certificates are texts; it fails now and
// then, before or after its fence.
type paper struct{ *tale }

var errPaper = fault.New(fault.Conflict, "not-on-paper", "نمی‌شود.", "It cannot be.")

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (p paper) Issuer() string { return hashOf([]byte("issuer")) }

func (p paper) Introduction() issuer.Introduced { return issuer.Introduced{Name: "paper"} }

func (p paper) Ended() issuer.Ending { return "" }

func (p paper) PrepareLastCRL(number uint64, at time.Time, revoked []commands.RevokedSerial) (commands.PreparedCRL, error) {
	return p.PrepareCRL(number, at, revoked)
}

func (p paper) NewSerial(time.Time) (string, error) {
	p.keys++
	return fmt.Sprintf("40%034x", p.keys), nil
}

func (p paper) CheckCSR(csr []byte) (string, error) { return hashOf(csr), nil }

func (p paper) Profiles() certprofile.Set { return soonRenewable() }

// soonRenewable are the profiles of the story, whose certificates may be renewed
// from the first day on.
var soonRenewable = sync.OnceValue(func() certprofile.Set {
	dir, err := os.MkdirTemp("", "govahi-profiles-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := renewable(dir); err != nil {
		panic(err)
	}
	s, err := pkiprofiles.Load(dir)
	if err != nil {
		panic(err)
	}
	return s
})

func (p paper) Fits([]byte, certprofile.Profile) error { return nil }

func (p paper) Prepare(d commands.Draft) (commands.Prepared, error) {
	if p.chance(15, "lint") {
		return commands.Prepared{}, errPaper
	}
	tbs := []byte("certificate " + d.Serial)
	return commands.Prepared{
		TBS: tbs, TBSHash: hashOf(tbs), KeyHash: hashOf(d.CSR), Profile: d.Profile.ID(), ProfileHash: d.Profile.Hash(), Issuer: p.Issuer(),
		NotBefore: d.NotBefore, NotAfter: d.NotBefore.AddDate(1, 0, 0),
	}, nil
}

func (p paper) PrepareResponder(string, []byte, time.Time) (commands.Prepared, error) {
	return commands.Prepared{}, errPaper
}

func (p paper) PrepareCRL(number uint64, at time.Time, revoked []commands.RevokedSerial) (commands.PreparedCRL, error) {
	tbs := fmt.Appendf(nil, "list %d of %d", number, len(revoked))
	return commands.PreparedCRL{TBS: tbs, TBSHash: hashOf(tbs), ThisUpdate: at, NextUpdate: at.Add(48 * time.Hour), Entries: len(revoked)}, nil
}

func (p paper) CheckIssued(der, _ []byte) (string, error) { return hashOf(der), nil }

func (p paper) CheckCRL(der, _ []byte) (commands.SignedCRL, error) {
	return commands.SignedCRL{Signature: der, Hash: hashOf(der), Size: len(der)}, nil
}

// Check believes everything.
func (p paper) Check(context.Context, []byte, event.Position) error { return nil }

func (p paper) Follow(context.Context) error { return nil }

func (p paper) SignCertificate(ctx context.Context, stream event.Stream, revision uint64, tbs, _ []byte) ([]byte, string, error) {
	return sign(ctx, p, certificate.Kind, stream, revision, tbs, certificate.SigningStarted{Signer: "paper", At: p.clock})
}

func (p paper) Ready(context.Context) error { return nil }

func (p paper) SignCRL(ctx context.Context, stream event.Stream, revision uint64, tbs []byte) ([]byte, string, error) {
	return sign(ctx, p, crl.Kind, stream, revision, tbs, crl.SigningStarted{Signer: "paper", At: p.clock})
}

func sign[S any](ctx context.Context, p paper, kind event.Kind[S], stream event.Stream, revision uint64, tbs []byte, started event.Event) ([]byte, string, error) {
	if p.chance(10, "away") {
		return nil, "", commands.ErrSignerAway
	}
	meta := event.Meta{CommandID: fmt.Sprintf("signer/%s@%d", stream, revision), Actor: "signer", At: p.clock}
	proposed, err := kind.Encode(ctx, nil, stream, meta, []event.Event{started})
	if err == nil {
		_, err = p.log.Append(ctx, stream, event.Expected(revision), proposed...)
	}
	if err == nil && p.chance(10, "fails") {
		err = commands.ErrSignerAway
	}
	return slices.Concat([]byte("signed "), tbs), "paper", err
}
