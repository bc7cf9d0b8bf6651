package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"govahi/commands"
	"govahi/commands/officertest"
	"govahi/domain/access"
	"govahi/domain/consignment"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/iran"
	"govahi/domain/token"
)

// doingsInside are those of channel B (S1.18–S1.24), and of the tokens of both:
// papers up in counted bags, the token down from hand to hand.
var doingsInside = []doing{
	{at(enrollment.StatusAtResearchUnit), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.VerifyDocuments(s.ctx, s.as(unitOfficer), a.code, s.documents()))
	}},
	{at(enrollment.StatusAtResearchUnit, enrollment.StatusAtResearchUnit), func(s *tale, a *affair, _ enrollment.Enrollment) {
		if s.chance(15, "returns") {
			s.asked(s.ReturnDossier(s.ctx, s.as(unitOfficer), a.code, []string{"post"}))
			return
		}
		s.asked(s.ApproveDossier(s.ctx, s.as(unitOfficer), a.code))
	}},
	{at(enrollment.StatusAtResearchUnit), (*tale).proves},
	{at(enrollment.StatusApproved), func(s *tale, a *affair, _ enrollment.Enrollment) { s.sends(unitOfficer, "unit-b", "authority", a) }},
	{at(enrollment.StatusAtAuthority), func(s *tale, a *affair, _ enrollment.Enrollment) { s.sends(carrier, "authority", "office-1", a) }},
	{at(enrollment.StatusInTransit), (*tale).counts},
	{at(
		enrollment.StatusReadyForDispatch, enrollment.StatusReadyForDispatch, enrollment.StatusReadyForDispatch,
		enrollment.StatusAtOrigin, enrollment.StatusAtOrigin, enrollment.StatusAccessDefined, enrollment.StatusAccessDefined,
	), (*tale).passesOn},
	{at(enrollment.StatusBackAtUnit), func(s *tale, a *affair, now enrollment.Enrollment) {
		s.asked(s.DefineAccess(s.ctx, s.as(unitOfficer), commands.DefineAccess{
			TrackingCode: a.code, UserName: "user." + s.one("name", "e", "f", "g", "h"), Level: access.Viewer, Fingerprint: now.Fingerprint, Unit: "unit-b",
		}))
	}},
	{at(enrollment.StatusAtCompanyUnit), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.DeliverToken(s.ctx, s.as(companyOfficer), a.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard}))
	}},
	{at(enrollment.StatusDelivered, enrollment.StatusDelivered), (*tale).activates},
	{at(enrollment.StatusReadyForDelivery, enrollment.StatusReadyForDispatch, enrollment.StatusDelivered), (*tale).waits},
	{at(enrollment.StatusAccepted, enrollment.StatusAccepted, enrollment.StatusAtCompanyUnit), func(s *tale, a *affair, _ enrollment.Enrollment) {
		if s.chance(50, "lost") {
			s.asked(s.ReportTokenLost(s.ctx, s.as(s.one("misses", a.person, officer, operator)), a.token))
			return
		}
		s.asked(s.ReportTokenDefective(s.ctx, s.as(officer), a.token))
	}},
	{at(enrollment.StatusRevoked), func(s *tale, a *affair, _ enrollment.Enrollment) {
		s.asked(s.ReturnToken(s.ctx, s.as(officer), a.token))
		if s.chance(70, "destroys") {
			s.asked(s.DestroyToken(s.ctx, s.as(officer), a.token))
		}
	}},
}

// proves is what the applicant has to do again after his form was mended.
func (s *tale) proves(a *affair, now enrollment.Enrollment) {
	if now.Form.Version < 2 {
		return
	}
	s.asked(s.ConfirmEmail(s.ctx, s.as(a.by), a.code, s.EmailCode(enrollment.Kind.Stream(a.code), now.Email.Sent.Round)))
	n := commands.LiabilityNotice
	s.asked(s.AcceptLiability(s.ctx, s.as(a.by), a.code, n.Version, n.Hash()))
}

// sends puts dossiers into a bag: this one, and maybe the others that are there.
func (s *tale) sends(by, from, to string, a *affair) {
	bag := []string{a.code}
	for _, other := range s.affairs {
		if other != a && s.state(other).Dispatchable(from) == nil && s.chance(50, "too") {
			bag = append(bag, other.code)
		}
	}
	if s.chance(20, "cut off") {
		s.cutOff(a.code)
	}
	s.asked(s.DispatchConsignment(s.ctx, s.as(by), commands.DispatchConsignment{From: from, To: to, Dossiers: bag, Seal: "S-1"}))
}

// cutOff claims a dossier for a consignment whose command died before it was sent.
func (s *tale) cutOff(code string) {
	stream := consignment.Packing.Stream(code)
	if folds(s, consignment.Packing, stream).Consignment != "" {
		return
	}
	s.keys++
	taken := consignment.PackingTaken{Consignment: iran.TrackingCode(1405, 900_000+uint32(s.keys)), At: s.clock.Add(-2 * commands.CutOff)}
	meta := event.Meta{CommandID: fmt.Sprint("cut-off/", s.keys), Actor: "tale", At: taken.At}
	proposed, err := consignment.Packing.Encode(s.ctx, nil, stream, meta, []event.Event{taken})
	s.must(err)
	written := 0
	for range s.log.Read(s.ctx, stream, 0) {
		written++
	}
	_, err = s.log.Append(s.ctx, stream, event.Expected(written-1), proposed...)
	s.must(err)
}

// counts opens the bag in which the dossier is, or resolves what was missing.
func (s *tale) counts(_ *affair, now enrollment.Enrollment) {
	number := now.Dossier.Consignment
	bag := folds(s, consignment.Kind, consignment.Kind.Stream(number))
	by := map[string]string{"authority": carrier, "office-1": officer}[bag.Sent.To]
	switch bag.Status {
	case consignment.OnItsWay:
		found := slices.DeleteFunc(slices.Clone(bag.Sent.Dossiers), func(string) bool { return s.chance(20, "missing") })
		if s.chance(10, "more") {
			found = append(found, s.affairs[evenly(s.T, len(s.affairs), "surplus")].code)
		}
		s.asked(s.ReceiveConsignment(s.ctx, s.as(by), number, commands.ReceiveConsignment{Dossiers: found, SealIntact: s.chance(90, "whole")}))
	case consignment.Discrepant:
		in := commands.ResolveDiscrepancy{Cause: consignment.Miscounted}
		for _, code := range bag.Received.Missing {
			if s.chance(50, "found") {
				in.Found = append(in.Found, code)
				continue
			}
			in.Lost, in.Cause = append(in.Lost, code), consignment.LostOnTheWay
		}
		s.asked(s.ResolveDiscrepancy(s.ctx, s.as(by), number, in))
	}
}

// folds reads a stream to its end.
func folds[S any](s *tale, kind event.Kind[S], stream event.Stream) (now S) {
	for r, err := range s.log.Read(s.ctx, stream, 0) {
		s.must(err)
		e, err := kind.Catalog.Open(r)
		s.must(err)
		now = kind.Evolve(now, e)
	}
	return now
}

// passesOn brings the token one step further on its way down.
func (s *tale) passesOn(a *affair, now enrollment.Enrollment) {
	held := folds(s, token.Kind, token.Kind.Stream(a.token))
	officers := map[string]string{"office-1": officer, "authority": carrier, "unit-b": unitOfficer, "unit-c": companyOfficer}
	switch {
	case held.Status == token.InTransit:
		s.asked(s.TakeToken(s.ctx, s.as(officers[held.To]), a.token, commands.TakeToken{SealIntact: s.chance(93, "whole")}))
	case held.Status == token.StatusPersonalised && held.Receipt.SealIntact && s.chance(3, "broken after all"):
		s.asked(s.TakeToken(s.ctx, s.as(officers[held.Holder.Place]), a.token, commands.TakeToken{}))
	case held.PIN.Envelope == "":
		s.asked(s.IssuePIN(s.ctx, s.as(officer), a.token, commands.IssuePIN{Envelope: "E-1", Via: token.Post}))
	default:
		to, company, err := now.NextPlace()
		s.refused(err)
		if company {
			to = "unit-c"
		}
		s.asked(s.HandOverToken(s.ctx, s.as(cmp.Or(officers[held.Holder.Place], officer)), a.token, commands.HandOverToken{To: to, Seal: "S-2"}))
	}
}

// activates is the holder's part, who has token and envelope.
func (s *tale) activates(a *affair, now enrollment.Enrollment) {
	s.asked(s.NotePIN(s.ctx, s.as(a.person), a.code))
	signature := []byte("none")
	if h, err := s.StatusOf(s.ctx, now.Serial); err == nil && h.Issued.Certificate != nil {
		if der, err := h.Issued.Certificate.Open(s.ctx, s.keeper); err == nil { // he was not erased
			signature = officertest.SignBy(der.DER, commands.ActivationStatement(a.code, now.Serial))
		}
	}
	s.asked(s.ActivateToken(s.ctx, s.as(a.person), a.code, signature))
	if s.chance(70, "accepts too") {
		s.asked(s.AcceptCertificate(s.ctx, s.as(a.person), a.code))
	}
}

// waits lets the terms of custody pass, as long as everybody is in his post.
func (s *tale) waits(a *affair, _ enrollment.Enrollment) {
	if s.chance(75, "not now") || s.clock.After(time.Date(2027, time.August, 1, 0, 0, 0, 0, time.UTC)) {
		return
	}
	s.clock = s.clock.AddDate(0, 0, 8+evenly(s.T, 30, "days"))
	for range 2 {
		s.refused(s.WatchToken(s.ctx, commands.Caller{Policy: "watch"}, a.token))
	}
}

// certifies is an officer's wish for his own certificate, and what the CA says.
func (s *tale) certifies() {
	if open := s.ids("credential.requested.v1"); len(open) > 0 && s.chance(60, "decided") {
		number := s.one("credential", open...)
		if s.chance(70, "approved") {
			s.asked(s.ApproveCredential(s.ctx, s.as(operator), number))
			return
		}
		s.asked(s.RefuseCredential(s.ctx, s.as(operator), number))
		return
	}
	s.asked(s.RequestCredential(s.ctx, s.as(officer), commands.RequestCredential{
		Office: "office-1", GivenName: "مأمور", Surname: "نمونه‌پور", LatinGivenName: "Mamur", LatinSurname: "Nemunepur",
		PersonCode: officer, Email: "mamur@example.ir",
	}, fmt.Appendf(nil, "an officer's key %d", s.keys)))
}
