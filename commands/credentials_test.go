package commands_test

import (
	"errors"
	"strings"
	"testing"

	"govahi/commands"
	"govahi/commands/officertest"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/credential"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
	"govahi/domain/office"
)

func particulars(code string) commands.RequestCredential {
	return commands.RequestCredential{
		Office: "office-1", GivenName: "نیما", Surname: "نمونه‌پور", LatinGivenName: "Nima", LatinSurname: "Nemunepur",
		PersonCode: code, Email: "nima@example.ir",
	}
}

func TestAnOfficerHasHisCertificateOnceAnOperatorVouchesForHim(t *testing.T) {
	h := open(t)
	asked := h.did(h.RequestCredential(t.Context(), h.by(second), particulars(second), newCSR(t)))
	if err := h.IssueCredential(t.Context(), commands.Caller{Policy: "p", Key: "early"}, asked.Stream); err != nil || len(h.signer.signed) != 0 {
		t.Fatalf("issued before anybody vouched: %v", err)
	}
	h.refused(commands.ErrForbidden, func() error {
		_, err := h.ApproveCredential(t.Context(), h.by(second), asked.Stream.ID())
		return err
	})
	h.did(h.ApproveCredential(t.Context(), h.by(operator), asked.Stream.ID()))
	for range 2 { // the policy may come again
		if err := h.IssueCredential(t.Context(), commands.Caller{Policy: "p", Key: "e"}, asked.Stream); err != nil {
			t.Fatal(err)
		}
	}
	c := state(h, credential.Kind, asked.Stream)
	held := state(h, certificate.Kind, certificate.Kind.Stream(c.Issued.Serial))
	if c.Status != credential.StatusIssued || !held.IsOfficers() || held.Issued.Subject != subject(second) || held.Issued.Request != "" || len(h.signer.signed) != 1 {
		t.Errorf("%+v, %+v, signed %d", c, held, len(h.signer.signed))
	}
}

// TestAnOfficersNamesFillTheirRoom: what is accepted can be certified, and what
// could not is refused before anybody vouches for it.
func TestAnOfficersNamesFillTheirRoom(t *testing.T) {
	h := open(t)
	wide := commands.OpenOffice{Sort: office.Registration, Code: "office-wide", Name: strings.Repeat("ک", 64), Province: strings.Repeat("ک", 64), City: strings.Repeat("ک", 64)}
	long := wide
	long.Name += "ـک"
	h.refused(fault.New(fault.Invalid, "text-too-long", "", ""), func() error {
		_, err := h.OpenOffice(t.Context(), h.by(admin), long)
		return err
	})
	h.did(h.OpenOffice(t.Context(), h.by(admin), wide))
	h.did(h.Appoint(t.Context(), h.by(admin), commands.Appoint{PersonCode: second, Role: appointment.RegistrationOfficer, Place: wide.Code, Until: noon.AddDate(1, 0, 0)}))
	in := particulars(second)
	in.Office, in.GivenName, in.Surname = wide.Code, strings.Repeat("مل\u200cـي", 16), strings.Repeat("ك", 64)
	in.LatinGivenName, in.LatinSurname = strings.Repeat("N", 29), strings.Repeat("N", 30) // and [RA] behind
	_, err := h.RequestCredential(t.Context(), h.by(second), in, newCSR(t))
	if f, ok := fault.Of(err); !ok || f.Error() != "latin-name-too-long at latinSurname" {
		t.Errorf("a common name of 65: %v", err)
	}
	in.LatinSurname = in.LatinGivenName
	asked := h.did(h.RequestCredential(t.Context(), h.by(second), in, newCSR(t)))
	h.did(h.ApproveCredential(t.Context(), h.by(operator), asked.Stream.ID()))
	if err := h.IssueCredential(t.Context(), commands.Caller{Policy: "p", Key: "e"}, asked.Stream); err != nil {
		t.Fatal(err)
	}
	if c := state(h, credential.Kind, asked.Stream); c.Status != credential.StatusIssued {
		t.Errorf("it is %+v", c)
	}
}

func TestACredentialIsForOneself(t *testing.T) {
	h := open(t)
	csr := newCSR(t)
	h.refused(commands.ErrOtherPerson, func() error {
		_, err := h.RequestCredential(t.Context(), h.by(second), particulars(officer), csr)
		return err
	})
	h.refused(commands.ErrForbidden, func() error {
		_, err := h.RequestCredential(t.Context(), h.by(elsewhere), particulars(elsewhere), csr)
		return err
	})
	h.did(h.RequestCredential(t.Context(), h.by(second), particulars(second), csr))
	h.refused(certificate.ErrKeyReused, func() error {
		_, err := h.RequestCredential(t.Context(), h.by(officer), particulars(officer), csr)
		return err
	})
	h.appoint(second, appointment.CAOperator, "", noon.AddDate(1, 0, 0))
	number := h.all("credential.requested.v1")[0].Stream.ID()
	h.refused(credential.ErrOwn, func() error {
		_, err := h.ApproveCredential(t.Context(), h.by(second), number)
		return err
	})
}

func TestAConfirmationIsSignedByTheOfficersOwnCertificate(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusControlled)
	seen := r.record()
	confirm := func(signature []byte) func() error {
		return func() error {
			_, err := r.ConfirmInformation(t.Context(), r.by(second), r.code, seen, signature)
			return err
		}
	}
	own, statement := officertest.SerialOf(subject(second)), seen.Statement(r.code)
	r.refused(enrollment.ErrUnsigned, confirm(nil))
	r.refused(officertest.ErrMalformed, confirm([]byte("no signature")))
	r.refused(officertest.ErrWrong, confirm(officertest.Sign(own, []byte("another record"))))
	r.refused(officertest.ErrWrong, confirm(officertest.Sign(own, seen.Statement("050000000018"))))
	r.refused(commands.ErrNotOfficers, confirm(officertest.Sign(officertest.SerialOf(subject(officer)), statement)))
	r.refused(commands.ErrNotOfficers, confirm(officertest.Sign("67ff", statement)))
	holder := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	r.refused(commands.ErrNotOfficers, confirm(officertest.Sign(holder.now().Serial, statement)))
	r.did(r.RevokeCertificate(t.Context(), r.by(operator), own, certificate.KeyCompromise))
	r.refused(commands.ErrNotOfficers, confirm(officertest.Sign(own, statement)))
}

func TestASignersNoToTheConfirmationHasItMadeAgain(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtCA)
	r.signer.fails = commands.ErrConfirmationVoid
	if err := r.issue(); err != nil {
		t.Fatal(err)
	}
	if s := r.now(); s.Status != enrollment.StatusControlled || s.Confirmation.By != "" {
		t.Fatalf("the request is %s, confirmed by %q", s.Status, s.Confirmation.By)
	}
	r.signer.fails = nil
	r.did(r.confirm(t.Context(), r.by(second), r.record()))
	if string(r.signer.officer) != officertest.SerialOf(subject(second)) {
		t.Errorf("the signer was given %q", r.signer.officer)
	}
}

func TestAnOfficeWithoutALicenceSendsNothingToTheCA(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusConfirmed)
	r.reserve()
	ask := func() error {
		_, err := r.IssueCertificate(t.Context(), r.by(officer), r.code, r.token, r.csr)
		return err
	}
	r.did(r.LicenseOffice(t.Context(), r.by(operator), "office-1", commands.LicenseOffice{Number: "P-2", From: noon.AddDate(-1, 0, 0), Until: noon}))
	r.refused(office.ErrUnlicensed, ask)
	r.did(r.LicenseOffice(t.Context(), r.by(operator), "office-1", commands.LicenseOffice{Number: "P-3", From: noon, Until: noon.AddDate(3, 0, 0)}))
	if err := ask(); err != nil {
		t.Error(err)
	}
	r.refused(commands.ErrForbidden, func() error {
		_, err := r.LicenseOffice(t.Context(), r.by(officer), "office-1", commands.LicenseOffice{Number: "P-4", From: noon, Until: noon.AddDate(1, 0, 0)})
		return err
	})
	_, err := r.LicenseOffice(t.Context(), r.by(operator), "nowhere", commands.LicenseOffice{Number: "P-4", From: noon, Until: noon.AddDate(1, 0, 0)})
	if !errors.Is(err, office.ErrNotFound) {
		t.Errorf("licensed an office that is not there: %v", err)
	}
}
