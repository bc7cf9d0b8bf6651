package commands

import (
	"context"
	"regexp"
	"slices"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/domain/office"
)

// OpenOffice founds a registration office or a research and technology unit.
type OpenOffice struct {
	Sort     office.Sort `json:"sort" enum:"registration-office,research-unit,contracted-authority,company-unit" doc:"What it is"`
	Code     string      `json:"code" maxLength:"40" doc:"lower-case Latin letters, digits and dashes; for good"`
	Name     string      `json:"name" maxLength:"400"`
	Province string      `json:"province" maxLength:"256"`
	City     string      `json:"city" maxLength:"256"`
	Company  string      `json:"company,omitempty" required:"false" maxLength:"40" doc:"National ID of the company that a unit belongs to"`
}

var officeCode = regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`)

var errOfficeCode = fault.New(fault.Invalid, "office-code-invalid",
	"کد دفتر با حروف کوچک لاتین، رقم و خط تیره نوشته می‌شود.",
	"An office's code is written in lower-case Latin letters, digits and dashes.").At("code")

// longestOf is how long the name of a place may be: a registration office's
// stands in the certificates of its officers (ub-organizational-unit-name, RFC
// 5280 Appendix A.1), those of others nowhere.
func longestOf(sort office.Sort) int {
	if sort == office.Registration {
		return longestName
	}
	return 100
}

// OpenOffice is the administrator's.
func (a *App) OpenOffice(ctx context.Context, c Caller, in OpenOffice) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.Administrator, "")
	switch {
	case err != nil:
		return Receipt{}, err
	case !officeCode.MatchString(in.Code):
		return Receipt{}, errOfficeCode
	}
	var n normaliser
	as := a.do(c, "OpenOffice", authority, in.Code)
	open := office.Open{
		Code: in.Code, Sort: in.Sort, Name: n.within("name", in.Name, longestOf(in.Sort)),
		Province: n.within("province", in.Province, longestName), City: n.within("city", in.City, longestName), By: string(c.Person), At: as.at,
	}
	if in.Company != "" {
		open.Company = n.parsed("company", in.Company, surely(iran.CompanyID))
	}
	if n.err != nil {
		return Receipt{}, n.err
	}
	return transact(ctx, a, office.Kind, office.Kind.Stream(in.Code), as, just[office.Office](open))
}

// LicenseOffice is the CA's licence for a registration office, or its contract
// with an authority (domain §4.1, Art. 14; S1.19).
type LicenseOffice struct {
	Number string    `json:"number" maxLength:"40" doc:"شماره پروانه یا قرارداد"`
	From   time.Time `json:"validFrom"`
	Until  time.Time `json:"validUntil" doc:"Three years after its beginning at most"`
}

// LicenseOffice is done by an operator of the CA.
func (a *App) LicenseOffice(ctx context.Context, c Caller, code string, in LicenseOffice) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.CAOperator, "")
	if err != nil {
		return Receipt{}, err
	}
	var n normaliser
	as := a.do(c, "LicenseOffice", authority, code)
	license := office.License{
		Number: n.text("number", in.Number), From: in.From.UTC(), Until: in.Until.UTC(), By: string(c.Person), At: as.at,
	}
	if n.err != nil {
		return Receipt{}, n.err
	}
	return transact(ctx, a, office.Kind, office.Kind.Stream(code), as, just[office.Office](license))
}

// AnnounceControls is what an office tells the public of its own controls, beside
// those that every office applies (S1.32).
type AnnounceControls struct {
	Controls []enrollment.Control `json:"controls" maxItems:"3" enum:"address,telephone,discretionary" doc:"Further controls that the office applies to everybody"`
	Text     string               `json:"text,omitempty" required:"false" maxLength:"1000" doc:"Anything else: hours, what to bring"`
}

// AnnounceControls is done by an officer of the place that looks at documents.
func (a *App) AnnounceControls(ctx context.Context, c Caller, code string, in AnnounceControls) (Receipt, error) {
	place, authority, err := a.at(ctx, c, code)
	if err != nil {
		return Receipt{}, err
	}
	controls := []string{}
	for _, known := range enrollment.FurtherControls { // in one order, each once
		if slices.Contains(in.Controls, known) {
			controls = append(controls, string(known))
		}
	}
	var n normaliser
	text := ""
	if in.Text != "" {
		text = n.text("text", in.Text)
	}
	if n.err != nil {
		return Receipt{}, n.err
	}
	as := a.do(c, "AnnounceControls", authority, place.Code)
	announce := office.AnnounceControls{Controls: controls, Text: text, By: string(c.Person), At: as.at}
	return transact(ctx, a, office.Kind, office.Kind.Stream(code), as, just[office.Office](announce))
}

// licensed refuses an office whose licence is not in force.
func (a *App) licensed(ctx context.Context, code string) error {
	h, err := load(ctx, a, office.Kind, office.Kind.Stream(code))
	if err == nil && !h.state.Licensed(a.Clock()) {
		err = office.ErrUnlicensed
	}
	return err
}
