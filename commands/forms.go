package commands

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/domain/profile"
)

// FormInput is the request form as a person types it (S1.4): digits of three
// scripts, spaces and dashes are understood. Its texts may be typed at length,
// for what nobody sees of them is not counted: how long they are is judged in
// canonical form (domain §3.7).
type FormInput struct {
	GivenName        string `json:"givenName" maxLength:"256" doc:"نام، فارسی"`
	Surname          string `json:"surname" maxLength:"256" doc:"نام خانوادگی، فارسی"`
	LatinGivenName   string `json:"latinGivenName" maxLength:"256" doc:"نام، لاتین"`
	LatinSurname     string `json:"latinSurname" maxLength:"256" doc:"نام خانوادگی، لاتین"`
	PersonCode       string `json:"personCode" maxLength:"40" doc:"کد ملی ۱۰ رقمی، یا کد ۱۲ رقمی اتباع خارجی"`
	Passport         string `json:"passport,omitempty" required:"false" maxLength:"20" doc:"شماره گذرنامه، برای اتباع خارجی"`
	BirthDate        string `json:"birthDate" maxLength:"20" doc:"تاریخ تولد جلالی، مانند 1360/01/01"`
	Mobile           string `json:"mobile" maxLength:"30" doc:"شماره همراه"`
	Email            string `json:"email" maxLength:"254" doc:"پست الکترونیک"`
	Address          string `json:"address" maxLength:"2000" doc:"نشانی"`
	PostalCode       string `json:"postalCode" maxLength:"20" doc:"کد پستی"`
	Province         string `json:"province" maxLength:"256" doc:"استان"`
	City             string `json:"city" maxLength:"256" doc:"شهر"`
	OrganizationName string `json:"organizationName,omitempty" required:"false" maxLength:"256" doc:"نام سازمان؛ برای شخص حقیقی مستقل خالی"`
	Organization     string `json:"organization,omitempty" required:"false" maxLength:"40" doc:"شناسه ملی سازمان؛ برای شخص حقیقی مستقل خالی"`
	Post             string `json:"post,omitempty" required:"false" maxLength:"256" doc:"سمت؛ برای شخص حقیقی مستقل خالی"`

	LatinOrganizationName string `json:"latinOrganizationName,omitempty" required:"false" maxLength:"256" doc:"نام سازمان، لاتین؛ تنها برای مهر سازمان"`
}

// ErrOtherPerson reports an applicant who fills in somebody else's code.
var ErrOtherPerson = fault.New(fault.Forbidden, "person-code-not-yours",
	"کد ملی فرم باید از آن خود شما باشد؛ برای دیگری در دفتر ثبت‌نام اقدام کنید.",
	"The form's national code must be your own; for somebody else go to a registration office.").At("personCode")

var (
	errRequired = fault.New(fault.Invalid, "field-required",
		"این خانه باید پر شود.", "This field must be filled in.")
	errControlCharacter = fault.New(fault.Invalid, "control-character",
		"متن نویسهٔ کنترلی یا نادیدنی دارد؛ آن را دوباره و تنها با حروف و نشانه‌ها بنویسید.",
		"The text has a control character or an invisible one; write it again with letters and signs only.")
	errPersianName = fault.New(fault.Invalid, "persian-name-invalid",
		"نام را با حروف فارسی و بدون رقم، اعراب و نشانه بنویسید.", "Write the name in Persian letters, without digits, vowel marks or signs.")
	errLatinName = fault.New(fault.Invalid, "latin-name-invalid",
		"نام را با حروف لاتین و بدون رقم و نشانه بنویسید.", "Write the name in Latin letters, without digits or signs.")
	errLatinLong = fault.New(fault.Invalid, "latin-name-too-long",
		"نام لاتین در گواهی، همراه با نشان نوع آن، بیش از ۶۴ نویسه می‌شود؛ آن را مانند گذرنامه کوتاه کنید.",
		"In the certificate the Latin name, with the mark of its type, would have more than 64 characters; shorten it as the passport does.")
	errLatinOrganization = fault.New(fault.Invalid, "latin-organization-name-invalid",
		"نام سازمان را با حروف لاتین، رقم و نشانه‌های -'.,&()/ بنویسید و با حرف آغاز کنید.",
		"Write the organisation's name in Latin letters, digits and the signs -'.,&()/, beginning with a letter.")
	errBirthDate = fault.New(fault.Invalid, "birth-date-invalid",
		"تاریخ تولد را به صورت سال/ماه/روز جلالی و نه در آینده بنویسید، مانند ۱۳۶۰/۰۱/۰۱.",
		"Write the birth date as Jalali year/month/day, such as 1360/01/01, not in the future.")
)

// normalise gives the form its stored shape, or names every wrong field.
// What it asks for is what the certificate will say.
func (in FormInput) normalise(p profile.Profile, now time.Time) (enrollment.Form, error) {
	var f enrollment.Form
	n := normaliser{}
	f.GivenName = n.checked("givenName", in.GivenName, iran.IsPersianName, errPersianName)
	f.Surname = n.checked("surname", in.Surname, iran.IsPersianName, errPersianName)
	f.LatinGivenName = n.checked("latinGivenName", in.LatinGivenName, iran.IsLatinName, errLatinName)
	f.LatinSurname = n.checked("latinSurname", in.LatinSurname, iran.IsLatinName, errLatinName)
	f.PersonCode = n.parsed("personCode", in.PersonCode, personCode)
	if len(f.PersonCode) == 12 {
		f.Passport = n.parsed("passport", in.Passport, iran.Passport)
	}
	f.BirthDate = n.parsed("birthDate", in.BirthDate, bornBefore(now))
	f.Mobile = n.parsed("mobile", in.Mobile, iran.Mobile)
	f.Email = n.parsed("email", in.Email, iran.Email)
	f.Address = n.within("address", in.Address, longestAddress)
	f.PostalCode = n.parsed("postalCode", in.PostalCode, surely(iran.PostalCode))
	f.Province = n.within("province", in.Province, longestName)
	f.City = n.within("city", in.City, longestName)
	in.affiliation(&n, p, &f)
	if p.Holder == profile.Stamp {
		n.commonName("latinOrganizationName", p, f.LatinOrganizationName)
	} else {
		n.commonName("latinSurname", p, f.LatinGivenName+" "+f.LatinSurname)
	}
	return f, n.err
}

// commonName refuses, while it can still be mended, what the CA could not certify
// after all controls.
func (n *normaliser) commonName(field string, p profile.Profile, latin string) {
	if _, ok := p.CommonName(latin); !ok {
		n.refuse(field, errLatinLong)
	}
}

// affiliation refuses what the certificate would leave out, rather than dropping
// it in silence: who fills it in may have asked for the wrong type.
func (in FormInput) affiliation(n *normaliser, p profile.Profile, f *enrollment.Form) {
	if p.Affiliated() {
		f.OrganizationName = n.within("organizationName", in.OrganizationName, longestName)
		f.Organization = n.parsed("organization", in.Organization, surely(iran.CompanyID))
		f.Post = n.within("post", in.Post, longestName)
	} else {
		n.empty("organizationName", in.OrganizationName, p)
		n.empty("organization", in.Organization, p)
		n.empty("post", in.Post, p)
	}
	if p.Holder == profile.Stamp {
		f.LatinOrganizationName = n.checked("latinOrganizationName", in.LatinOrganizationName, profile.IsLatinOrganization, errLatinOrganization)
	} else {
		n.empty("latinOrganizationName", in.LatinOrganizationName, p)
	}
}

// Warnings names what is accepted though it looks wrong, for whoever filled in
// the form to compare once more (domain §3.2, §3.5).
func (in FormInput) Warnings() []*fault.Fault {
	var all []*fault.Fault
	if _, unusual, _ := iran.PostalCode(in.PostalCode); unusual {
		all = append(all, iran.ErrPostalCodeUnusual.At("postalCode"))
	}
	if _, doubtful, err := iran.CompanyID(in.Organization); err == nil && doubtful {
		all = append(all, iran.ErrCompanyIDDoubtful.At("organization"))
	}
	return all
}

// normaliser collects the refusals in the order of the fields.
type normaliser struct{ err error }

func (n *normaliser) refuse(field string, f *fault.Fault) string {
	n.err = errors.Join(n.err, f.At(field))
	return ""
}

const (
	halfSpace      = '\u200c'
	longestName    = 64 // characters; ub-common-name and its like, RFC 5280 Appendix A.1
	longestAddress = 500
)

// within is one line of at most so many characters. They are counted in
// canonical form, for that is what a certificate says: by it a text may become
// shorter, and, where Unicode writes one character as two, longer.
func (n *normaliser) within(field, input string, most int) string {
	text := n.text(field, input)
	if count := utf8.RuneCountInString(text); count > most {
		return n.refuse(field, errTooLong(count, most))
	}
	return text
}

func errTooLong(count, most int) *fault.Fault {
	return fault.New(fault.Invalid, "text-too-long",
		iran.PersianDigits(fmt.Sprintf("این متن %d نویسه دارد و بیش از %d نویسه پذیرفته نیست؛ آن را کوتاه کنید. کشیده، نشانه‌های جهت و نیم‌فاصلهٔ تکراری شمرده نشده‌اند.", count, most)),
		fmt.Sprintf("This text has %d characters, and at most %d are taken; shorten it. Tatweel, direction marks and repeated half spaces were not counted.", count, most))
}

// text is one line; lines may have several. Neither has other characters that
// cannot be seen: no table could hold some, and two texts that look the same
// would be two.
func (n *normaliser) text(field, input string) string { return n.lines(field, input, "") }

func (n *normaliser) lines(field, input, allowed string) string {
	text := strings.TrimSpace(iran.Canonical(input))
	if text == "" {
		return n.refuse(field, errRequired)
	}
	for _, r := range text {
		if !unicode.IsGraphic(r) && r != halfSpace && !strings.ContainsRune(allowed, r) {
			return n.refuse(field, errControlCharacter)
		}
	}
	return text
}

func (n *normaliser) empty(field, input string, p profile.Profile) {
	if strings.TrimSpace(input) != "" {
		n.refuse(field, fault.New(fault.Invalid, "field-not-for-this-type",
			fmt.Sprintf("گواهی «%s» این را در بر ندارد؛ خانه را خالی بگذارید یا نوع دیگری از گواهی بخواهید.", p.Title.Fa),
			fmt.Sprintf("A certificate for %q does not say this; leave the field empty, or ask for another type.", p.Title.En)))
	}
}

func (n *normaliser) checked(field, input string, ok func(string) bool, wrong *fault.Fault) string {
	text := n.within(field, input, longestName)
	if text != "" && !ok(text) {
		return n.refuse(field, wrong)
	}
	return text
}

func (n *normaliser) parsed(field, input string, parse func(string) (string, error)) string {
	text, err := parse(input)
	var f *fault.Fault
	if errors.As(err, &f) {
		return n.refuse(field, f)
	}
	return text
}

func personCode(input string) (string, error) {
	code, _, err := iran.PersonCode(input)
	return code, err
}

// surely takes what a parser only warns of.
func surely(parse func(string) (string, bool, error)) func(string) (string, error) {
	return func(input string) (string, error) {
		code, _, err := parse(input)
		return code, err
	}
}

func bornBefore(now time.Time) func(string) (string, error) {
	return func(input string) (string, error) {
		d, err := iran.ParseDate(input)
		if err != nil || d.Time().After(now) {
			return "", errBirthDate
		}
		return d.String(), nil
	}
}

// EmailCode is the five digits sent in a round; derived, never stored.
func (a *App) EmailCode(request event.Stream, round int) string {
	sum := a.Secrets.Derive("email-code", string(request), strconv.Itoa(round))
	return fmt.Sprintf("%05d", binary.BigEndian.Uint64(sum)%100_000)
}

func sameCode(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Hash is the SHA-256 of the text, hexadecimal.
func (n Notice) Hash() string {
	sum := sha256.Sum256([]byte(n.Text))
	return hex.EncodeToString(sum[:])
}
