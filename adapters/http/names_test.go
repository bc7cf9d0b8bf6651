package http

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/profile"
	"govahi/queries"
)

// spelt is a text as it is stored and shown, and as somebody may type it: letters
// of an Arabic keyboard, parts of letters, and what nobody sees.
type spelt struct{ shown, typed string }

// spell fills so many characters with a syllable. What is typed has every trouble
// of domain §3.7 for which the syllable has room, and is much longer.
func spell(syllable string, characters int) spelt {
	shown := []rune(strings.Repeat(syllable, characters))[:characters]
	if last := shown[characters-1]; last == ' ' || last == '\u200c' {
		shown[characters-1] = 'ی'
	}
	typed := strings.NewReplacer(
		"ی", "ي", "ک", "ك", "آ", "ا\u0653", "ئ", "ي\u0654", "ؤ", "و\u0654", "أ", "ا\u0654", "\u200c", "\u200c\u200c",
		"ل", "لـ", "ر", "\u200fر\u200e", "é", "e\u0301", "ü", "u\u0308",
	).Replace(string(shown))
	return spelt{string(shown), "\u202b\u2067" + typed + "\u2069\u202c"}
}

// The names of somebody of whom each fills its room: 64 characters (RFC 5280
// Appendix A.1), and the Latin ones together with the space between and [Sign].
var (
	longGiven   = spell("ملی\u200cآئةک", 64)
	longSurname = spell("کریمی\u200cنژادؤأءئ", 64)
	longCompany = spell("شرکت نفت\u200cخیز جنوب ", 64)
	longPost    = spell("کارشناس ارشد ایمنی\u200c", 64)
	longCity    = spell("بندر ماهشهر\u200c", 64)
	longState   = spell("کهگیلویه و بویراحمد ", 64)
	longLatin   = spell("Müllér", 28)
)

func longForm(code string) (typed commands.FormInput, shown enrollment.Form) {
	in, f := form(), enrollment.Form{PersonCode: code, BirthDate: "1360/01/01", Mobile: "09120001234"}
	in.PersonCode = code
	f.Email, f.Address, f.PostalCode, f.Organization = in.Email, in.Address, in.PostalCode, in.Organization
	for _, name := range []struct {
		of            spelt
		typed, stored *string
	}{
		{longGiven, &in.GivenName, &f.GivenName},
		{longSurname, &in.Surname, &f.Surname},
		{longLatin, &in.LatinGivenName, &f.LatinGivenName},
		{longLatin, &in.LatinSurname, &f.LatinSurname},
		{longCompany, &in.OrganizationName, &f.OrganizationName},
		{longPost, &in.Post, &f.Post},
		{longCity, &in.City, &f.City},
		{longState, &in.Province, &f.Province},
	} {
		*name.typed, *name.stored = name.of.typed, name.of.shown
	}
	return in, f
}

// TestALongNameIsTheSameEverywhere walks from the form to the certificate, once
// by the applicant and once at the counter: what was typed is shown, found,
// written, printed and certified in its canonical form, of exactly 64 characters.
func TestALongNameIsTheSameEverywhere(t *testing.T) {
	l := &told{life: alive(t)}
	for _, door := range []struct {
		name, persona, applicant, token string
		open                            map[string]string
	}{
		{"by the applicant", "applicant", "applicant", "TOKEN1", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"}},
		{"at the counter", "officer-1", "applicant-2", "TOKEN2", map[string]string{"channel": "outside", "certificateType": "cpmis-signature", "office": "office-1"}},
	} {
		t.Run(door.name, func(t *testing.T) {
			l.house.t = t
			defer func(outer *testing.T) { l.house.t = outer }(t)
			typed, shown := longForm(personOf(door.applicant))
			for _, s := range []string{typed.GivenName, typed.Surname, typed.Province} {
				if n := utf8.RuneCountInString(s); n <= 64 {
					t.Fatalf("typed are %d characters", n)
				}
			}
			l.submits(door.persona, door.open, typed)
			l.controls("60" + door.token[5:])
			l.showsForm(door.applicant, shown)
			l.findsBySurname(shown)
			l.certifies(door.token)
			l.showsNames(door.applicant, shown)
			l.certifiesNames(door.applicant, shown)
			l.writesNames(shown)
		})
	}
}

// showsForm compares the whole form, wherever it is answered.
func (l *told) showsForm(applicant string, want enrollment.Form) {
	l.t.Helper()
	for persona, path := range map[string]string{applicant: "/form", "officer-1": "/form", "officer-2": "/record"} {
		var got struct {
			enrollment.Form
			Within enrollment.Form `json:"form"`
		}
		l.get(persona, "/requests/"+l.code+path).json(l.t, &got)
		form := got.Form
		if path == "/record" {
			form = got.Within
		}
		if diff := cmp.Diff(want, form); diff != "" {
			l.t.Errorf("%s at %s: %s", persona, path, diff)
		}
	}
}

// findsBySurname searches by its key: in every spelling, and by no other name.
func (l *told) findsBySurname(f enrollment.Form) {
	l.t.Helper()
	spellings := map[string]string{
		"as shown": f.Surname, "as typed": longSurname.typed, "without half spaces": strings.ReplaceAll(f.Surname, "\u200c", ""),
		"with spaces": strings.ReplaceAll(f.Surname, "\u200c", " "), "without hamza": strings.NewReplacer("ؤ", "و", "أ", "ا", "ئ", "ی").Replace(f.Surname),
		"with vowel marks": strings.ReplaceAll(f.Surname, "ک", "کَ"), "with a title": "سید " + f.Surname,
	}
	for how, surname := range spellings {
		var found []queries.Request
		l.ask("POST", "/offices/office-1/search", compact(map[string]string{"surname": surname}), l.as("officer-1")...).json(l.t, &found)
		if !slices.ContainsFunc(found, func(r queries.Request) bool { return r.TrackingCode == l.code }) {
			l.t.Errorf("%s: found %d others", how, len(found))
		}
	}
	var found []queries.Request
	l.ask("POST", "/offices/office-1/search", compact(map[string]string{"surname": f.Surname[:len(f.Surname)-2]}), l.as("officer-1")...).json(l.t, &found)
	if len(found) != 0 {
		l.t.Errorf("half a name found %d", len(found))
	}
}

// showsNames looks at rows and pages; the public ones name nobody.
func (l *told) showsNames(applicant string, f enrollment.Form) {
	l.t.Helper()
	name, after := f.GivenName+" "+f.Surname, l.position()
	for persona, path := range map[string]string{applicant: "/requests", "officer-1": "/offices/office-1/requests", "officer-2": "/offices/office-1/requests"} {
		var rows []queries.Request
		l.get(persona, path+"?after="+after).json(l.t, &rows)
		if !slices.ContainsFunc(rows, func(r queries.Request) bool { return r.TrackingCode == l.code && r.Name == name }) {
			l.t.Errorf("%s has no row of that name", persona)
		}
	}
	for path, texts := range map[string][]string{
		"/requests/" + l.code + "/sheet.html":   {name, f.LatinGivenName + " " + f.LatinSurname, f.OrganizationName, f.Post},
		"/requests/" + l.code + "/form.html":    {f.GivenName, f.Surname, f.LatinGivenName, f.LatinSurname, f.OrganizationName, f.Post, f.City, f.Province},
		"/requests/" + l.code + "/receipt.html": {name},
	} {
		page := html.UnescapeString(string(l.get(applicant, path).body))
		for _, text := range texts {
			if !strings.Contains(page, text) {
				l.t.Errorf("%s does not show %q", path, text)
			}
		}
	}
	for _, path := range []string{"/management", "/dashboard"} {
		page := html.UnescapeString(string(l.get("manager", path+"?after="+after).body))
		if !strings.Contains(page, f.Province) || strings.Contains(page, f.Surname) {
			l.t.Errorf("%s does not count the province, or names somebody", path)
		}
	}
	verified := html.UnescapeString(string(l.get("", "/verify?serial="+l.serial).body))
	if !strings.Contains(verified, "standing valid") || strings.Contains(verified, f.Surname) || strings.Contains(verified, f.LatinSurname) {
		l.t.Errorf("the public page says\n%s", verified)
	}
}

// certifiesNames reads the certificate by crypto/x509 and by openssl.
func (l *told) certifiesNames(applicant string, f enrollment.Form) {
	l.t.Helper()
	block, _ := pem.Decode(l.get(applicant, "/certificates/"+l.serial+"/certificate.pem").body)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		l.t.Fatal(err)
	}
	want := []struct {
		of          profile.Type
		name, value string
	}{
		{profile.Organization, "organizationName", "Non-Governmental"},
		{profile.OrganizationalUnit, "organizationalUnitName", f.OrganizationName},
		{profile.OrganizationIdentifier, "organizationIdentifier", f.Organization},
		{profile.Province, "stateOrProvinceName", f.Province},
		{profile.Locality, "localityName", f.City},
		{profile.Post, "title", f.Post},
		{profile.Surname, "surname", f.Surname},
		{profile.GivenName, "givenName", f.GivenName},
		{profile.SerialNumber, "serialNumber", f.PersonCode},
		{profile.CommonName, "commonName", f.LatinGivenName + " " + f.LatinSurname + " [Sign]"},
	}
	printed := l.openssl(block.Bytes)
	for _, w := range want {
		i := slices.IndexFunc(c.Subject.Names, func(n pkix.AttributeTypeAndValue) bool { return n.Type.Equal(w.of.OID()) })
		if i < 0 || c.Subject.Names[i].Value != w.value {
			l.t.Errorf("crypto/x509 reads no %s of %q in %v", w.of, w.value, c.Subject)
		}
		if !strings.Contains(printed, "\n    "+w.name+"="+w.value+"\n") {
			l.t.Errorf("openssl reads no %s=%s in %s", w.name, w.value, printed)
		}
	}
	if common := []rune(c.Subject.CommonName); len(common) != 64 || !slices.Equal(c.EmailAddresses, []string{f.Email}) {
		l.t.Errorf("the common name has %d characters, the addresses are %v", len(common), c.EmailAddresses)
	}
}

// openssl is the subject as a foreign reader prints it.
func (l *told) openssl(der []byte) string {
	l.t.Helper()
	file := filepath.Join(l.t.TempDir(), "certificate.der")
	if err := os.WriteFile(file, der, 0o600); err != nil {
		l.t.Fatal(err)
	}
	out, err := exec.CommandContext(l.t.Context(), "openssl", "x509", "-inform", "DER", "-in", file, "-noout", "-subject",
		"-nameopt", "utf8,sep_multiline,lname").CombinedOutput()
	if err != nil {
		l.t.Fatalf("openssl: %v: %s", err, out)
	}
	return string(out)
}

// writesNames reads what the mail server is handed.
func (l *told) writesNames(f enrollment.Form) {
	l.t.Helper()
	outbox := &letters{}
	events, err := event.ReadBatch(l.t.Context(), l.log.Log, 0, 10_000)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, e := range events {
		if e.Type == "notification.requested.v1" {
			if err := l.app.SendNotification(l.t.Context(), commands.Caller{Policy: "mail"}, outbox, e.Stream.ID()); err != nil {
				l.t.Fatal(err)
			}
		}
	}
	if len(*outbox) == 0 {
		l.t.Fatal("no letter was written")
	}
	for _, m := range *outbox {
		if m.To != f.Email || !strings.HasPrefix(m.Body, "با سلام "+f.GivenName+" "+f.Surname+"\n") {
			l.t.Errorf("a letter begins with %q", m.Body)
		}
	}
}

type letters []commands.Mail

func (l *letters) Send(_ context.Context, m commands.Mail) error {
	*l = append(*l, m)
	return nil
}

// TestWhatIsTooLongIsJudgedAsItWouldStand: characters are counted in canonical
// form, so that what nobody sees costs nothing, and what Unicode writes as two
// counts as two; a refusal says what, where, and what to do.
func TestWhatIsTooLongIsJudgedAsItWouldStand(t *testing.T) {
	l := bare(t)
	l.open(t, House{})
	l.settled()
	var opened TrackingCode
	l.post("applicant", "/requests", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"}).json(t, &opened)
	fill := func(change func(*commands.FormInput), language string) answer {
		in := form()
		change(&in)
		l.keys++
		return l.ask("POST", "/requests/"+opened.TrackingCode+"/form", compact(in),
			append(l.commanding("applicant", fmt.Sprint("length-", l.keys)), "Accept-Language", language)...)
	}
	fields := map[string]func(*commands.FormInput) *string{
		"givenName": func(f *commands.FormInput) *string { return &f.GivenName }, "surname": func(f *commands.FormInput) *string { return &f.Surname },
		"city": func(f *commands.FormInput) *string { return &f.City }, "province": func(f *commands.FormInput) *string { return &f.Province },
		"post": func(f *commands.FormInput) *string { return &f.Post }, "organizationName": func(f *commands.FormInput) *string { return &f.OrganizationName },
		"latinGivenName": func(f *commands.FormInput) *string { return &f.LatinGivenName }, "latinSurname": func(f *commands.FormInput) *string { return &f.LatinSurname },
	}
	for field, of := range fields {
		letter := "ک"
		if strings.HasPrefix(field, "latin") {
			letter = "k"
		}
		for language, says := range map[string][]string{"fa": {"۶۵", "۶۴", "کوتاه کنید"}, "en": {"65", "64", "shorten"}} {
			p := fill(func(f *commands.FormInput) { *of(f) = strings.Repeat(letter, 65) }, language).problem(t)
			if p.Status != 422 || p.Code != "text-too-long" || p.Pointer != "/"+field || !containsAll(p.Detail, says) || strings.Contains(p.Detail, letter+letter) {
				t.Errorf("65 at %s: %+v", field, p)
			}
		}
	}
	for name, c := range map[string]struct {
		field, typed, code string
	}{
		"tatweels are not counted":        {"surname", strings.Repeat("کـ", 64), ""},
		"half spaces in a run are one":    {"givenName", strings.Repeat("ک", 62) + "\u200c\u200c\u200cک", ""},
		"a half space is a character":     {"givenName", strings.Repeat("ک", 64) + "\u200cک", "text-too-long"},
		"half spaces at the ends are not": {"givenName", "\u200c" + strings.Repeat("ک", 64) + "\u200c", ""},
		"direction is not":                {"surname", "\u202b\u200f\u2067" + strings.Repeat("ک", 64) + "\u2069\u202c", ""},
		"a letter and its mark are one":   {"surname", strings.Repeat("ا\u0653", 64), ""},
		"and one too many":                {"surname", strings.Repeat("ا\u0653", 65), "text-too-long"},
		"one that becomes two":            {"city", strings.Repeat("\u0958", 33), "text-too-long"},
		"one that becomes two, with room": {"city", strings.Repeat("\u0958", 32), ""},
		"spaces around are not":           {"post", "  " + strings.Repeat("ک", 64) + "\u00a0", ""},
		"a vowel mark is none of a name":  {"surname", "مُحمد", "persian-name-invalid"},
		"Arabic-Indic digits are neither": {"surname", "کریمی٣", "persian-name-invalid"},
		"teh marbuta is a letter":         {"surname", "عطیة", ""},
		"half a megabyte":                 {"surname", strings.Repeat("ک", 1<<18), "field-too-long"},
	} {
		a := fill(func(f *commands.FormInput) { *fields[c.field](f) = c.typed }, "en")
		if c.code == "" && a.StatusCode != 202 {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		} else if c.code != "" {
			if p := a.problem(t); p.Code != c.code || p.Field != c.field {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
	p := fill(func(f *commands.FormInput) {
		f.LatinGivenName, f.LatinSurname = strings.Repeat("k", 28), strings.Repeat("k", 29)
	}, "en").problem(t)
	if p.Code != "latin-name-too-long" || p.Pointer != "/latinSurname" {
		t.Errorf("a common name of 65: %+v", p)
	}
}

func containsAll(text string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) })
}
