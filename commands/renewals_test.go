package commands_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"govahi/commands"
	"govahi/commands/officertest"
	"govahi/domain/access"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/revocation"
	"govahi/domain/token"
)

// nearTheEnd lets a certificate come into the time in which it may be renewed.
func (r *request) nearTheEnd() *request {
	r.clock.pass(340 * day)
	return r
}

// follow opens a request that follows an accepted one's certificate.
func (r *request) follow(basis enrollment.Basis) *request {
	r.t.Helper()
	next := r.did(r.OpenRenewal(r.t.Context(), r.by(r.of), r.now().Serial, commands.OpenRenewal{Basis: basis}))
	r.settle()
	q := &request{house: r.house, code: next.Stream.ID(), of: r.of, token: "TOKEN" + next.Stream.ID(), fill: r.fill}
	if basis == enrollment.Renewal {
		q.token, q.csr = r.token, r.csr
	}
	return q
}

func (r *request) stands(status certificate.Status, reason certificate.Reason) {
	r.t.Helper()
	if c := r.certificate(); c.Status != status || c.Reason != reason {
		r.t.Errorf("the certificate is %s, %s; not %s, %s", c.Status, c.Reason, status, reason)
	}
}

func TestARenewalOnTheHoldersToken(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	if _, err := first.define(first.by(research), "nemune"); err != nil {
		t.Fatal(err)
	}
	first.nearTheEnd()
	next := first.follow(enrollment.Renewal)
	if s := next.now(); s.Status != enrollment.StatusCompleted || s.Form.Version != 1 || s.Renewal.Certificate != first.now().Serial {
		t.Fatalf("the form is not filled in: %s, version %d", s.Status, s.Form.Version)
	}
	next.upTo(enrollment.StatusReadyForDelivery)
	if paid := next.fee().Raised.AmountRial; paid != 500_000 {
		t.Errorf("%d rial for a renewal: the token is the holder's", paid)
	}
	first.stands(certificate.Valid, "")
	next.upTo(enrollment.StatusAccepted)

	first.stands(certificate.Withdrawn, certificate.Superseded)
	next.stands(certificate.Valid, "")
	if a, b := first.certificate().Intent.KeyHash, next.certificate().Intent.KeyHash; a != b {
		t.Errorf("the renewal has another key: %s, %s", a, b)
	}
	held := state(next.house, token.Kind, token.Kind.Stream(next.token))
	if held.Status != token.StatusDelivered || held.Holder.Person != subject(applicant) || held.Certificate != next.now().Serial || held.Request != next.request() {
		t.Errorf("the token is not with its holder, or not with the new certificate: %+v", held)
	}
	if _, err := next.define(next.by(research), "nemune"); err != nil {
		t.Fatal(err)
	}
	if u := state(next.house, access.Kind, access.Kind.Stream("nemune")); !u.Active || u.User.Certificate != next.now().Serial {
		t.Errorf("the CPMIS user has not moved to the new certificate: %+v", u)
	}
}

// TestWhoHasTwoPostsRenewsByTheRightOne: an operator of the CA opens no renewal, but
// one who sits at the office does.
func TestWhoHasTwoPostsRenewsByTheRightOne(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted).nearTheEnd()
	ask := commands.OpenRenewal{Basis: enrollment.Renewal}
	if _, err := first.OpenRenewal(t.Context(), first.by(operator), first.now().Serial, ask); err == nil {
		t.Fatal("an operator opened a renewal")
	}
	first.appoint(operator, appointment.RegistrationOfficer, "office-1", noon.AddDate(2, 0, 0))
	next := first.did(first.OpenRenewal(t.Context(), first.by(operator), first.now().Serial, ask))
	opened := state(first.house, enrollment.Kind, next.Stream)
	if opened.Counter != "office-1" {
		t.Errorf("it was opened at %q", opened.Counter)
	}
}

func TestARekeyOnAnotherToken(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next := first.follow(enrollment.Rekey)
	next.upTo(enrollment.StatusConfirmed)
	next.reserve()
	first.refused(certificate.ErrKeyReused, func() error {
		_, err := next.IssueCertificate(t.Context(), next.by(officer), next.code, next.token, first.csr)
		return err
	})
	next.upTo(enrollment.StatusAccepted)
	if paid := next.fee().Raised.AmountRial; paid != price {
		t.Errorf("%d rial for a re-key: its token is new", paid)
	}
	first.stands(certificate.Withdrawn, certificate.Superseded)
	next.stands(certificate.Valid, "")
	if old := state(next.house, token.Kind, token.Kind.Stream(first.token)); old.Status != token.StatusRecalled {
		t.Errorf("the old token is %s", old.Status)
	}
}

// TestAModificationRevokesFirst also shows that a mistake on the way leaves the
// holder with what he has.
func TestAModificationRevokesFirst(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next := first.follow(enrollment.Modification)
	changed := formOf(applicant)
	changed.Post = "مدیر"
	next.did(next.CompleteForm(t.Context(), next.by(applicant), next.code, changed))
	next.settle()
	next.upTo(enrollment.StatusAtCA)
	first.stands(certificate.Valid, "")

	next.signer.fails = errNoSigner
	if err := next.issue(); err == nil {
		t.Fatal("issued without a signer")
	}
	first.stands(certificate.Withdrawn, certificate.AffiliationChanged)
	next.signer.fails = nil
	next.clock.pass(time.Minute)
	next.upTo(enrollment.StatusAccepted)
	next.stands(certificate.Valid, "")
}

// TestAModificationWaitsForASigner: a holder is not left without a certificate for
// as long as nobody can sign the next.
func TestAModificationWaitsForASigner(t *testing.T) {
	theCA(t) // made outside the bubble
	synctest.Test(t, func(t *testing.T) {
		first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
		next := first.follow(enrollment.Modification).upTo(enrollment.StatusAtCA)
		asked := 0
		next.signer.fails = commands.ErrSignerAway
		next.signer.before = func() {
			if asked++; asked == 10 {
				first.stands(certificate.Valid, "")
				next.signer.fails = nil
			}
		}
		if err := next.issue(); err != nil {
			t.Fatal(err)
		}
		first.stands(certificate.Withdrawn, certificate.AffiliationChanged)
		next.issuedOnce()
		if asked != 11 { // the last time to sign
			t.Errorf("the signer was asked %d times", asked)
		}
	})
}

// TestAModificationOfAVoidConfirmationRevokesNothing: what the CA will not sign
// leaves the holder the certificate that he has.
func TestAModificationOfAVoidConfirmationRevokesNothing(t *testing.T) {
	for name, void := range map[string]func(r *request){
		"dismissed": func(r *request) {
			r.did(r.Dismiss(t.Context(), r.by(admin), commands.Dismiss{PersonCode: second, Role: appointment.RegistrationOfficer, Place: "office-1"}))
		},
		"unlicensed": func(r *request) {
			r.did(r.LicenseOffice(t.Context(), r.by(operator), "office-1", commands.LicenseOffice{Number: "P-2", From: noon.AddDate(-1, 0, 0), Until: noon}))
		},
		"officer's certificate revoked": func(r *request) {
			r.did(r.RevokeCertificate(t.Context(), r.by(operator), officertest.SerialOf(subject(second)), certificate.KeyCompromise))
		},
	} {
		t.Run(name, func(t *testing.T) {
			first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
			next := first.follow(enrollment.Modification).upTo(enrollment.StatusAtCA)
			void(next)
			if err := next.issue(); err != nil {
				t.Fatal(err)
			}
			first.stands(certificate.Valid, "")
			if s := next.now(); s.Status == enrollment.StatusIssued || s.Status == enrollment.StatusAtCA {
				t.Errorf("the request is %s", s.Status)
			}
		})
	}
}

func TestTheDataOfARenewalStays(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next := first.follow(enrollment.Rekey)
	changed := formOf(applicant)
	changed.Post = "مدیر"
	next.refused(enrollment.ErrDataChanged.At("post"), func() error {
		_, err := next.CompleteForm(t.Context(), next.by(applicant), next.code, changed)
		return err
	})
	moved := formOf(applicant)
	moved.Mobile, moved.Address = "09120000099", "قم"
	next.did(next.CompleteForm(t.Context(), next.by(applicant), next.code, moved))
	next.settle()
	next.upTo(enrollment.StatusAccepted)
}

func TestRefusalsOfARenewal(t *testing.T) {
	h := open(t)
	first := h.draft(applicant).upTo(enrollment.StatusAccepted)
	serial := first.now().Serial
	try := func(c commands.Caller, serial string, basis enrollment.Basis) func() error {
		return func() error {
			_, err := h.OpenRenewal(t.Context(), c, serial, commands.OpenRenewal{Basis: basis})
			return err
		}
	}
	h.refused(fault.New(fault.Conflict, "renewal-too-early", "", ""), try(h.by(applicant), serial, enrollment.Renewal))
	h.refused(enrollment.ErrBasis, try(h.by(applicant), serial, "extension"))
	h.refused(certificate.ErrNotIssued, try(h.by(applicant), "00ff", enrollment.Rekey))
	h.refused(certificate.ErrNotIssued, try(h.by(elsewhere), serial, enrollment.Rekey))
	h.refused(fault.New(fault.Forbidden, "not-the-renewer", "", ""), try(h.by(operator), serial, enrollment.Rekey))

	h.did(h.SuspendCertificate(t.Context(), h.by(applicant), serial, 3))
	h.refused(certificate.ErrOnHold, try(h.by(applicant), serial, enrollment.Rekey))
	h.did(h.LiftSuspension(t.Context(), h.by(applicant), serial))

	doubt := h.did(h.ReportInaccuracy(t.Context(), h.by(second), serial, "سمت درست نیست")).Stream.ID()
	h.refused(commands.ErrUnderDoubt, try(h.by(applicant), serial, enrollment.Rekey))
	h.did(h.OpenInvestigation(t.Context(), h.by(operator), doubt))
	h.did(h.RefuteInaccuracy(t.Context(), h.by(operator), doubt, "درست است"))
	h.clock.pass(366 * day)
	h.refused(certificate.ErrExpired, try(h.by(applicant), serial, enrollment.Rekey))
}

// TestAtTheCounterARenewalIsOpenedForTheHolder: by an officer of its office, who
// has his hand in it then.
func TestAtTheCounterARenewalIsOpenedForTheHolder(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	r := first.did(first.OpenRenewal(t.Context(), first.by(officer), first.now().Serial, commands.OpenRenewal{Basis: enrollment.Rekey}))
	s := state(first.house, enrollment.Kind, r.Stream)
	if s.Counter != "office-1" || s.Form.Entry != enrollment.AtCounter || s.Form.Person != subject(applicant) {
		t.Errorf("opened as %+v", s.Form)
	}
	if s.MayConfirm(subject(officer)) == nil {
		t.Error("who entered it may confirm it")
	}
}

func TestOneRequestFollowsACertificate(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	one, two := first.follow(enrollment.Modification), first.follow(enrollment.Modification)
	elsewhere := formOf(applicant)
	elsewhere.Organization = "10999002029" // of which no other request is open
	two.did(two.CompleteForm(t.Context(), two.by(applicant), two.code, elsewhere))
	two.settle()
	one.upTo(enrollment.StatusAtOffice)
	two.upTo(enrollment.StatusReady)
	two.refused(enrollment.ErrOpenRequest, func() error {
		_, err := two.SubmitRequest(t.Context(), two.by(applicant), two.code, "office-1")
		return err
	})
	one.did(one.Withdraw(t.Context(), one.by(applicant), one.code))
	one.settle()
	two.upTo(enrollment.StatusAccepted)
	first.stands(certificate.Withdrawn, certificate.AffiliationChanged)
}

// TestNothingFollowsARevokedCertificate: whatever the request has reached.
func TestNothingFollowsARevokedCertificate(t *testing.T) {
	for _, reached := range []enrollment.Status{enrollment.StatusReady, enrollment.StatusConfirmed, enrollment.StatusAtCA} {
		t.Run(string(reached), func(t *testing.T) {
			first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
			next := first.follow(enrollment.Rekey).upTo(reached)
			next.did(next.RevokeCertificate(t.Context(), next.by(operator), first.now().Serial, certificate.CessationOfOperation))
			next.settle()
			ctx := t.Context()
			switch reached {
			case enrollment.StatusReady:
				next.refused(certificate.ErrAlreadyRevoked, func() error {
					_, err := next.SubmitRequest(ctx, next.by(applicant), next.code, "office-1")
					return err
				})
			case enrollment.StatusConfirmed:
				next.reserve()
				next.refused(certificate.ErrAlreadyRevoked, func() error {
					_, err := next.IssueCertificate(ctx, next.by(officer), next.code, next.token, next.csr)
					return err
				})
			default:
				if err := next.issue(); err != nil {
					t.Fatal(err)
				}
				if s := next.now(); s.Status != enrollment.StatusConfirmed || s.Serial != "" {
					t.Errorf("the request is %s with %q", s.Status, s.Serial)
				}
			}
		})
	}
}

// TestWhatFollowsFallsWithIt: by policy, and by the handler's look back where the
// policy came too early.
func TestWhatFollowsFallsWithIt(t *testing.T) {
	revoke := func(r *request, reason certificate.Reason) {
		r.did(r.RevokeCertificate(t.Context(), r.by(operator), r.now().Serial, reason))
		r.settle()
	}
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next := first.nearTheEnd().follow(enrollment.Renewal).upTo(enrollment.StatusReadyForDelivery)
	revoke(first, certificate.CessationOfOperation)
	next.stands(certificate.Withdrawn, certificate.CessationOfOperation)

	first = open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next = first.nearTheEnd().follow(enrollment.Renewal).upTo(enrollment.StatusAccepted)
	revoke(next, certificate.KeyCompromise) // one key, two certificates
	next.stands(certificate.Withdrawn, certificate.KeyCompromise)
	first.stands(certificate.Withdrawn, certificate.KeyCompromise)

	first = open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next = first.follow(enrollment.Rekey).upTo(enrollment.StatusAccepted)
	revoke(first, certificate.KeyCompromise) // another key
	next.stands(certificate.Valid, "")

	first = open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next = first.follow(enrollment.Rekey).upTo(enrollment.StatusAtCA)
	next.steps = func(point string) {
		if point == "issuance:issued" {
			next.steps = func(string) {}
			next.did(next.RevokeCertificate(t.Context(), next.by(operator), first.now().Serial, certificate.PrivilegeWithdrawn))
			next.settle()
		}
	}
	if err := next.issue(); err != nil {
		t.Fatal(err)
	}
	next.settle()
	next.stands(certificate.Withdrawn, certificate.PrivilegeWithdrawn)
	if s := next.now().Status; s != enrollment.StatusRevoked {
		t.Errorf("the request is %s", s)
	}
}

// TestFalsityFoundAfterTheRenewal revokes what says the same (invariant 7).
func TestFalsityFoundAfterTheRenewal(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next := first.follow(enrollment.Rekey).upTo(enrollment.StatusAccepted)
	number := next.did(next.ReportInaccuracy(t.Context(), next.by(second), first.now().Serial, "سمت درست نیست")).Stream.ID()
	next.did(next.OpenInvestigation(t.Context(), next.by(operator), number))
	next.did(next.EstablishInaccuracy(t.Context(), next.by(operator), number, "نادرست است", revocation.FalseInformation))
	next.settle()
	next.stands(certificate.Withdrawn, certificate.PrivilegeWithdrawn)
}

// TestARenewalCutOff ends the supersession's steps after each append.
func TestARenewalCutOff(t *testing.T) {
	for _, category := range []string{"token", "certificate"} {
		t.Run(category, func(t *testing.T) {
			first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
			next := first.nearTheEnd().follow(enrollment.Renewal).upTo(enrollment.StatusReadyForDelivery)
			next.did(next.DeliverToken(t.Context(), next.by(officer), next.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard}))
			policy := commands.Caller{Policy: "supersede-on-delivered", Key: "k"}
			next.log.cutAt(category, func() {
				_ = next.SupersedeRenewed(context.Background(), policy, next.request(), event.Subject("x"))
			})
			next.settle()
			first.stands(certificate.Withdrawn, certificate.Superseded)
			if held := state(next.house, token.Kind, token.Kind.Stream(next.token)); held.Status != token.StatusDelivered || held.Certificate != next.now().Serial {
				t.Errorf("the token is %s with %s", held.Status, held.Certificate)
			}
			next.upTo(enrollment.StatusAccepted)
		})
	}
}

// established finds that a certificate's information was false, or its holder
// dead.
func (r *request) established(serial string, finding revocation.Finding) {
	r.t.Helper()
	ctx := r.t.Context()
	number := r.did(r.ReportInaccuracy(ctx, r.by(second), serial, "درست نیست")).Stream.ID()
	r.did(r.OpenInvestigation(ctx, r.by(operator), number))
	r.did(r.EstablishInaccuracy(ctx, r.by(operator), number, "احراز شد", finding))
	r.settle()
}

// TestFalsityGoesDownTheWholeChain: the certificate between the two is revoked
// itself by then, and let go of what it held.
func TestFalsityGoesDownTheWholeChain(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	middle := first.follow(enrollment.Rekey).upTo(enrollment.StatusAccepted)
	last := middle.follow(enrollment.Rekey).upTo(enrollment.StatusAccepted)
	middle.stands(certificate.Withdrawn, certificate.Superseded)
	last.established(first.now().Serial, revocation.FalseInformation)
	last.stands(certificate.Withdrawn, certificate.PrivilegeWithdrawn)
}

// TestADeathEndsWhatElseThePersonHolds: certificates of other types, whoever
// opened the case about one of them; but nobody else's.
func TestADeathEndsWhatElseThePersonHolds(t *testing.T) {
	h := open(t)
	h.did(h.PublishTariff(t.Context(), h.by(manager), commands.PublishTariff{Product: "cpmis-authentication", IssuanceRial: price, ValidFrom: noon}))
	first := h.draft(applicant).upTo(enrollment.StatusAccepted)
	other := *first
	other.code = h.did(h.OpenRequest(t.Context(), h.by(applicant), commands.OpenRequest{Channel: enrollment.Outside, CertificateType: "cpmis-authentication"})).Stream.ID()
	other.token, other.csr = "TOKEN"+other.code, nil
	other.upTo(enrollment.StatusAccepted)
	another := h.draft(neighbour).upTo(enrollment.StatusAccepted)
	first.established(first.now().Serial, revocation.HolderDead)
	first.stands(certificate.Withdrawn, certificate.CessationOfOperation)
	other.stands(certificate.Withdrawn, certificate.CessationOfOperation)
	another.stands(certificate.Valid, "")
}

// TestFalsityGoesBackToWhatSaysTheSame: the one before is valid until the
// delivery.
func TestFalsityGoesBackToWhatSaysTheSame(t *testing.T) {
	for finding, reason := range map[revocation.Finding]certificate.Reason{
		revocation.FalseInformation: certificate.PrivilegeWithdrawn,
		revocation.AffiliationLost:  certificate.AffiliationChanged,
		revocation.HolderDead:       certificate.CessationOfOperation,
	} {
		first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
		next := first.follow(enrollment.Rekey).upTo(enrollment.StatusReadyForDelivery)
		next.established(next.now().Serial, finding)
		next.stands(certificate.Withdrawn, reason)
		first.stands(certificate.Withdrawn, reason)
	}
}

// TestAKeyIsNotLostWithAFailedRenewal: the request that took it over came to
// nothing, and the certificate of that key may still be renewed.
func TestAKeyIsNotLostWithAFailedRenewal(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	failed := first.nearTheEnd().follow(enrollment.Renewal).upTo(enrollment.StatusAtCA)
	ctx := t.Context()
	first.did(first.SuspendCertificate(ctx, first.by(applicant), first.now().Serial, 3))
	if err := failed.issue(); err != nil {
		t.Fatal(err)
	}
	failed.did(failed.Withdraw(ctx, failed.by(applicant), failed.code))
	first.did(first.LiftSuspension(ctx, first.by(applicant), first.now().Serial))
	first.settle()
	next := first.follow(enrollment.Renewal).upTo(enrollment.StatusAccepted)
	first.stands(certificate.Withdrawn, certificate.Superseded)
	next.stands(certificate.Valid, "")
}

// TestWrongDataAndABrokenTokenTakeWhatFollows: both are published as superseded,
// and nothing supersedes them.
func TestWrongDataAndABrokenTokenTakeWhatFollows(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next := first.follow(enrollment.Rekey).upTo(enrollment.StatusReadyForDelivery)
	next.did(next.RevokeFormally(t.Context(), next.by(applicant), first.now().Serial, commands.RevokeFormally{Ground: certificate.WrongData, AskedBy: certificate.Holder}))
	next.settle()
	next.stands(certificate.Withdrawn, certificate.Superseded)

	first = open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next = first.nearTheEnd().follow(enrollment.Renewal).upTo(enrollment.StatusIssued)
	next.did(next.ReportTokenDefective(t.Context(), next.by(applicant), next.token))
	next.settle()
	first.stands(certificate.Withdrawn, certificate.Superseded)
	next.stands(certificate.Withdrawn, certificate.Superseded)

	first = open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next = first.nearTheEnd().follow(enrollment.Renewal).upTo(enrollment.StatusIssued)
	next.did(next.RevokeCertificate(t.Context(), next.by(applicant), first.now().Serial, certificate.Superseded))
	next.settle() // its token is asked back, and nothing can be written to it
	next.stands(certificate.Withdrawn, certificate.Superseded)
}

// TestAModificationFollowsOnlyItsOwnRevocation: no organisation that wants no
// certificate any more is given another one.
func TestAModificationFollowsOnlyItsOwnRevocation(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next := first.follow(enrollment.Modification).upTo(enrollment.StatusConfirmed)
	next.reserve()
	next.established(first.now().Serial, revocation.AffiliationLost)
	first.stands(certificate.Withdrawn, certificate.AffiliationChanged)
	next.refused(certificate.ErrAlreadyRevoked, func() error {
		_, err := next.IssueCertificate(t.Context(), next.by(officer), next.code, next.token, next.csr)
		return err
	})

	first = open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next = first.follow(enrollment.Modification).upTo(enrollment.StatusConfirmed)
	next.reserve()
	next.did(next.ReportInaccuracy(t.Context(), next.by(second), first.now().Serial, "درست نیست"))
	next.did(next.RevokeCertificate(t.Context(), next.by(applicant), first.now().Serial, certificate.AffiliationChanged))
	next.refused(commands.ErrUnderDoubt, func() error {
		_, err := next.IssueCertificate(t.Context(), next.by(officer), next.code, next.token, next.csr)
		return err
	})
}

// TestASuspensionStopsTheDelivery: the next one would end it.
func TestASuspensionStopsTheDelivery(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next := first.nearTheEnd().follow(enrollment.Renewal).upTo(enrollment.StatusReadyForDelivery)
	ctx := t.Context()
	next.did(next.SuspendCertificate(ctx, next.by(operator), first.now().Serial, 3))
	next.refused(certificate.ErrOnHold, func() error {
		_, err := next.DeliverToken(ctx, next.by(officer), next.code, commands.DeliverToken{IdentityChecked: enrollment.NationalCard})
		return err
	})
	next.did(next.LiftSuspension(ctx, next.by(operator), first.now().Serial))
	next.upTo(enrollment.StatusAccepted)
}

// TestTheUserComesBackWhenARekeyIsLost: in the inside channel he is defined with
// the next certificate before its delivery, and that may never be.
func TestTheUserComesBackWhenARekeyIsLost(t *testing.T) {
	h := inside(t)
	ctx := t.Context()
	first := &request{house: h, of: applicant, csr: newCSR(t)}
	first.code = h.did(h.OpenRequest(ctx, h.by(applicant), commands.OpenRequest{Channel: enrollment.Inside, CertificateType: "cpmis-signature"})).Stream.ID()
	first.token = "TOKEN" + first.code
	first.prove(first.filled())
	first.comesTo("activated")
	first.did(first.AcceptCertificate(ctx, first.by(applicant), first.code))
	first.settle()
	name := first.now().Access
	next := first.follow(enrollment.Rekey)
	next.prove(next.now())
	next.did(next.SubmitToUnit(ctx, next.by(applicant), next.code, "unit-b"))
	next.settle()
	next.readyForDispatch()
	next.did(next.IssuePIN(ctx, next.by(officer), next.token, commands.IssuePIN{Envelope: "E-2", Via: token.Post}))
	next.leg("authority", officer, carrier)
	next.leg("unit-b", carrier, unitOfficer)
	define := func(r *request) error {
		_, err := r.DefineAccess(ctx, r.by(unitOfficer), commands.DefineAccess{
			TrackingCode: r.code, UserName: name, Level: access.Viewer, Fingerprint: r.now().Fingerprint, Unit: "unit-b",
		})
		return err
	}
	if err := define(next); err != nil {
		t.Fatal(err)
	}
	next.settle()
	next.refused(access.ErrTaken, func() error { return define(first) })
	next.did(next.ReportTokenLost(ctx, next.by(unitOfficer), next.token))
	next.settle()
	first.stands(certificate.Valid, "")
	if err := define(first); err != nil {
		t.Fatal(err)
	}
	if u := state(h, access.Kind, access.Kind.Stream(name)); !u.Active || u.User.Certificate != first.now().Serial {
		t.Errorf("the user has not come back: %+v", u)
	}
}

// TestAnExpiredCertificateIsNotFollowed by a draft that was opened in time and
// left lying: its key would live on for years.
func TestAnExpiredCertificateIsNotFollowed(t *testing.T) {
	first := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	next := first.nearTheEnd().follow(enrollment.Renewal).upTo(enrollment.StatusReady)
	next.clock.pass(400 * day)
	next.refused(certificate.ErrExpired, next.submit)
}
