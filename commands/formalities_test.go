package commands_test

import (
	"testing"

	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
)

var powerOfAttorney = commands.RevokeFormally{
	Ground: certificate.HoldersWish, AskedBy: certificate.Attorney, Identity: "national-card", Number: "۱۲/۳۴", Date: "1405/08/01",
	Name: "وکیل نمونه", Notary: "دفترخانهٔ ۱ تهران", Scope: true,
}

// TestWhoBringsARevocation: online the holder, at the counter the office or the
// CA, and each for himself where he is obliged or entitled to.
func TestWhoBringsARevocation(t *testing.T) {
	seen := commands.RevokeFormally{Identity: "passport", Number: "1", Date: "1405/08/01", Name: "نمونه", Notary: "نمونه", Scope: true, Seal: true}
	for asker, may := range map[certificate.Asker][]string{
		certificate.Holder: {applicant}, certificate.HolderInPerson: {officer, operator}, certificate.Attorney: {officer, operator},
		certificate.Organisation: {officer, operator}, certificate.Officer: {officer}, certificate.Operator: {operator},
	} {
		for _, person := range []string{applicant, officer, operator, auditor} {
			r := open(t).draft(applicant).upTo(enrollment.StatusIssued)
			in := seen
			in.Ground, in.AskedBy = certificate.WrongData, asker
			before := r.head()
			_, err := r.RevokeFormally(t.Context(), r.by(person), r.now().Serial, in)
			f, _ := fault.Of(err)
			switch allowed := contains(may, person); {
			case allowed && (err != nil || r.certificate().Reason != certificate.Superseded):
				t.Errorf("%s brings what %s asks: %v", subject(person), asker, err)
			case !allowed && (f == nil || f.Kind != fault.Forbidden || r.head() != before):
				t.Errorf("%s brings what %s asks: %v", subject(person), asker, err)
			}
		}
	}
}

func contains(list []string, name string) bool {
	for _, n := range list {
		if n == name {
			return true
		}
	}
	return false
}

// TestARevocationCitesItsFormality, and the names in it are sealed.
func TestARevocationCitesItsFormality(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	r.did(r.RevokeFormally(t.Context(), r.by(officer), r.now().Serial, powerOfAttorney))
	last := r.all("certificate.revoked.v2")[0]
	e, err := certificate.Catalog.Open(last)
	if err != nil {
		t.Fatal(err)
	}
	is := e.(certificate.Revoked)
	want := certificate.Formality{Identity: "national-card", Number: "۱۲/۳۴", Date: "1405/08/01", Scope: true}
	if is.Ground != certificate.HoldersWish || is.Asker != certificate.Attorney || is.Formality == nil || is.Names == nil {
		t.Fatalf("it says %+v", is)
	}
	names, err := is.Names.Open(t.Context(), r.keeper)
	if err != nil || names.Name != powerOfAttorney.Name || names.Notary != powerOfAttorney.Notary {
		t.Errorf("names %+v, %v", names, err)
	}
	if got := *is.Formality; got.Number == "" || got.Date != want.Date || got.Identity != want.Identity || !got.Scope || got.Seal {
		t.Errorf("formality %+v", got)
	}
}

// TestNobodysErasureKeepsHisCertificate: what cannot be sealed any more is left
// out, and the revocation stands.
func TestNobodysErasureKeepsHisCertificate(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	serial := r.now().Serial
	r.keeper.Forget(subject(applicant))
	c := r.by(officer)
	first := r.did(r.RevokeFormally(t.Context(), c, serial, powerOfAttorney))
	if again := r.did(r.RevokeFormally(t.Context(), c, serial, powerOfAttorney)); again != first {
		t.Errorf("again %+v, first %+v", again, first)
	}
	e, err := certificate.Catalog.Open(r.all("certificate.revoked.v2")[0])
	if is, ok := e.(certificate.Revoked); err != nil || !ok || is.Names != nil || is.Formality.Number == "" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestWrongFormalitiesAreNamed(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	for name, change := range map[string]func(*commands.RevokeFormally){
		"date":    func(in *commands.RevokeFormally) { in.Date = "1405/12/30" },
		"number":  func(in *commands.RevokeFormally) { in.Number = " " },
		"name":    func(in *commands.RevokeFormally) { in.Name = "\u202e" },
		"notary":  func(in *commands.RevokeFormally) { in.Notary = "\u200b" },
		"ground":  func(in *commands.RevokeFormally) { in.Ground = "whim" },
		"askedBy": func(in *commands.RevokeFormally) { in.AskedBy = "whoever" },
	} {
		in := powerOfAttorney
		change(&in)
		before := r.head()
		_, err := r.RevokeFormally(t.Context(), r.by(officer), r.now().Serial, in)
		if f, ok := fault.Of(err); !ok || f.Kind != fault.Invalid || f.Field != name || r.head() != before {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestACompromisedKeyIsNeverCertifiedAgain, whoever brings it.
func TestACompromisedKeyIsNeverCertifiedAgain(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	r.did(r.RevokeFormally(t.Context(), r.by(applicant), r.now().Serial, commands.RevokeFormally{Ground: certificate.PINKnown, AskedBy: certificate.Holder}))
	r.settle()
	other := r.draft(neighbour).upTo(enrollment.StatusConfirmed)
	other.csr = r.csr
	other.reserve()
	before := r.head()
	_, err := other.IssueCertificate(t.Context(), r.by(officer), other.code, other.token, r.csr)
	if f, ok := fault.Of(err); !ok || f.Code != "key-blocked" || r.head() != before {
		t.Errorf("got %v", err)
	}
	blocked := state(r.house, certificate.Blocklist, event.NewStream("blockedkey", r.certificate().Intent.KeyHash))
	if blocked.Certificate != r.now().Serial {
		t.Errorf("blocked by %+v", blocked)
	}
}

// TestNoOrganisationSpeaksForWhoNamesNone: a certificate without an organisation
// is not an organisation's to end, whatever the ground.
func TestNoOrganisationSpeaksForWhoNamesNone(t *testing.T) {
	letter := func(ground certificate.Ground) commands.RevokeFormally {
		return commands.RevokeFormally{
			Ground: ground, AskedBy: certificate.Organisation, Identity: "passport", Number: "12", Date: "1405/08/01", Name: "نمایندهٔ نمونه", Seal: true,
		}
	}
	alone := open(t).ask("person-signature").upTo(enrollment.StatusAccepted)
	for _, person := range []string{officer, operator} {
		for _, ground := range []certificate.Ground{certificate.OrganisationsRequest, certificate.KeyCompromised} {
			alone.refused(commands.ErrNoOrganization, func() error {
				_, err := alone.RevokeFormally(t.Context(), alone.by(person), alone.now().Serial, letter(ground))
				return err
			})
		}
		alone.refused(commands.ErrNoOrganization, func() error {
			_, err := alone.ReportAffiliationEnded(t.Context(), alone.by(person), alone.now().Serial, "12", "1405/08/01")
			return err
		})
	}
	member := open(t).draft(applicant).upTo(enrollment.StatusAccepted)
	member.did(member.ReportAffiliationEnded(t.Context(), member.by(officer), member.now().Serial, "12", "1405/08/01"))
	member.did(member.RevokeFormally(t.Context(), member.by(officer), member.now().Serial, letter(certificate.OrganisationsRequest)))
}
