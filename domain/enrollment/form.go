package enrollment

// Channel tells parties outside the industry from those inside it (S1.3).
type Channel string

// The two channels.
const (
	Outside Channel = "outside" // ارکان خارج از صنعت نفت
	Inside  Channel = "inside"  // ارکان داخل صنعت نفت
)

// Entry says who filled in the form.
type Entry string

// The ways a form is entered.
const (
	ByApplicant Entry = "applicant"
	AtCounter   Entry = "counter" // an officer, for a visitor
)

// Form is the personal part of the request form (S1.4, S1.34), already
// normalised: digits are ASCII, texts canonical (domain §3.7).
type Form struct {
	GivenName        string `json:"givenName"` // Persian
	Surname          string `json:"surname"`   // Persian
	LatinGivenName   string `json:"latinGivenName"`
	LatinSurname     string `json:"latinSurname"`
	PersonCode       string `json:"personCode"` // national code, or a foreigner's 12 digits
	Passport         string `json:"passport,omitempty"`
	BirthDate        string `json:"birthDate"` // Jalali, 1360/01/01
	Mobile           string `json:"mobile"`
	Email            string `json:"email"`
	Address          string `json:"address"`
	PostalCode       string `json:"postalCode"`
	Province         string `json:"province"`
	City             string `json:"city"`
	OrganizationName string `json:"organizationName"`
	Organization     string `json:"organization"` // company national ID, 11 digits
	Post             string `json:"post"`         // title in the organisation

	LatinOrganizationName string `json:"latinOrganizationName,omitempty"` // for its stamp
}

// FormFields are the JSON names of the form's fields, by which a correction is
// asked for.
var FormFields = []string{
	"givenName", "surname", "latinGivenName", "latinSurname", "personCode", "passport", "birthDate", "mobile", "email",
	"address", "postalCode", "province", "city", "organizationName", "organization", "post",
	"latinOrganizationName",
}

// Document is an original that an officer looks at (S1.26–28).
type Document string

// The originals of channel A.
const (
	BirthCertificate   Document = "birth-certificate"
	Passport           Document = "passport"
	NationalCard       Document = "national-card"
	LegalPersonCard    Document = "legal-person-card"
	IntroductionLetter Document = "introduction-letter"
)

// Letter is what is recorded of a letter of introduction (S1.28).
type Letter struct {
	Number string `json:"number" maxLength:"40"`
	Date   string `json:"date" maxLength:"20"` // Jalali
}

// RejectionReason is why an office ends a request (S1.37).
type RejectionReason string

// The reasons of rejection.
const (
	DocumentsMissing  RejectionReason = "documents-missing"
	IdentityMismatch  RejectionReason = "identity-mismatch"
	InformationFalse  RejectionReason = "information-false"
	NotEntitled       RejectionReason = "not-entitled"
	ControlNotPassed  RejectionReason = "control-not-passed"
	ApplicantNoAnswer RejectionReason = "applicant-no-answer"
)

// RejectionReasons lists every reason, for validation and for the form's menu.
var RejectionReasons = []RejectionReason{
	DocumentsMissing, IdentityMismatch, InformationFalse, NotEntitled, ControlNotPassed, ApplicantNoAnswer,
}

var persianReason = map[RejectionReason]string{
	DocumentsMissing: "کمبود مدارک", IdentityMismatch: "عدم تطابق هویت", InformationFalse: "نادرستی اطلاعات",
	NotEntitled: "نداشتن شرایط", ControlNotPassed: "رد در کنترل‌ها", ApplicantNoAnswer: "پاسخ ندادن متقاضی",
}

// Persian is the reason's name on screen.
func (r RejectionReason) Persian() string { return persianReason[r] }

// Persian is the channel's name on screen.
func (c Channel) Persian() string {
	if c == Inside {
		return "داخل صنعت نفت"
	}
	return "خارج از صنعت نفت"
}
