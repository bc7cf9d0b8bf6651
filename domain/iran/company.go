package iran

import "govahi/domain/fault"

// ErrCompanyID reports what can be no company national ID.
var ErrCompanyID = fault.New(fault.Invalid, "company-id-invalid",
	"شناسه ملی درست نیست. هر یازده رقم شناسه ملی شخص حقوقی را دوباره وارد کنید.",
	"The company national ID is wrong. Enter all eleven digits of the legal person's ID again.")

// ErrCompanyIDDoubtful warns of a company national ID whose check digit differs.
var ErrCompanyIDDoubtful = fault.New(fault.Invalid, "company-id-doubtful",
	"رقم کنترل شناسه ملی نمی\u200cخواند. آن را با آگهی ثبت شرکت مقایسه کنید؛ اگر همان است، درستی آن با استعلام از مرجع ثبت شرکت\u200cها معلوم می\u200cشود.",
	"The check digit of the company national ID does not fit. Compare it with the registration notice; if it is the same, an inquiry at the company registry must confirm it.")

// CompanyID returns the eleven digits of a company national ID (domain §3.2),
// or ErrCompanyID. The rule of the check digit is not official: an ID that
// breaks it is doubtful, which is worth ErrCompanyIDDoubtful as a warning and
// an inquiry, but no refusal.
func CompanyID(input string) (id string, doubtful bool, err error) {
	id = Digits(input)
	if !areDigits(id, 11) || isRepdigit(id) || id[3:9] == "000000" {
		return "", false, ErrCompanyID
	}
	return id, companyCheckDigit(id) != id[10], nil
}

func companyCheckDigit(id string) byte {
	weights := [5]int{29, 27, 23, 19, 17}
	shift, sum := int(id[9]-'0')+2, 0
	for i := range 10 {
		sum += (int(id[i]-'0') + shift) * weights[i%5]
	}
	return '0' + byte(sum%11%10)
}
