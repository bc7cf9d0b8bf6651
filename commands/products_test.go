package commands_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"govahi/adapters/pki/profiles"
	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
	"govahi/domain/profile"
)

// ask opens a request for a product, with a price for it and a form that fits.
func (h *house) ask(product string) *request {
	h.t.Helper()
	h.did(h.PublishTariff(h.t.Context(), h.by(manager), commands.PublishTariff{
		Product: product, TokenRial: 1_000_000, IssuanceRial: 500_000, ValidFrom: noon.AddDate(-1, 0, 0),
	}))
	opened := h.did(h.OpenRequest(h.t.Context(), h.by(applicant), commands.OpenRequest{Channel: enrollment.Outside, CertificateType: product}))
	r := &request{house: h, code: opened.Stream.ID(), of: applicant, token: "TOKEN" + opened.Stream.ID()}
	p, err := profiles.Default().Offered(product)
	if err != nil {
		h.t.Fatal(err)
	}
	switch p.Holder {
	case profile.Person:
		r.fill = func(f *commands.FormInput) { f.OrganizationName, f.Organization, f.Post = "", "", "" }
		r.seen = &commands.VerifyDocuments{Sighted: []enrollment.Document{enrollment.BirthCertificate, enrollment.NationalCard}}
	case profile.Stamp:
		r.fill = func(f *commands.FormInput) { f.LatinOrganizationName = "Nemune Co. (Ltd)" }
	}
	return r
}

// TestEveryProductIsIssued takes each from the request to the certificate, by
// its own form and its own originals.
func TestEveryProductIsIssued(t *testing.T) {
	for _, product := range profiles.Default().Products() {
		t.Run(product, func(t *testing.T) {
			r := open(t).ask(product).upTo(enrollment.StatusIssued)
			intent := r.certificate().Intent
			p, _ := profiles.Default().Offered(product)
			if intent.Profile != p.ID() || intent.ProfileHash != p.Hash() {
				t.Errorf("issued under %s, %s", intent.Profile, intent.ProfileHash)
			}
			der, err := r.certificate().Issued.Certificate.Open(t.Context(), r.keeper)
			if err != nil {
				t.Fatal(err)
			}
			c, err := x509.ParseCertificate(der.DER)
			if err != nil {
				t.Fatal(err)
			}
			if broken := p.Check(c, r.ca().Certificate()); len(broken) != 0 {
				t.Errorf("%s breaks %v", c.Subject, profile.Errors(broken))
			}
		})
	}
}

func TestWhoSpeaksForHimselfShowsNoLetter(t *testing.T) {
	r := open(t).ask("person-signature").upTo(enrollment.StatusAtOffice)
	if missing := r.now().Missing(); slices.Contains(missing, "introduction-letter") || slices.Contains(missing, "legal-person-card") {
		t.Errorf("missing are %v", missing)
	}
	member := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	if missing := member.now().Missing(); !slices.Contains(missing, "introduction-letter") || !slices.Contains(missing, "legal-person-card") {
		t.Errorf("missing of a member are %v", missing)
	}
}

// TestAFormSaysWhatItsCertificateSays: what is missing is asked for, and what the
// certificate would leave out is not dropped in silence.
func TestAFormSaysWhatItsCertificateSays(t *testing.T) {
	for product, spoilt := range map[string]map[string]struct {
		change func(*commands.FormInput)
		want   string
	}{
		"person-signature": {
			"organization":          {func(f *commands.FormInput) { f.Organization = "10999001013" }, "field-not-for-this-type"},
			"organizationName":      {func(f *commands.FormInput) { f.OrganizationName = "شرکت نمونه" }, "field-not-for-this-type"},
			"post":                  {func(f *commands.FormInput) { f.Post = "کارشناس" }, "field-not-for-this-type"},
			"latinOrganizationName": {func(f *commands.FormInput) { f.LatinOrganizationName = "Nemune" }, "field-not-for-this-type"},
		},
		"member-signature": {
			"latinSurname": {func(f *commands.FormInput) {
				f.LatinGivenName, f.LatinSurname = strings.Repeat("N", 28), strings.Repeat("N", 29)
			}, "latin-name-too-long"},
			"organization":          {func(f *commands.FormInput) { f.Organization = "" }, "company-id-invalid"},
			"post":                  {func(f *commands.FormInput) { f.Post = "" }, "field-required"},
			"latinOrganizationName": {func(f *commands.FormInput) { f.LatinOrganizationName = "Nemune" }, "field-not-for-this-type"},
		},
		"organisation-stamp": {
			"latinOrganizationName":  {func(f *commands.FormInput) { f.LatinOrganizationName = "شرکت نمونه" }, "latin-organization-name-invalid"},
			"latinOrganizationName ": {func(f *commands.FormInput) { f.LatinOrganizationName = strings.Repeat("N", 57) }, "latin-name-too-long"},
			"organizationName":       {func(f *commands.FormInput) { f.OrganizationName = " " }, "field-required"},
		},
	} {
		r := open(t).ask(product)
		for field, c := range spoilt {
			in := r.form()
			c.change(&in)
			_, err := r.CompleteForm(t.Context(), r.by(applicant), r.code, in)
			if f, ok := fault.Of(err); !ok || f.Field != strings.TrimSpace(field) || f.Code != c.want {
				t.Errorf("%s, %s: %v", product, field, err)
			}
		}
	}
}

func TestWhatIsNotOfferedIsRefused(t *testing.T) {
	h := open(t)
	for _, product := range []string{"", "ocsp-responder", "ra-officer", "CPMIS-signature", "cpmis-signature@1"} {
		h.refused(profile.ErrProduct, func() error {
			_, err := h.OpenRequest(t.Context(), h.by(applicant), commands.OpenRequest{Channel: enrollment.Outside, CertificateType: product})
			return err
		})
		h.refused(profile.ErrProduct, func() error {
			_, err := h.PublishTariff(t.Context(), h.by(manager), commands.PublishTariff{Product: product, IssuanceRial: 1, ValidFrom: noon})
			return err
		})
	}
}

// TestKeysAreOfTheKindsThatTheProfileTakes: at the desk, where another can be made.
func TestKeysAreOfTheKindsThatTheProfileTakes(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusConfirmed)
	r.Authority = otherwise{r.Authority, setWith(t, "cpmis-signature@2", func(p *profile.Profile) { p.Keys = []profile.Key{profile.P384} })}
	r.stock()
	r.did(r.ReserveToken(t.Context(), r.by(officer), r.code, r.token))
	short, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []any{short, other} {
		csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.IssueCertificate(t.Context(), r.by(officer), r.code, r.token, csr)
		var f *fault.Fault
		if !errors.As(err, &f) || f.Code != "key-kind-not-in-profile" || f.Field != "csr" || f.Text.Fa == "" {
			t.Errorf("%T: %v", key, err)
		}
	}
	if s := r.now().Status; s != enrollment.StatusConfirmed {
		t.Errorf("the request is %s", s)
	}
}
