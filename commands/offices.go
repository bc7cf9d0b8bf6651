package commands

import (
	"context"
	"regexp"

	"govahi/domain/appointment"
	"govahi/domain/fault"
	"govahi/domain/office"
)

// OpenOffice founds a registration office or a research and technology unit.
type OpenOffice struct {
	Sort     office.Sort `json:"sort" enum:"registration-office,research-unit" doc:"What it is"`
	Code     string      `json:"code" maxLength:"40" doc:"lower-case Latin letters, digits and dashes; for good"`
	Name     string      `json:"name" maxLength:"100"`
	Province string      `json:"province" maxLength:"64"`
	City     string      `json:"city" maxLength:"64"`
}

var officeCode = regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`)

var errOfficeCode = fault.New(fault.Invalid, "office-code-invalid",
	"کد دفتر با حروف کوچک لاتین، رقم و خط تیره نوشته می‌شود.",
	"An office's code is written in lower-case Latin letters, digits and dashes.").At("code")

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
		Code: in.Code, Sort: in.Sort, Name: n.text("name", in.Name), Province: n.text("province", in.Province),
		City: n.text("city", in.City), By: string(c.Person), At: as.at,
	}
	if n.err != nil {
		return Receipt{}, n.err
	}
	return transact(ctx, a, office.Kind, office.Kind.Stream(in.Code), as, just[office.Opened](open))
}
