package enrollment

// StandardControls are those that every office applies to a request: what is
// missing when nothing has been done yet (S1.26–S1.32).
func StandardControls(foreign, affiliated bool) []Control {
	s := Enrollment{Form: FormCompleted{Version: 1, Foreign: foreign}}
	if affiliated {
		s.Form.Organization = "-"
	}
	return s.Missing()
}

// Persian is what a control is called on paper and on screen.
func (c Control) Persian() string {
	return map[Control]string{
		ControlEmail:     "اثبات نشانی پست الکترونیک با کدی که به آن فرستاده می‌شود",
		ControlLiability: "پذیرش تعهدنامهٔ درستی اطلاعات",
		ControlIdentity:  "استعلام هویت از سازمان ثبت احوال",
		ControlFee:       "پرداخت هزینهٔ توکن و صدور به نرخ مصوب",
		ControlAddress:   "کنترل نشانی",
		ControlTelephone: "کنترل تلفن",
		ControlOther:     "کنترل دیگر به صلاحدید دفتر",

		Control(BirthCertificate):   "رؤیت اصل شناسنامه (یا گذرنامه)",
		Control(Passport):           "رؤیت اصل گذرنامه",
		Control(NationalCard):       "رؤیت اصل کارت ملی",
		Control(LegalPersonCard):    "رؤیت کارت شناسهٔ ملی شخص حقوقی (از سوی سازمان)",
		Control(IntroductionLetter): "رؤیت معرفی‌نامهٔ سازمان (از سوی سازمان)",
	}[c]
}
