package commands_test

import (
	"strings"
	"testing"

	"govahi/domain/fault"
)

func TestEveryWrongFieldIsNamedAtOnce(t *testing.T) {
	r := open(t).draft(applicant)
	in := formOf(applicant)
	in.Surname, in.BirthDate, in.Mobile, in.City, in.Post = "Sara", "1404/12/30", "021", "a\x00b", " "
	before := r.head()
	_, err := r.CompleteForm(t.Context(), r.by(applicant), r.code, in)
	var named []string
	for _, f := range fault.All(err) {
		named = append(named, f.Error())
	}
	want := "persian-name-invalid at surname, birth-date-invalid at birthDate, mobile-invalid at mobile, control-character at city, field-required at post"
	if got := strings.Join(named, ", "); got != want || r.head() != before {
		t.Errorf("got %s", got)
	}
}

// TestADoubtfulCompanyIsAccepted: its check digit is no official rule, so what
// breaks it is told to whoever filled in the form, and stored (domain §3.2, §3.5).
func TestADoubtfulCompanyIsAccepted(t *testing.T) {
	r := open(t).draft(applicant)
	in := formOf(applicant)
	if w := in.Warnings(); len(w) != 0 {
		t.Errorf("a usual form is warned of: %v", w)
	}
	in.Organization, in.PostalCode = "۱۰۹۹۹۰۰۱۰۱۴", "1111619735"
	r.did(r.CompleteForm(t.Context(), r.by(applicant), r.code, in))
	f, err := r.now().Form.Form.Open(t.Context(), r.keeper)
	if err != nil || f.Organization != "10999001014" || f.PostalCode != "1111619735" {
		t.Errorf("stored %+v, %v", f, err)
	}
	w := in.Warnings()
	if len(w) != 2 || w[0].Error() != "postal-code-unusual at postalCode" || w[1].Error() != "company-id-doubtful at organization" {
		t.Errorf("warned of %v", w)
	}
	in.Organization, in.PostalCode = "33333333333", "123"
	if w := in.Warnings(); len(w) != 0 {
		t.Errorf("what is refused is warned of too: %v", w)
	}
}

// TestTextsHaveNothingInvisible: but for the half space of Persian words.
func TestTextsHaveNothingInvisible(t *testing.T) {
	r := open(t).draft(applicant)
	for _, hidden := range []string{
		"\x00", "\t", "\n", "\u0085", "\u2028", "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\ufff9", "\ue000", "\uffff", "\U000e0041",
	} {
		in := formOf(applicant)
		in.Address = "تهران" + hidden + "، خیابان نمونه"
		_, err := r.CompleteForm(t.Context(), r.by(applicant), r.code, in)
		if f, ok := fault.Of(err); !ok || f.Error() != "control-character at address" {
			t.Errorf("%+q: %v", hidden, err)
		}
	}
	in := formOf(applicant)
	in.Address, in.OrganizationName = "می\u200cدان نمونه\u200f، پلاک ۱۲ 😀", "شرکت نمونه (سهامی\u00a0خاص)"
	r.did(r.CompleteForm(t.Context(), r.by(applicant), r.code, in))
}
