package enrollment

import (
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func followed(b Basis) RenewalOpened {
	return RenewalOpened{b, "a1b2", Kind.Stream("140598765432"), sara, noon}
}

// former is a first request whose certificate its holder has.
func former(c Channel) Enrollment {
	return Enrollment{TrackingCode: "140598765432", Channel: c, Status: StatusAccepted, Form: form(1)}
}

func openRenewal(b Basis, c Channel, by event.Subject, office string) OpenRenewal {
	f := personal()
	return OpenRenewal{
		Open:  Open{TrackingCode: begun.TrackingCode, Channel: c, CertificateType: begun.CertificateType, By: by, Office: office, At: noon},
		Basis: b, Certificate: "a1b2", Former: former(c), Form: &f,
	}
}

func TestARenewalOpensWithTheFormFilledIn(t *testing.T) {
	spec.Given(t, Kind).When(openRenewal(Renewal, Outside, sara, "")).Then(begun, followed(Renewal), form(1))

	opened := begun
	opened.OpenedBy, opened.Office = parisa, "ahvaz"
	spec.Given(t, Kind).When(openRenewal(Rekey, Outside, parisa, "ahvaz")).Then(opened, followed(Rekey), counterForm(1))

	empty := openRenewal(Modification, Outside, sara, "")
	empty.Form = nil
	spec.Given(t, Kind).When(empty).Then(begun, followed(Modification))
}

func TestWhatCannotBeRenewed(t *testing.T) {
	early := openRenewal(Renewal, Outside, sara, "")
	early.Former.Status = StatusDelivered
	spec.Given(t, Kind).When(early).ThenFault(ErrNotAccepted)
	spec.Given(t, Kind).When(openRenewal(Renewal, Inside, sara, "")).ThenFault(ErrRenewalInside)
	spec.Given(t, Kind).When(openRenewal("extension", Outside, sara, "")).ThenFault(ErrBasis)
	spec.Given(t, Kind, begun).When(openRenewal(Renewal, Outside, sara, "")).ThenFault(ErrCodeTaken)
}

func TestARenewalStaysItsHolders(t *testing.T) {
	other := completing()
	other.Person = omid
	spec.Given(t, Kind, begun, followed(Modification)).When(other).ThenFault(ErrOtherParty)
	spec.Given(t, Kind, begun, followed(Modification)).When(completing()).Then(form(1))
}

func TestWhatACertificateSays(t *testing.T) {
	a := personal()
	b := a
	b.Mobile, b.Address, b.PostalCode, b.Passport = "09129999999", "دیگر", "1345678901", "A1234567"
	if f := SameCertified(a, b); f != "" {
		t.Errorf("%s is not in a certificate", f)
	}
	for field, change := range map[string]func(*Form){
		"givenName": func(f *Form) { f.GivenName = "آ" }, "surname": func(f *Form) { f.Surname = "آ" },
		"latinGivenName": func(f *Form) { f.LatinGivenName = "A" }, "latinSurname": func(f *Form) { f.LatinSurname = "A" },
		"personCode": func(f *Form) { f.PersonCode = "9991000046" }, "birthDate": func(f *Form) { f.BirthDate = "1361/01/01" },
		"email": func(f *Form) { f.Email = "a@example.ir" }, "province": func(f *Form) { f.Province = "قم" }, "city": func(f *Form) { f.City = "قم" },
		"organization": func(f *Form) { f.Organization = "10999002029" }, "organizationName": func(f *Form) { f.OrganizationName = "آ" },
		"latinOrganizationName": func(f *Form) { f.LatinOrganizationName = "A" }, "post": func(f *Form) { f.Post = "آ" },
	} {
		b := a
		change(&b)
		if got := SameCertified(a, b); got != field {
			t.Errorf("%s changed, and the difference is %q", field, got)
		}
	}
}
