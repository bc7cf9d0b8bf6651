package iran

import "govahi/domain/fault"

// ErrCompanyID reports what can be no company national ID.
var ErrCompanyID = fault.New(fault.Invalid, "company-id-invalid",
	"شناسه ملی درست نیست. هر یازده رقم شناسه ملی شخص حقوقی را دوباره وارد کنید.",
	"The company national ID is wrong. Enter all eleven digits of the legal person's ID again.")

// ErrCompanyIDDoubtful reports a company national ID whose check digit differs.
var ErrCompanyIDDoubtful = fault.New(fault.Invalid, "company-id-doubtful",
	"رقم کنترل شناسه ملی نمی\u200cخواند. آن را با آگهی ثبت شرکت مقایسه کنید؛ اگر همان است، درستی آن با استعلام از مرجع ثبت شرکت\u200cها معلوم می\u200cشود.",
	"The check digit of the company national ID does not fit. Compare it with the registration notice; if it is the same, an inquiry at the company registry must confirm it.")

// CompanyID returns the eleven digits of a company national ID (domain §3.2),
// or ErrCompanyID. With ErrCompanyIDDoubtful it returns the digits too: the
// rule of the check digit is not official, so a caller may go on to inquire.
func CompanyID(input string) (string, error) {
	id := Digits(input)
	if !areDigits(id, 11) || isRepdigit(id) || id[3:9] == "000000" {
		return "", ErrCompanyID
	}
	if companyCheckDigit(id) != id[10] {
		return id, ErrCompanyIDDoubtful
	}
	return id, nil
}

func companyCheckDigit(id string) byte {
	weights := [5]int{29, 27, 23, 19, 17}
	shift, sum := int(id[9]-'0')+2, 0
	for i := range 10 {
		sum += (int(id[i]-'0') + shift) * weights[i%5]
	}
	return '0' + byte(sum%11%10)
}
